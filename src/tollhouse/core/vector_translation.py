"""A call for vectors whose formats differ: see `core.translation`, which is the same for conversations."""

from functools import partial

from msgspec import structs

from tollhouse.core.cleaning import Known
from tollhouse.core.codec import Codec, ResponseSummary
from tollhouse.core.features import untold
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.translated_answer import read_written
from tollhouse.core.upstream import Buffer
from tollhouse.core.words import AnswerContext


def can_translate_vectors(asked: Codec, outbound: Codec) -> bool:
    return asked.vector_words is not None and outbound.vector_words is not None


def translated_vectors(asked: Codec, outbound: Codec, context: AnswerContext) -> Codec:
    """The codec of a call. asked: of the caller. outbound: of the provider."""
    return structs.replace(
        asked,
        write=partial(write_vectors, asked, outbound),
        read_response=partial(_read_response, asked, outbound, context),
    )


def write_vectors(
    asked: Codec,
    outbound: Codec,
    request: ModelRequest,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """See `core.codec.WriteRequest`. What the provider's format cannot say is noted in `request.untold`.

    Raises BadRequest, UnsupportedParameter.
    """
    assert asked.vector_words is not None
    assert outbound.vector_words is not None
    wanted = asked.vector_words.read_request(request)
    request.untold = untold(wanted, outbound.vector_words.says, outbound.vector_words.title)
    return [outbound.vector_words.write_request(wanted, model)]


def _read_response(asked: Codec, outbound: Codec, context: AnswerContext, body: bytes, known: Known) -> ResponseSummary:
    """See `core.translated_answer.read_translated`."""
    assert asked.vector_words is not None
    assert outbound.vector_words is not None
    given = outbound.vector_words.read_reply(body, known)
    return read_written(asked, asked.vector_words.write_reply(given, context), given, known)
