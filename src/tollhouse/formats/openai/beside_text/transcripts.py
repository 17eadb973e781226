"""Sounds written down (transcriptions), or said in English (translations).

An answer is JSON, or text as it stands (`text`, `srt`, `vtt`), or a stream of events. Models bill seconds, which they
report as a duration, or tokens; where nobody reports anything, the sound counts for its measured length.
"""

import math
from functools import partial
from typing import Final

import msgspec

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import BadRequest, UnsupportedParameter, UpstreamError
from tollhouse.core.form import FormFile, UploadedForm
from tollhouse.core.media_tokens import sound_tokens
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.multipart import read_form
from tollhouse.core.operation import Operation
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.sound_length import HEAD_BYTES, TAIL_BYTES, UNBOUNDED_SECONDS, SoundLength, sound_length
from tollhouse.core.usage import TOKENS_MAX, Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.beside import PASS, ExtraMembers
from tollhouse.formats.openai.beside_text.events import EventForm
from tollhouse.formats.openai.beside_text.forms import files_of, opened
from tollhouse.formats.openai.beside_text.reading import choice_of, flag_of, texts_in
from tollhouse.formats.openai.usage import read as read_usage
from tollhouse.formats.openai.usage import write_response

FORMATS: Final = ("", "json", "text", "srt", "vtt", "verbose_json", "diarized_json")
_IN_JSON: Final = ("", "json", "verbose_json", "diarized_json")
_TOKENS_A_SECOND_MAX: Final = 32
_BYTES_OF_A_TOKEN_MIN: Final = 12
_PLAIN: Final = b"text/plain; charset=utf-8"
_NO_TEXTS: Final = ("<!doctype", "<html", "null", "[")
_PASSES: Final = PASS | {
    *("text", "task", "language", "languages", "duration", "segments", "words", "logprobs", "x_groq"),
}


