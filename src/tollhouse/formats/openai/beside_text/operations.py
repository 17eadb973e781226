"""The codecs of these operations."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tollhouse.core.codec import BytesCodec, Codec, FormCodec, StreamCodec
from tollhouse.core.failure import Failure
from tollhouse.core.form import UploadedForm
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.core.quoted import stands_in
from tollhouse.formats.openai import failure
from tollhouse.formats.openai.beside_text import edits, forms, images, rerank, speech, transcripts
from tollhouse.formats.openai.beside_text.events import gather, relay
from tollhouse.formats.openai.beside_text.reading import write
from tollhouse.formats.openai.beside_text.sound_bytes import BytesRelay


def _error_event(broken: Failure, request_id: str, sequence_number: int) -> bytes:
    return failure.event(broken, request_id)


def _codec(operation: Operation, module: Any, *, streams: StreamCodec | None = None, **more: Any) -> Codec:
    """What they share. module: has the functions that differ, by the names of the port."""
    return Codec(
        format="openai",
        operation=operation,
        wire=WIRE_FORMATS[operation],
        takes_cap=False,
        prompt_of=module.prompt_of,
        stands_in=stands_in,
        read_response=module.read_response,
        response_text=module.response_text,
        with_usage=module.with_usage,
        fit=module.fit,
        error_status=failure.status,
        error_body=failure.body,
        streams=streams,
        **{"read": module.read, "write": write, "input_bounds": module.input_bounds, "generates": False, **more},
    )


def _pictures(kind: str) -> StreamCodec:
    form = images.form(kind)
    return StreamCodec(
        relay=partial(relay, form),
        gather=partial(gather, form),
        unfold=partial(images.unfold, kind),
        error_event=_error_event,
        keepalive=b": still drawing\n\n",
    )


_SPOKEN: Final = StreamCodec(
    relay=partial(relay, speech.FORM),
    gather=partial(gather, speech.FORM),
    unfold=speech.unfold,
    error_event=_error_event,
)
_SOUND: Final = StreamCodec(
    relay=_SPOKEN.relay, gather=_SPOKEN.gather, unfold=speech.unfold, error_event=speech.no_event, keepalive=b""
)

_WRITTEN_DOWN: Final = StreamCodec(
    relay=partial(relay, transcripts.FORM),
    gather=partial(gather, transcripts.FORM),
    unfold=transcripts.unfold,
    error_event=_error_event,
)


def _edits(
    operation: Operation, read: Callable[[bytes], ModelRequest], form: Callable[[UploadedForm], ModelRequest]
) -> Codec:
    return _codec(
        operation,
        images,
        streams=_pictures("image_edit") if operation == "image_edits" else None,
        draws=True,
        read=read,
        write=forms.write,
        input_bounds=edits.input_bounds,
        form=FormCodec(read=form, write=forms.write_form),
    )


def _transcripts(operation: Operation, read: Callable[[bytes], ModelRequest]) -> Codec:
    return _codec(
        operation,
        transcripts,
        streams=_WRITTEN_DOWN if operation == "transcriptions" else None,
        generates=True,
        read=read,
        write=forms.write,
        form=FormCodec(read=partial(transcripts.read_sound, operation), write=forms.write_form),
    )


CODECS: Final = (
    _codec("rerank", rerank),
    _codec("images", images, streams=_pictures("image_generation"), draws=True, write=partial(write, streams=True)),
    _codec(
        "speech",
        speech,
        streams=_SPOKEN,
        draws=True,
        in_bytes=BytesCodec(relay=BytesRelay, content_type=speech.content_type, streams=_SOUND),
    ),
    _edits("image_edits", edits.read_edits, edits.read_edit),
    _edits("image_variations", edits.read_variations, edits.read_variation),
    _transcripts("transcriptions", transcripts.read_transcription),
    _transcripts("translations", transcripts.read_translation),
)
