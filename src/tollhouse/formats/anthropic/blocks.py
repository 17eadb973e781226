"""What the input of a request is made of: every block of its messages, of its system prompt and of results of tools.

Only what is documented as text is plain. A block of a type that is not known here, and a source that lies elsewhere,
may be of any size.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

Size = Literal["text", "picture", "any"]
"""text: its bytes bound it. picture: it lies in the body, and a figure bounds it. any: nothing but the context does."""

_TEXTS: Final = frozenset(("text", "thinking", "redacted_thinking", "tool_use", "tool_reference"))
_WITHIN: Final = ("content", "source")
_DEPTH_MAX: Final = 16


class Block(NamedTuple):
    """`holder[name]` is the base64 of a medium that lies in the body; empty: there is none."""

    size: Size
    holder: dict[str, Any]
    name: str = ""

    @property
    def inline(self) -> str:
        found = self.holder.get(self.name) if self.name else None
        return found if isinstance(found, str) else ""


def blocks_of(value: object) -> Iterator[Block]:
    """Of messages, of a system prompt, or of one content: a text alone is no block."""
    yield from _within(value, 0)


def _within(value: object, depth: int) -> Iterator[Block]:
    if isinstance(value, list):
        for one in value:
            yield from _within(one, depth) if isinstance(one, dict) else ()
    elif isinstance(value, dict):
        if depth > _DEPTH_MAX:
            yield Block("any", value)
        elif "role" in value and "type" not in value:
            yield from _within(value.get("content"), depth + 1)
        else:
            yield from _of(value, depth)


def _of(block: dict[str, Any], depth: int) -> Iterator[Block]:
    kind, source = block.get("type"), block.get("source")
    kind = kind if isinstance(kind, str | None) else ""
    if kind in _TEXTS or (kind is None and isinstance(block.get("text"), str)):
        yield Block("text", block)
    elif kind in ("tool_result", "search_result"):
        yield Block("text", block)
        yield from _within(block.get("content"), depth + 1)
    elif kind in ("image", "document") and isinstance(source, dict):
        origin = source.get("type")
        if origin == "base64":
            yield Block("picture" if kind == "image" else "any", source, "data")
        elif origin == "text" and kind == "document":
            yield Block("text", block)
        elif origin == "content" and kind == "document":
            yield Block("text", block)
            yield from _within(source.get("content"), depth + 1)
        else:
            yield Block("any", block)
    else:
        yield Block("any", block)
