"""One event of a chat or completions stream, decoded, and what it says: text, ends, usage, trouble.

Providers differ in what they leave out and in what they add, so nothing here relies on a member being there or being
of its usual type. Only what is no JSON object at all is refused.
"""

import json
import math
from collections.abc import Iterator

import msgspec

from tollhouse.core.failure import UpstreamBroke, UpstreamError
from tollhouse.core.sse import Event
from tollhouse.protocols.openai.reported import error_in, failure_of

Object = dict[str, object]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_TEXT_MEMBERS = ("reasoning_content", "content", "refusal")  # in the order they are written


def read(event: Event) -> Object:
    """Decode an event. Raises UpstreamBroke for what is no JSON object, and the failure an error event stands for."""
    chunk = decode(event.data)
    error = error_in(chunk)
    if error is not None or event.name == b"error":
        raise failure_of(chunk if error is None else error)
    return chunk


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


def finish_of(choice: Object) -> str | None:
    """Why a choice ended; None while it goes on. Raises UpstreamError where it ended because of an error."""
    reason = choice.get("finish_reason")
    if not reason or not isinstance(reason, str):
        return None
    if reason == "error":
        raise UpstreamError("The provider ended its answer with an error.")
    return reason


def index_of(choice: Object) -> int:
    index = choice.get("index")
    return index if type(index) is int else 0


def delta_of(choice: Object) -> Object:
    """What a choice adds; the text of a legacy completion counts as content."""
    delta = choice.get("delta")
    if isinstance(delta, dict):
        return delta
    return {"content": choice.get("text")}


def bears_content(delta: Object) -> bool:
    """Whether a delta says more than whose turn it is."""
    return any(value and name != "role" for name, value in delta.items())


def text_of(delta: Object) -> str:
    """All text that a model had to write for a delta (or a whole message): words, reasoning, names and arguments."""
    content = delta.get("content")
    if len(delta) == 1 and isinstance(content, str):
        return content
    return "".join(_texts_of(delta))


def _texts_of(delta: Object) -> Iterator[str]:
    thought = delta.get("reasoning")
    if thought != delta.get("reasoning_content"):  # some servers say it by both names
        yield from _texts(thought)
    for name in _TEXT_MEMBERS:
        yield from _texts(delta.get(name))
    audio = delta.get("audio")
    if isinstance(audio, dict):
        yield from _texts(audio.get("transcript"))
    calls = delta.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    for function in (*functions, delta.get("function_call")):
        if isinstance(function, dict):
            yield from _texts(function.get("name"))
            yield arguments_of(function)


def sound_in(delta: Object) -> int:
    """Characters of sound in a delta (or a whole message), in base64."""
    audio = delta.get("audio")
    data = audio.get("data") if isinstance(audio, dict) else None
    return len(data) if isinstance(data, str) else 0


def pictures_in(delta: Object) -> int:
    """Pictures in a delta (or a whole message), as OpenRouter sends them."""
    images = delta.get("images")
    return len(images) if isinstance(images, list) else 0


def arguments_of(function: Object) -> str:
    """Arguments of a call as text, also where a server sends them as an object."""
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else encode(arguments).decode()


def usage_of(chunk: Object, choices: list[Object]) -> Object | None:
    """The usage a chunk reports, on itself or (Moonshot) on a choice; totals so far, never to be added up."""
    usage = chunk.get("usage")
    if isinstance(usage, dict) and usage:
        return usage
    for choice in choices:
        usage = choice.get("usage")
        if isinstance(usage, dict) and usage:
            return usage
    return None


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


def _texts(value: object) -> Iterator[str]:
    """A text, or the texts of a list of parts (Mistral)."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, dict):
                yield from _texts(part.get("text"))
                yield from _texts(part.get("thinking"))


def _decode_with_half_pairs(data: bytes) -> object:
    """JSON as its grammar has it: half of a surrogate pair may stand alone where a server cut a character in two."""
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UpstreamBroke("The provider sent an event that is not JSON.") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)
