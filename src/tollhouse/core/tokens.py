"""Counting tokens, as ports: `tokens/` has what counts, `app.py` hands it to whoever needs a figure."""

from typing import Protocol


class TokenCounter(Protocol):
    def count(self, text: str, model: str) -> int:
        """Tokens of `text` as `model` would count them: 0 for the empty text.

        A text counted in pieces gives about the tokens of the whole: a word cut in two may count for more.
        """
        ...


class TextCounter(TokenCounter, Protocol):
    """A counter for texts of any length."""

    async def count_aside(self, text: str, model: str, account_id: str) -> int:
        """Like `count`, without holding up the event loop for a long text. Long texts of an account wait for each
        other, and for nobody else's."""
        ...

    async def prepare(self, model: str) -> None:
        """Have at hand what `count` needs for this model, without holding up the event loop."""
        ...

    def exact(self, model: str) -> bool:
        """Whether the model's own vocabulary is at hand: else a count is an estimate, and no bound."""
        ...
