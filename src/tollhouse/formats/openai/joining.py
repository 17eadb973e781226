"""What the chunks of a chat stream say, joined into the message that they are pieces of.

Servers add members of their own, so the rule is general. Of a message every text is a piece but for names and ids; of
an object within it, what stands under a name of `PIECES`. Objects are joined member by member. The first element of a
list goes on with the last one that is known where both are text of one kind; all others are new: no text that was one
part becomes two, no two parts become one.
"""

import binascii
from base64 import b64decode, b64encode
from typing import Any, Final

from tollhouse.core.failure import UpstreamBroke
from tollhouse.formats.openai import chunk as chunks

_Object = dict[str, object]

PIECES: Final = frozenset(
    (
        *("text", "thinking", "summary", "reasoning", "reasoning_content", "content", "refusal", "transcript"),
        *("arguments", "input", "code", "delta", "partial_json"),
    )
)
_ARGUMENTS_MAX: Final = 16_384  # characters of arguments that are read to see whether they are whole
_ENCODED: Final = ("arguments", "input")  # text that some servers send as an object
_NAMES: Final = frozenset(
    (
        *("role", "id", "name", "type", "object", "model", "status", "format", "signature", "thought_signature"),
        *("tool_call_id", "phase", "channel", "recipient"),
    )
)


class Joined:
    """An object as it grows. `in_message`: it is the message itself, whose texts are pieces under any name."""

    __slots__ = ("_in_message", "_lists", "_objects", "_order", "_texts", "_values")

    def __init__(self, *, in_message: bool = False) -> None:
        self._in_message = in_message
        self._order: dict[str, None] = {}
        self._values: _Object = {}
        self._texts: dict[str, list[str]] = {}
        self._objects: dict[str, Joined] = {}
        self._lists: dict[str, JoinedList] = {}

    def add(self, said: _Object) -> None:
        for name, value in said.items():
            self._order.setdefault(name)
            if value is None:
                self._values.setdefault(name, None)
            elif isinstance(value, str):
                self._add_text(name, value)
            elif name in _ENCODED and not self._in_message:
                self._add_text(name, chunks.encode(value).decode())
            elif isinstance(value, list):
                self._add_list(name, value)
            elif isinstance(value, dict):
                self._objects.setdefault(name, Joined()).add(value)
            else:
                self._values[name] = value

    def text(self, name: str) -> str:
        """What was said under a name so far."""
        return "".join(self._texts.get(name, ()))

    def is_repeated(self, name: str, value: object) -> bool:
        """Whether a list or an object was told before, which a message may repeat."""
        return isinstance(value, list | dict) and (name in self._lists or name in self._objects)

    def get(self, name: str) -> object:
        """A name or a figure, as it was told last."""
        return self._values.get(name)

    def has_text(self) -> bool:
        return any(any(pieces) for pieces in self._texts.values())

    def whole(self) -> _Object:
        return {name: self._whole(name) for name in self._order}

    def _whole(self, name: str) -> object:
        if name in self._lists:
            return self._lists[name].whole()
        if name in self._objects:
            return self._objects[name].whole()
        if name in self._texts:
            return "".join(self._texts[name])
        return self._values.get(name)

    def _add_text(self, name: str, value: str) -> None:
        if name in _NAMES or (not self._in_message and name not in PIECES):
            if value or name not in self._values:
                self._values[name] = value
        elif name in self._lists:
            if value:
                self._lists[name].add([{"type": "text", "text": value}])
        else:
            self._texts.setdefault(name, []).append(value)

    def _add_list(self, name: str, value: list[Any]) -> None:
        if name not in self._lists:
            self._lists[name] = JoinedList()
            before = self.text(name)
            if before:  # it began as plain text
                self._lists[name].add([{"type": "text", "text": before}])
        self._lists[name].add(value)


class JoinedList:
    """A list as it grows."""

    __slots__ = ("_by_index", "_items")

    def __init__(self) -> None:
        self._items: list[object] = []
        self._by_index: dict[tuple[str, str], Joined] = {}

    def add(self, pieces: list[Any]) -> None:
        known = dict(self._by_index)
        last = self._items[-1] if self._items else None
        for number, piece in enumerate(pieces):
            if not isinstance(piece, dict):
                self._items.append(piece)
                continue
            location = (str(piece.get("index")), str(piece.get("type")))
            whole = known.get(location) if "index" in piece else None
            if number == 0 and "index" not in piece and isinstance(last, Joined):
                whole = last
            if whole is None or not _goes_on(whole, piece):
                whole = Joined()
                self._items.append(whole)
                if "index" in piece:
                    self._by_index[location] = whole
            whole.add(piece)

    def whole(self) -> list[object]:
        return [item.whole() if isinstance(item, Joined) else item for item in self._items]


