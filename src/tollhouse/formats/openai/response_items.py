"""The items of a response as a stream builds them: each piece is put where it belongs.

A stream that ends by itself repeats its items in its terminal event; some servers leave them out, and of a stream that
we end, nobody else says them: each part and item that is open is closed, and the response lists what came.
"""

from typing import Any, Final

from tollhouse.core.failure import UpstreamBroke
from tollhouse.formats.openai import text_locations
from tollhouse.formats.openai.chunk import Object
from tollhouse.formats.openai.joining import join_base64
from tollhouse.formats.openai.response_parts import ITEMS_MAX, PARTS_MAX, PIECES, Piece

_PART_KINDS: Final = {
    "content_part": ("content", "content_index"),
    "reasoning_summary_part": ("summary", "summary_index"),
}
_STATUSES: Final = ("in_progress", "searching", "interpreting", "generating", "completed", "failed", "incomplete")
_Place = tuple[str, int]  # kind of piece, number of the part


class Items:
    """Feed it each event; `closing` ends what is open, `whole` gives all items."""

    __slots__ = ("_done", "_items", "_last", "_parts", "_said", "_texts")

    def __init__(self) -> None:
        self._items: dict[int, Object] = {}
        self._texts: dict[int, dict[_Place, list[str]]] = {}  # by item: what is not in it yet
        self._said: set[tuple[int, _Place]] = set()  # texts that were closed
        self._parts = 0
        self._done: set[int] = set()
        self._last = 0  # the item that the last event was about

    def take(self, kind: str, event: Object) -> None:
        """Raises UpstreamBroke beyond ITEMS_MAX."""
        what, _, step = kind.removeprefix("response.").rpartition(".")
        at = self._last = self._at(event)
        if what == "output_item":
            self._take_item(at, step, event.get("item"))
        elif what in PIECES:
            self._take_piece(at, (what, self._number(at, what, event)), step, event)
        elif what in _PART_KINDS:
            in_list, named = _PART_KINDS[what]
            self._take_part(at, in_list, _index(event, named) or 0, step, event.get("part"))
        elif what == "output_text.annotation" and step == "added":
            part = self._part(at, "content", _index(event, "content_index") or 0, "output_text")
            _extend(part, "annotations", [event.get("annotation")])
        elif step == "partial_image" and isinstance(event.get("partial_image_b64"), str):
            self._item(at, what)["result"] = event["partial_image_b64"]
        elif step in _STATUSES and at not in self._done and "status" in self._items.get(at, ()):
            self._items[at]["status"] = step

    def closing(self) -> tuple[list[tuple[str, Object]], list[Object]]:
        """The events, by their kinds, that close what is open, and all items as they stand."""
        events: list[tuple[str, Object]] = []
        for at, item in sorted(self._items.items()):
            if at not in self._done:
                events += self._close(at, item)
        return events, [item for _, item in sorted(self._items.items())]

    def whole(self) -> list[Object]:
        """All items of a response that was completed, with what was said of each."""
        for at, texts in list(self._texts.items()):
            for location in list(texts):
                self._write(at, location)
        for at, item in self._items.items():
            if at not in self._done and "status" in item:
                item["status"] = "completed"
        return [item for _, item in sorted(self._items.items())]

    def _at(self, event: Object) -> int:
        """The item an event is about: by its index, else by its id, else the one before it."""
        index = _index(event, "output_index")
        if index is not None:
            return index
        item = event.get("item")
        named = event.get("item_id") or (item.get("id") if isinstance(item, dict) else None)
        if named is None:
            return self._last
        known = [at for at, one in self._items.items() if one.get("id") == named]
        return known[0] if known else max(self._items, default=-1) + 1

    def _number(self, at: int, what: str, event: Object) -> int:
        piece = PIECES[what]
        number = _index(event, piece.number) if piece.number else 0
        if number is not None:
            return number
        item = self._items.get(at, {})
        parts = item.get(piece.list)
        for number, part in enumerate(parts if isinstance(parts, list) else []):
            if isinstance(part, dict) and part.get("type") == piece.part:
                return number
        return len(parts) if isinstance(parts, list) and piece.part == "output_audio" else 0

    def _take_item(self, at: int, step: str, item: object) -> None:
        if not isinstance(item, dict):
            return
        self._require_room(at)
        self._items[at] = dict(item)
        if step == "done":
            self._done.add(at)
            self._texts.pop(at, None)

    def _take_part(self, at: int, in_list: str, number: int, step: str, part: object) -> None:
        if not isinstance(part, dict):
            part = {}
        known = self._part(at, in_list, number, str(part.get("type")))
        if at not in self._done and (part or step == "added"):
            known.clear()
            known.update(part)
        if step == "done":
            texts = self._texts.get(at, {})
            for location in [one for one in texts if one[1] == number and PIECES[one[0]].list == in_list]:
                del texts[location]

    def _take_piece(self, at: int, location: _Place, step: str, event: Object) -> None:
        what, number = location
        if at in self._done:
            return
        piece = PIECES[what]
        if piece.part:
            part = self._part(at, piece.list, number, piece.part)
            logprobs = event.get("logprobs")
            if step == "delta" and isinstance(logprobs, list) and logprobs:
                _extend(part, "logprobs", logprobs)
        else:
            self._item(at, what)
        if step == "delta":
            delta = event.get("delta")
            text = text_locations.text_of(delta) if isinstance(delta, dict) else delta
            if isinstance(text, str):
                self._texts.setdefault(at, {}).setdefault(location, []).append(text)
        elif step == "done":
            text = event.get(piece.whole)
            if isinstance(text, str):
                self._texts.setdefault(at, {})[location] = [text]
            if location in self._texts.get(at, ()):
                self._said.add((at, location))

    def _item(self, at: int, what: str) -> Object:
        self._require_room(at)
        if at not in self._items:
            kind, _, _ = what.partition("_call")
            is_call = kind != what
            opened: Object = {"type": f"{kind}_call"} if is_call else {"type": "message", "role": "assistant"}
            if what.startswith("reasoning"):
                opened = {"type": "reasoning", "summary": []}
            self._items[at] = {**opened, "status": "in_progress"}
        return self._items[at]

    def _part(self, at: int, in_list: str, number: int, kind: str) -> Object:
        item = self._item(at, "reasoning" if in_list == "summary" or kind == "reasoning_text" else "")
        parts = item.get(in_list)
        parts = item[in_list] = parts if isinstance(parts, list) else []
        if number >= ITEMS_MAX:
            raise UpstreamBroke(f"The provider sent an item of more than {ITEMS_MAX} parts.")
        self._parts += max(0, number + 1 - len(parts))
        if self._parts > PARTS_MAX:
            raise UpstreamBroke(f"The provider sent a response of more than {PARTS_MAX} parts.")
        while len(parts) <= number:
            parts.append({"type": kind})
        if not isinstance(parts[number], dict):
            parts[number] = {"type": kind}
        found: Object = parts[number]
        return found

    def _require_room(self, at: int) -> None:
        if at not in self._items and len(self._items) >= ITEMS_MAX:
            raise UpstreamBroke(f"The provider sent a response of more than {ITEMS_MAX} items.")

    def _close(self, at: int, item: Object) -> list[tuple[str, Object]]:
        events: list[tuple[str, Object]] = []
        for location in list(self._texts.get(at, ())):
            what, number = location
            piece, was_said = PIECES[what], (at, location) in self._said
            text = self._write(at, location)
            where: Object = {"item_id": item.get("id"), "output_index": at}
            if piece.number:
                where[piece.number] = number
            if not was_said:
                events.append((f"response.{what}.done", {**where, piece.whole: text}))
            if piece.part and piece.part != "output_audio":
                kind = "content_part" if piece.list == "content" else "reasoning_summary_part"
                parts: Any = item[piece.list]
                events.append((f"response.{kind}.done", {**where, "part": parts[number]}))
        item["status"] = "incomplete"
        events.append(("response.output_item.done", {"output_index": at, "item": item}))
        return events

    def _write(self, at: int, location: _Place) -> str:
        """Put the text of a place into its item."""
        what, number = location
        piece, said = PIECES[what], self._texts[at].pop(location)
        text = join_base64(said) if piece.member == "data" else "".join(said)
        item = self._items.get(at)
        if item is None:
            return text
        if piece.part:
            self._part(at, piece.list, number, piece.part)[piece.member] = text
        elif piece.list:
            _set_command(item, piece, number, text)
        else:
            holder, _, member = piece.member.rpartition(".")
            inner = item.get(holder) if holder else item
            if not isinstance(inner, dict):
                inner = item[holder] = {}
            inner[member] = text
        return text


def _set_command(item: Object, piece: Piece, number: int, text: str) -> None:
    holder, _, member = piece.list.partition(".")
    action = item.get(holder)
    action = item[holder] = dict(action) if isinstance(action, dict) else {}
    commands = action.get(member)
    commands = action[member] = list(commands) if isinstance(commands, list) else []
    if number >= ITEMS_MAX:
        raise UpstreamBroke(f"The provider sent an item of more than {ITEMS_MAX} parts.")
    commands += [""] * (number + 1 - len(commands))
    commands[number] = text


def _extend(holder: Object, name: str, more: list[Any]) -> None:
    """In its place: a copy for each piece would be work that grows with the square."""
    known = holder.get(name)
    if isinstance(known, list):
        known += more
    else:
        holder[name] = list(more)


def _index(event: Object, name: str) -> int | None:
    index = event.get(name)
    return index if type(index) is int and index >= 0 else None
