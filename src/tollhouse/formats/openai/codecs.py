"""The codecs of the OpenAI format: of text, and of what is beside text."""

from functools import partial
from typing import Final

from tollhouse.core.codec import Codec, StreamCodec, VectorCodec
from tollhouse.core.failure import Failure
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.core.quoted import stands_in
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answer, failure, request, vectors
from tollhouse.formats.openai.aggregate import Aggregate
from tollhouse.formats.openai.beside_text import operations as beside_text
from tollhouse.formats.openai.cutting import cut_answer
from tollhouse.formats.openai.input_bounds import input_bounds
from tollhouse.formats.openai.prompt import prompt_of
from tollhouse.formats.openai.stream import open_stream
from tollhouse.formats.openai.unfold import unfold
from tollhouse.formats.openai.words import vectors as vector_words
from tollhouse.formats.openai.words.by_operation import WORDS


def _response_text(operation: Operation, body: bytes) -> tuple[str, Usage]:
    return answer.text(operation, body), answer.media(body)


def _error_event(broken: Failure, request_id: str, sequence_number: int) -> bytes:
    """Chat and completions do not number their events."""
    return failure.event(broken, request_id)


def _codec(operation: Operation) -> Codec:
    """What the operations of this format share."""
    streams = StreamCodec(
        relay=partial(open_stream, operation),
        gather=partial(Aggregate, operation),
        unfold=partial(unfold, operation),
        error_event=failure.responses_event if operation == "responses" else _error_event,
    )
    return Codec(
        format="openai",
        operation=operation,
        wire=WIRE_FORMATS[operation],
        generates=operation in ("chat", "completions", "responses"),
        read=partial(request.read, operation),
        input_bounds=input_bounds,
        prompt_of=prompt_of,
        stands_in=stands_in,
        write=request.write,
        read_response=partial(answer.read, operation),
        response_text=partial(_response_text, operation),
        with_usage=partial(answer.with_usage, operation),
        fit=partial(answer.fitted, operation),
        error_status=failure.status,
        error_body=failure.body,
        cut=partial(cut_answer, operation),
        streams=streams,  # of each operation: some providers answer whatever was asked with events
        text_starts=answer.heads if operation == "completions" else None,
        vectors=VectorCodec(differs=vectors.differs, encoded=vectors.encoded) if operation == "embeddings" else None,
        words=WORDS.get(operation),
        vector_words=vector_words.WORDS if operation == "embeddings" else None,
    )


_TEXT: Final[tuple[Operation, ...]] = ("chat", "completions", "responses", "embeddings", "moderations")
CODECS: Final = (*map(_codec, _TEXT), *beside_text.CODECS)
