"""Thoughts that a server writes into the text of an answer: `<think>` at its beginning, up to `</think>`.

MiniMax does so, and servers of open models that were given no parser of thoughts.
"""

from typing import Final, Literal

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"
_BLANKS_MAX: Final = 64  # before the first tag

TAGGED: Final = _OPEN
"""The name under which such thoughts came."""

Piece = tuple[bool, str]
"""Whether it is a thought; and the text."""


class ThoughtTags:
    """A text as it comes. Feed `split` each piece until `is_over`; at its end `rest` is what was kept."""

    __slots__ = ("_kept", "_place")

    def __init__(self) -> None:
        self._kept = ""
        self._place: Literal["before", "opened", "within", "closed", "over"] = "before"

    @property
    def is_over(self) -> bool:
        """Whether all that still comes is text."""
        return self._place == "over"

    def split(self, text: str) -> list[Piece]:
        found: list[Piece] = []
        if self._place == "before":
            text = self._begin(text)
        if self._place == "opened":  # blanks before the first thought are none
            text = text.lstrip()
            self._place = "within" if text else "opened"
        if self._place == "within":
            text = self._think(text, found)
        if self._place == "closed":  # nor are blanks before the first word
            text = text.lstrip()
            self._place = "over" if text else "closed"
        if self._place == "over" and text:
            found.append((False, text))
        return found

    def rest(self) -> list[Piece]:
        kept, self._kept = self._kept, ""
        return [(self._place == "within", kept)] if kept else []

    def _begin(self, text: str) -> str:
        said = self._kept + text
        start = said.lstrip()
        few = len(said) - len(start) <= _BLANKS_MAX
        if start.startswith(_OPEN) and few:
            self._kept, self._place = "", "opened"
            return start.removeprefix(_OPEN)
        if _OPEN.startswith(start) and few:
            self._kept = said
            return ""
        self._kept, self._place = "", "over"
        return said

    def _think(self, text: str, found: list[Piece]) -> str:
        """More thoughts; gives what follows their end."""
        said = self._kept + text
        thought, tag, text = said.partition(_CLOSE)
        if tag:
            self._kept, self._place = "", "closed"
        else:
            begun = next((n for n in range(min(len(_CLOSE) - 1, len(said)), 0, -1) if said.endswith(_CLOSE[:n])), 0)
            thought, self._kept = said[: len(said) - begun], said[len(said) - begun :]
        if thought:
            found.append((True, thought))
        return text


def split(text: str) -> list[Piece]:
    """A whole text: its thoughts, and what follows them."""
    tags = ThoughtTags()
    pieces = tags.split(text) + tags.rest()
    both = [(kind, "".join(said for is_thought, said in pieces if is_thought is kind)) for kind in (True, False)]
    return [(kind, said) for kind, said in both if said]


def tagged(thought: str, text: str) -> str:
    """Thoughts and the text after them, as they came."""
    return f"{_OPEN}\n{thought.strip()}\n{_CLOSE}\n\n{text}"
