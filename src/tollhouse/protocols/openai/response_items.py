"""The items of a response as a stream builds them, so that one that is cut can still be told whole.

A stream that ends by itself repeats all of its items in its terminal event; one that we end has to say them, too: each
part and item that is open is closed, and the response lists what came.
"""

from typing import Any, Final

from tollhouse.core.failure import UpstreamBroke
from tollhouse.protocols.openai.chunk import Object

ITEMS_MAX: Final = 1024
"""Of one response, and parts of one item."""

_PARTS: Final = {
    "output_text": ("content", "content_index", "text"),
    "refusal": ("content", "content_index", "refusal"),
    "reasoning_text": ("content", "content_index", "text"),
    "reasoning_summary_text": ("summary", "summary_index", "text"),
}
"""By the kind of a delta: the list that its part stands in, the member that says which one it is, and its text."""
_WHOLES: Final = {
    "function_call_arguments": "arguments",
    "mcp_call_arguments": "arguments",
    "custom_tool_call_input": "input",
    "code_interpreter_call_code": "code",
}
"""By the kind of a delta: the member of the item that it adds to."""


class Items:
    """Feed it each event; `closing` ends what is open."""

    __slots__ = ("_items", "_texts")

    def __init__(self) -> None:
        self._items: dict[int, Object] = {}
        self._texts: dict[tuple[int, str, int], list[str]] = {}  # by item, list or member, and place in it

    def take(self, kind: str, event: Object) -> None:
        """Raises UpstreamBroke beyond ITEMS_MAX."""
        at = _index(event, "output_index")
        what, _, step = kind.removeprefix("response.").rpartition(".")
        if step == "delta":
            self._add(at, what, event)
        elif what == "output_item" and isinstance(item := event.get("item"), dict):
            if at not in self._items and len(self._items) >= ITEMS_MAX:
                raise UpstreamBroke(f"The provider sent a response of more than {ITEMS_MAX} items.")
            self._items[at] = dict(item)
            if step == "done":
                self._texts = {place: said for place, said in self._texts.items() if place[0] != at}
        elif what in ("content_part", "reasoning_summary_part") and step == "added":
            in_list, named = ("content", "content_index") if what == "content_part" else ("summary", "summary_index")
            part = event.get("part")
            self._part(at, in_list, _index(event, named), part if isinstance(part, dict) else {})

    def closing(self) -> tuple[list[tuple[str, Object]], list[Object]]:
        """The events, by their kinds, that close what is open, and all items as they stand."""
        events: list[tuple[str, Object]] = []
        for at, item in sorted(self._items.items()):
            if item.get("status") == "in_progress" or any(place[0] == at for place in self._texts):
                events += self._close(at, item)
        return events, [item for _, item in sorted(self._items.items())]

    def _add(self, at: int, what: str, event: Object) -> None:
        text = event.get("delta")
        if not isinstance(text, str):
            return
        if what in _PARTS:
            in_list, named, _ = _PARTS[what]
            number = _index(event, named)
            self._part(at, in_list, number, {"type": what if what != "reasoning_summary_text" else "summary_text"})
            self._texts.setdefault((at, what, number), []).append(text)
        elif what in _WHOLES:
            self._texts.setdefault((at, what, 0), []).append(text)

    def _part(self, at: int, in_list: str, number: int, part: Object) -> None:
        item = self._items.setdefault(at, {"type": "message", "role": "assistant", "status": "in_progress"})
        parts = item.get(in_list)
        parts = item[in_list] = list(parts) if isinstance(parts, list) else []
        if number >= ITEMS_MAX or len(self._items) > ITEMS_MAX:
            raise UpstreamBroke(f"The provider sent an item of more than {ITEMS_MAX} parts.")
        while len(parts) <= number:
            parts.append(dict(part))

    def _close(self, at: int, item: Object) -> list[tuple[str, Object]]:
        events: list[tuple[str, Object]] = []
        for (of, what, number), said in self._texts.items():
            if of != at:
                continue
            place: Object = {"item_id": item.get("id"), "output_index": at}
            text = "".join(said)
            if what in _WHOLES:
                item[_WHOLES[what]] = text
                events.append((f"response.{what}.done", {**place, _WHOLES[what]: text}))
                continue
            in_list, named, member = _PARTS[what]
            parts: Any = item[in_list]
            part = parts[number] = {**parts[number], member: text}
            place[named] = number
            events.append((f"response.{what}.done", {**place, member: text}))
            kind = "content_part" if in_list == "content" else "reasoning_summary_part"
            events.append((f"response.{kind}.done", {**place, "part": part}))
        item["status"] = "incomplete"
        events.append(("response.output_item.done", {"output_index": at, "item": item}))
        return events


def _index(event: Object, name: str) -> int:
    index = event.get(name)
    return index if type(index) is int and index >= 0 else 0
