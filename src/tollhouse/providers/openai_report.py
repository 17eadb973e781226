"""What the body of an error answer says: its machine-readable words, its reason, the field to blame.

Bodies differ by vendor; read are `{"error": {...}}`, `{"error": "..."}`, `[{"error": {...}}]`, `{"errors": [...]}`, the
bare object with `message`, `{"detail": ...}`, errors within errors, a `message` that is itself an object, and the same
as the data of one event. The work is bounded: `DEPTH_MAX` objects deep, `WORDS_MAX` words.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

DEPTH_MAX: Final = 6
WORDS_MAX: Final = 64
_LIST_MAX: Final = 8
_MESSAGE_NAMES: Final = ("message", "detail", "msg", "error_description", "title")
_INNER_NAMES: Final = ("error", "errors", "message", "detail", "innererror", "details")


class Report(Struct, frozen=True):
    """Words are lower-cased, message and param as they came. `readable`: an error object of a shape we know."""

    words: frozenset[str] = frozenset()
    message: str = ""
    param: str | None = None
    readable: bool = False


UNREADABLE: Final = Report()


def read_report(body: bytes) -> Report:
    try:
        decoded: object = msgspec.json.decode(_json_of(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNREADABLE
    places = list(_places(decoded, 0))
    message, param = "", None
    for place in places:
        found, where = _reason(place)
        if found and not message:
            message, param = found, where
        blamed = place.get("param")
        if param is None and isinstance(blamed, str):
            param = blamed
    words = frozenset([word for place in places for word in _words(place)][:WORDS_MAX])
    return Report(words, message, param, readable=bool(message or words))


def _json_of(body: bytes) -> bytes:
    """The body; of an event stream the data of its first event that has some."""
    if not body.lstrip().startswith((b"data:", b"event:", b"id:", b":")):
        return body
    lines = (line.strip() for line in body.splitlines())
    return next((line[5:] for line in lines if line.startswith(b"data:")), b"")


def _places(value: object, depth: int) -> Iterator[dict[str, object]]:
    """The objects that may say something, outermost first."""
    if depth >= DEPTH_MAX:
        return
    if isinstance(value, list):
        for entry in value[:_LIST_MAX]:
            yield from _places(entry, depth + 1)
    elif isinstance(value, dict):
        yield value
        for name in _INNER_NAMES:
            inner = value.get(name)
            if isinstance(inner, str) and name == "error":
                yield {"message": inner}
            elif name == "errors" and isinstance(inner, list):
                yield from _places([{"message": one} if isinstance(one, str) else one for one in inner], depth + 1)
            elif isinstance(inner, dict | list):
                yield from _places(inner, depth + 1)


def _reason(place: dict[str, object]) -> tuple[str, str | None]:
    for name in _MESSAGE_NAMES:
        said = place.get(name)
        if isinstance(said, str) and said:
            return said, None
        if isinstance(said, list):
            reason, param = _validation(said)
            if reason:
                return reason, param
    return "", None


def _validation(faults: list[object]) -> tuple[str, str | None]:
    """As FastAPI lists what was wrong where."""
    found = [one for one in faults[:_LIST_MAX] if isinstance(one, dict) and isinstance(one.get("loc"), list)]
    places = [".".join(str(step) for step in one["loc"] if step != "body") for one in found]
    reasons = [f"{place}: {one.get('msg')}" for place, one in zip(places, found, strict=True)]
    return "; ".join(reasons), places[0] if places else None


def _words(place: dict[str, object]) -> Iterator[str]:
    for name in ("code", "type", "status", "reason"):
        word = place.get(name)
        if isinstance(word, str | int) and not isinstance(word, bool):
            yield str(word)[:64].lower()
