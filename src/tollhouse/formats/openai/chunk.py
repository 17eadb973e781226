"""One event of a chat or completions stream, decoded, and what it says: text, ends, usage, trouble.

Providers differ in what they leave out and in what they add, so nothing here relies on a member being there or being
of its usual type. Only what is no JSON object at all is refused.
"""

import json
import math
from typing import Final

import msgspec

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.sse import Event
from tollhouse.formats.openai.reported import error_in, error_in_event, failure_of

Object = dict[str, object]
DONE: Final = b"data: [DONE]\n\n"
_USUAL: Final = frozenset(
    ("id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint")
)
_DIGITS_MAX: Final = 6

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


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


def decode(data: bytes) -> Object:
    """Decode a JSON object. Raises UpstreamBroke for anything else."""
    value = decode_any(data)
    if not isinstance(value, dict):
        raise UpstreamBroke("The provider sent an event that is no JSON object.")
    return value


def decode_any(data: bytes) -> object:
    """Decode whatever JSON has; a number too large for a float is infinite. Raises UpstreamBroke for no JSON."""
    try:
        if not data.isascii():
            data.decode()
        value: object = _decode(data)
    except UnicodeDecodeError:
        raise UpstreamBroke("The provider sent an event that is not UTF-8 text.") from None
    except (msgspec.DecodeError, RecursionError):
        value = _decode_with_half_pairs(data)
    return value


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


def members_of(data: bytes, chunk: Object) -> Object:
    """The top-level members of an event, raw where they can be, so that they are written as they came."""
    try:
        return dict(_members(data))
    except (msgspec.DecodeError, RecursionError):
        return chunk


def encode(value: object) -> bytes:
    try:
        return _encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can say it
        return json.dumps(finite(value), separators=(",", ":")).encode()


def finite(value: object) -> object:
    """JSON has no infinity: what was too large to read is null, as the quicker encoder has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [finite(one) for one in value]
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    return value


def _decode_with_half_pairs(data: bytes) -> object:
    """JSON as its grammar has it: half of a surrogate pair may stand alone where a server cut a character in two."""
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UpstreamBroke("The provider sent an event that is not JSON.") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)
