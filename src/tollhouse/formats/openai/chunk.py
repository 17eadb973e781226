"""One event of a chat or completions stream, decoded, and what it says: text, ends, usage, trouble.

Providers differ in what they leave out and in what they add, so nothing here relies on a member being there or being
of its usual type. Only what is no JSON object at all is refused.
"""

from typing import Final

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.figures import Report
from tollhouse.core.provider_json import Object as Object
from tollhouse.core.provider_json import decode as decode
from tollhouse.core.provider_json import decode_any as decode_any
from tollhouse.core.provider_json import encode as encode
from tollhouse.core.provider_json import finite as finite
from tollhouse.core.provider_json import members_of as members_of
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.sse import Event

DONE: Final = b"data: [DONE]\n\n"
_USUAL: Final = frozenset(
    ("id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint")
)
_DIGITS_MAX: Final = 6


def read(event: Event, known: Known = NOTHING_KNOWN) -> Object:
    """Decode an event. Raises UpstreamBroke for what is no JSON object, and the failure an error event stands for."""
    chunk = decode(event.data)
    error = error_in(chunk)
    if error is not None or event.name == b"error":
        raise failure_of(chunk if error is None else error, known)
    return chunk


def read_chunk(event: Event, known: Known = NOTHING_KNOWN) -> Object | None:
    """The same for chat and completions. None for an event that is no chunk and no error: a sign of life, or something
    of the vendor's own. Nobody has read what stands in it, so it goes on to nobody."""
    chunk = read(event, known)
    parts = chunk.get("choices")
    if isinstance(parts, list) and parts:
        for choice in parts:
            error = choice.get("error") if isinstance(choice, dict) else None
            if error:
                raise failure_of(error, known)
        return chunk
    if _USUAL.issuperset(chunk) and chunk.get("object") == "chat.completion.chunk":
        return chunk  # what reports usage at the end of nearly every stream
    error = error_in_event(chunk, event.name)
    if error is not None:
        raise failure_of(error, known)
    return chunk if isinstance(parts, list) or isinstance(chunk.get("usage"), dict) else None


def choices(chunk: Object) -> list[Object]:
    found = chunk.get("choices")
    return [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []


def index_of(piece: Object, place: int = 0) -> int:
    """Which choice, or call, a piece is about. place: where it stands in its list, which counts where no index does."""
    index = piece.get("index")
    if type(index) is int:
        return index
    if isinstance(index, str) and index.isascii() and index.isdigit() and len(index) <= _DIGITS_MAX:
        return int(index)
    return int(index) if isinstance(index, float) and index.is_integer() else place


def delta_of(choice: Object) -> Object:
    """What a choice adds; the text of a legacy completion counts as content."""
    for name in ("delta", "message"):  # some servers stream whole messages
        said = choice.get(name)
        if isinstance(said, dict):
            return said
    return {"content": choice.get("text")}


def bears_content(delta: Object) -> bool:
    """Whether a delta says more than whose turn it is."""
    return any(value and name != "role" for name, value in delta.items())


def arguments_of(function: Object) -> str:
    """Arguments of a call as text, also where a server sends them as an object."""
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else encode(arguments).decode()


def raw_report(reported: Report | None, odd: object) -> bytes | None:
    """What was reported as usage, or stood there and is none (`odd`), as the provider's own JSON."""
    raw = odd if reported is None else reported
    return None if raw is None else encode(raw)
