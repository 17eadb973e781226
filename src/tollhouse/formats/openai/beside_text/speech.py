"""Texts spoken: the request, and the events of an answer that is asked for as events."""

from typing import Final

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import BadRequest, Failure, UpstreamError
from tollhouse.core.media_tokens import sound_tokens
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.raw_members import decoded
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.beside_text.events import EventForm
from tollhouse.formats.openai.beside_text.reading import AFFINITY_BYTES, choice_of, opened, text_of, texts_in

TYPES: Final = {
    "": b"audio/mpeg",
    "mp3": b"audio/mpeg",
    "opus": b"audio/ogg",
    "aac": b"audio/aac",
    "flac": b"audio/flac",
    "wav": b"audio/wav",
    "pcm": b"audio/pcm",
}
"""Of the formats in which sound is asked for; another is the provider's to know."""
_BYTES: Final = b"application/octet-stream"
_SOUND: Final = (b"audio/", _BYTES, b"binary/octet-stream", b"application/ogg", b"video/")
_TYPE_CHARACTERS_MAX: Final = 100


def read(body: bytes) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter."""
    request, present = opened("speech", body)
    text_of(present, "input")
    choice_of(present, "response_format")
    wanted = choice_of(present, "stream_format")
    if wanted not in ("", "audio", "sse"):
        raise BadRequest("'stream_format' must be 'audio' or 'sse'.", param="stream_format")
    request.as_events = wanted == "sse"
    request.stream = True  # the answer leaves as it comes
    request.affinity = bytes(memoryview(present["input"])[:AFFINITY_BYTES])
    return request


def input_bounds(request: ModelRequest) -> InputBounds:
    text = decoded(request.members["input"], str) or ""
    units = Usage(requests=1, characters=len(text))
    return InputBounds(request.length, has_remote_input=request.reads_more, units=units, known_units=units)


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    return Prompt(texts_in(request, ("input", "instructions")), 0)


def content_type(told: bytes, request: ModelRequest) -> bytes | None:
    """See `core.codec.BytesCodec`. Raises UpstreamError where events were asked for, and sound came."""
    kind = told.partition(b";")[0].strip()
    if kind and not kind.startswith(_SOUND):
        return None
    if request.as_events:
        raise UpstreamError("The provider answered with sound where events were asked for.")
    if kind.startswith(b"audio/") and len(told) <= _TYPE_CHARACTERS_MAX:
        return told
    wanted = decoded(request.members.get("response_format", b'""'), str)  # type: ignore[arg-type]
    return TYPES.get((wanted or "").casefold(), _BYTES)


def read_response(body: bytes, known: Known = NOTHING_KNOWN) -> ResponseSummary:
    """What is no sound: raises the failure that it stands for, else UpstreamError."""
    try:
        answer = chunks.decode(body)
    except UpstreamError:
        raise UpstreamError("The provider answered with something that is no sound.") from None
    error = error_in(answer) or error_in_event(answer, b"")
    raise failure_of(error, known) if error else UpstreamError("The provider answered with JSON instead of sound.")


def unfold(body: bytes) -> bytes:
    """No body of text is a spoken one; `read_response` has refused it before."""
    raise UpstreamError("The provider answered with text instead of sound.")


def fit(body: bytes, known: Known) -> bytes:
    return body


def response_text(body: bytes) -> tuple[str, Usage]:
    return "", Usage()


def with_usage(body: bytes, usage: Usage) -> bytes:
    return body


def no_event(failure: Failure, request_id: str, sequence_number: int) -> bytes:
    """Within sound nothing can be said: the body has no end, and that says it."""
    return b""


def _weigh(event: chunks.Object) -> Usage:
    sound = event.get("audio")
    return Usage(audio_out=sound_tokens(len(sound))) if isinstance(sound, str) and sound else Usage()


def _text(event: chunks.Object) -> str:
    return ""


def _whole(ended: list[chunks.Object]) -> bytes:
    raise UpstreamError("An answer of speech is a stream.")


FORM: Final = EventForm(
    prefixes=("speech.",), ends=("speech.audio.done",), writes="audio", weigh=_weigh, text=_text, whole=_whole
)
