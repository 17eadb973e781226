"""The members of a request, decoded: each is read by its type, or blamed by its path where it has another one."""

from typing import Any

import msgspec

from tollhouse.core import half_pairs
from tollhouse.core.conversation import Conversation
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.raw_members import UNREAD

Object = dict[str, Any]


def decode(request: ModelRequest, name: str) -> Any:
    """The value of a member; None: it is absent, or null. Half of a surrogate pair, which no other format can say, is
    read as U+FFFD. Raises BadRequest where it is nested too deeply or holds a number that no float holds."""
    raw = request.members.get(name)
    if raw is None:
        return None
    body = bytes(raw)
    if request.has_halves:
        body = half_pairs.replace_hidden(body)
    try:
        return msgspec.json.decode(body)
    except UNREAD:
        hidden = half_pairs.hide(body)
    try:
        if hidden is not None:
            return msgspec.json.decode(half_pairs.replace_hidden(hidden))
    except UNREAD:
        pass
    raise BadRequest(f"'{name}' cannot be read: it is nested too deeply, or holds a number out of range.", param=name)


def text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"'{path}' must be a string.", param=path)
    return value


def object_of(value: object, path: str) -> Object:
    if not isinstance(value, dict):
        raise BadRequest(f"'{path}' must be an object.", param=path)
    return value


def array(value: object, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"'{path}' must be an array.", param=path)
    return value


def number(value: object, path: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"'{path}' must be a number.", param=path)
    return value


def integer(value: object, path: str) -> int | None:
    found = number(value, path)
    if found is None or isinstance(found, int):
        return found
    if not found.is_integer():
        raise BadRequest(f"'{path}' must be an integer.", param=path)
    return int(found)


def flag(value: object, path: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"'{path}' must be true or false.", param=path)
    return value


def asks(value: object) -> bool:
    """Whether a member asks for anything: null, false and what is empty do not."""
    return value is not None and value is not False and value not in ("", [], {})


def note_others(conversation: Conversation, found: Object, known: frozenset[str], path: str = "") -> None:
    """Members that nobody reads here: what asks for nothing needs no word."""
    for name, value in found.items():
        if name not in known and asks(value):
            note(conversation, "other", f"{path}.{name}" if path else name)