def _goes_on(whole: Joined, piece: _Object) -> bool:
    """Whether a piece of a list goes on with an element of it: text of the same kind, or the signature that ends it."""
    if piece.get("type") != whole.get("type"):
        return False
    if piece.get("id") and whole.get("id") and piece["id"] != whole.get("id"):
        return False
    says = any(value for name, value in piece.items() if name in PIECES)
    if whole.get("signature"):
        return not says
    return says or "signature" in piece


class JoinedAudio:
    """The sound of a message: words and sound in pieces, an id, and until when it is kept."""

    __slots__ = ("_said", "_sound")

    def __init__(self) -> None:
        self._said = Joined()
        self._sound: list[str] = []

    def add(self, piece: _Object) -> None:
        data = piece.get("data")
        if isinstance(data, str):
            self._sound.append(data)
            piece = {**piece, "data": None}
        self._said.add(piece)

    def whole(self) -> _Object:
        whole = self._said.whole()
        return {**whole, "data": join_base64(self._sound)} if self._sound else whole


def join_base64(pieces: list[str]) -> str:
    """Base64 of all the bytes; each piece may have been encoded by itself."""
    if all(len(piece) % 4 == 0 and not piece.endswith("=") for piece in pieces[:-1]):
        return "".join(pieces)
    try:
        return b64encode(b"".join([b64decode(piece, validate=True) for piece in pieces])).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)


class JoinedCalls:
    """Tool calls as they grow, whatever they call: a function, a custom tool, or what comes next.

    A piece belongs to the call of its index, or, without one, of its place in the list. Another id at that index begins
    a new call (Ollama), and so does another name where the arguments of the last one have begun, or any name where they
    are whole. The name of a call that has none yet is its own.
    """

    __slots__ = ("_calls", "_last")

    def __init__(self) -> None:
        self._calls: list[JoinedCall] = []
        self._last: dict[int, JoinedCall] = {}  # by index

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, value: object, *, is_whole: bool = False) -> None:
        """is_whole: of a message that may repeat what was said."""
        pieces = [value] if isinstance(value, dict) else value
        for place, piece in enumerate(pieces if isinstance(pieces, list) else []):
            if not isinstance(piece, dict):
                continue
            index = chunks.index_of(piece, place)
            call = self._last.get(index)
            if is_whole and any(one.is_repeated(piece) for one in self._calls):
                continue
            if call is None or call.is_another(piece):
                call = self._last[index] = JoinedCall()
                self._calls.append(call)
            call.add(piece)

    def whole(self) -> list[_Object]:
        return [call.whole() for call in self._calls]


class JoinedCall:
    __slots__ = ("_call", "_inner")

    def __init__(self) -> None:
        self._call = Joined()
        self._inner: dict[str, Joined] = {}  # `function`, `custom`, ...

    def is_another(self, piece: _Object) -> bool:
        known, new = self._call.get("id"), piece.get("id")
        if known and new:
            return bool(known != new)
        for kind, inner in self._inner.items():
            called = piece.get(kind)
            name = called.get("name") if isinstance(called, dict) else None
            own = inner.get("name")
            if name and own and inner.has_text() and (name != own or (not new and _is_whole(inner, called))):
                return True
        return False

    def is_repeated(self, piece: _Object) -> bool:
        """Whether a call of a whole message is this one again, which has all of its arguments."""
        known, new = self._call.get("id"), piece.get("id")
        if known and new and known != new:
            return False
        for kind, inner in self._inner.items():
            called = piece.get(kind)
            if isinstance(called, dict) and called.get("name") == inner.get("name"):
                same = chunks.arguments_of(called) == inner.text("arguments")
                return same or bool(known and new and _is_whole(inner, called))
        return False

    def add(self, piece: _Object) -> None:
        for name, value in piece.items():
            if isinstance(value, dict):
                self._inner.setdefault(name, Joined()).add(value)
            elif name == "id":
                if value and not self._call.get("id"):
                    self._call.add({name: value})
            elif name != "index" and value:
                self._call.add({name: value})

    def whole(self) -> _Object:
        call: _Object = {"id": None, **self._call.whole(), **{name: one.whole() for name, one in self._inner.items()}}
        function = call.get("function")
        if isinstance(function, dict) or len(call) == 1:
            call["function"] = {"name": "", "arguments": "", **(function if isinstance(function, dict) else {})}
            call.setdefault("type", "function")
        elif "custom" in call:
            call.setdefault("type", "custom")
        return call


def _is_whole(inner: Joined, more: object) -> bool:
    """Whether the arguments of a call are all there, so that others under its name are those of the next one."""
    new = more.get("arguments") if isinstance(more, dict) else None
    if not isinstance(new, str) or not new.startswith("{"):
        return isinstance(new, dict)
    said = inner.text("arguments")
    if not said.endswith("}") or len(said) > _ARGUMENTS_MAX:
        return False
    try:
        return isinstance(chunks.decode_any(said.encode()), dict)
    except (UpstreamBroke, UnicodeEncodeError):
        return False
