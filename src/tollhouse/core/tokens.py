"""Counting tokens, as a port: `tokens/` has what counts, `app.py` hands it to whoever needs a figure."""

from typing import Protocol


class TokenCounter(Protocol):
    def count(self, text: str, model: str) -> int:
        """Tokens of `text` as `model` would count them: 0 for the empty text, never less for a longer text.

        A text counted in pieces gives at least the tokens of the whole, and at most one more per piece.
        """
        ...