def read_sound(operation: Operation, form: UploadedForm) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter."""
    request, present = opened(operation, form)
    files_of(form, "file", 1)
    wanted = choice_of(present, "response_format")
    if wanted not in FORMATS:
        raise BadRequest(f"'response_format' must be one of {', '.join(FORMATS[1:])}.", param="response_format")
    streams = flag_of(present, "stream")
    if streams and wanted not in _IN_JSON:
        raise UnsupportedParameter(f"An answer as {wanted} is no stream: leave 'stream' out.", param="stream")
    request.stream = streams and operation == "transcriptions"
    return request


def read(operation: Operation, body: bytes) -> ModelRequest:
    """Of a form in memory."""
    request = read_sound(operation, read_form(body))
    request.length = len(body)
    return request


def input_bounds(request: ModelRequest) -> InputBounds:
    """Reads the ends of the file: work for a thread."""
    form = request.form
    assert form is not None
    (file,) = form.files
    length = _length(form, file)
    tokens = file.size // _BYTES_OF_A_TOKEN_MIN + 1
    if length.maximum < UNBOUNDED_SECONDS:
        tokens = min(tokens, length.maximum * _TOKENS_A_SECOND_MAX)
    return InputBounds(
        form.size(),
        parts=1,
        media=tokens,
        has_remote_input=request.reads_more,
        audio_tokens=min(tokens, sound_tokens(file.size * 4 // 3)),
        units=Usage(requests=1, seconds=length.maximum),
        known_units=Usage(requests=1, seconds=length.measured),
    )


def _length(form: UploadedForm, file: FormFile) -> SoundLength:
    head = form.spool.read(file.at, min(HEAD_BYTES, file.size))
    begin = max(0, file.size - TAIL_BYTES)
    return sound_length(head, form.spool.read(file.at + begin, file.size - begin), file.size)


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    return Prompt(texts_in(request, ("prompt",)), 0)


def read_response(body: bytes, known: Known = NOTHING_KNOWN) -> ResponseSummary:
    """Raises UpstreamError for what is no transcript, and the failure that an error stands for."""
    if not body.lstrip().startswith(b"{"):
        return _read_text(body)
    answer = _decoded(body)
    error = error_in(answer)
    if error is None and not isinstance(answer.get("text"), str):
        error = error_in_event(answer, b"")
        if error is None:
            raise UpstreamError("The provider answered without 'text'.")
    if error is not None:
        raise failure_of(error, known)
    reported = answer.get("usage")
    usage = read_usage(reported)
    if usage is None:
        usage = _duration(answer)
    told = reported if reported is not None else {"duration": answer["duration"]} if usage is not None else None
    return ResponseSummary(
        usage=usage,
        raw_usage=None if told is None else chunks.encode(told),
        beside=not _PASSES.issuperset(answer),
    )


def _read_text(body: bytes) -> ResponseSummary:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise UpstreamError("The provider answered with something that is no text.") from None
    if not body or text.lstrip().lower().startswith(_NO_TEXTS):
        raise UpstreamError("The provider answered with something that is no transcript.")
    return ResponseSummary(usage=None, raw_usage=None, content_type=_PLAIN)


def _decoded(body: bytes) -> chunks.Object:
    try:
        return chunks.decode(body)
    except UpstreamError:
        raise UpstreamError("The provider answered with something that is not a JSON object.") from None


def _duration(answer: chunks.Object) -> Usage | None:
    """Seconds as a whisper tells them; one that has begun counts."""
    seconds = answer.get("duration")
    if isinstance(seconds, str):
        try:
            seconds = float(seconds)
        except ValueError:
            return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= TOKENS_MAX:
        return None
    return Usage(seconds=math.ceil(seconds))


def fit(body: bytes, known: Known) -> bytes:
    return ExtraMembers(known, _PASSES).fit(_decoded(body), body)


def response_text(body: bytes) -> tuple[str, Usage]:
    if not body.lstrip().startswith(b"{"):
        return body.decode(errors="replace"), Usage()
    text = _decoded(body).get("text")
    return text if isinstance(text, str) else "", Usage()


def with_usage(body: bytes, usage: Usage) -> bytes:
    """The body with what was charged for, where it reports something."""
    if not body.lstrip().startswith(b"{"):
        return body
    answer = _decoded(body)
    if "usage" not in answer:
        return body
    told: chunks.Object = {"type": "duration", "seconds": usage.seconds}
    if usage.tokens_in() or usage.tokens_out():
        told = {"type": "tokens", **write_response(usage)}
    return chunks.encode({**answer, "usage": told})


def _weigh(event: chunks.Object) -> Usage:
    return Usage()


def _text(event: chunks.Object) -> str:
    text = event.get("delta", event.get("text"))
    return text if isinstance(text, str) and event.get("type") != "transcript.text.segment" else ""


def _whole(ended: list[chunks.Object]) -> bytes:
    return chunks.encode({name: value for name, value in ended[-1].items() if name != "type"})


FORM: Final = EventForm(
    prefixes=("transcript.text.",),
    ends=("transcript.text.done",),
    writes="text",
    weigh=_weigh,
    text=_text,
    whole=_whole,
)


def unfold(body: bytes) -> bytes:
    """The events of a body that `read_response` accepted."""
    answer: chunks.Object = {"text": body.decode(errors="replace")}
    if body.lstrip().startswith(b"{"):
        answer = _decoded(body)
    kept: chunks.Object = {name: answer[name] for name in ("text", "usage", "logprobs", "languages") if name in answer}
    if "usage" not in kept and (length := _duration(answer)) is not None:
        kept["usage"] = {"type": "duration", "seconds": length.seconds}
    events: list[chunks.Object] = [
        {"type": "transcript.text.delta", "delta": answer["text"]},
        {"type": "transcript.text.done", **kept},
    ]
    return b"".join(b"data: " + msgspec.json.encode(one) + b"\n\n" for one in events)


read_transcription = partial(read, "transcriptions")
read_translation = partial(read, "translations")
