"""Embeddings of Gemini in core words, both ways."""

from typing import Final

from tollhouse.core.cleaning import Known
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.provider_json import Object, decode_any, encode
from tollhouse.core.vector_words import VectorsAsked, VectorsGiven, VectorWords
from tollhouse.core.words import AnswerContext
from tollhouse.formats.gemini import embeddings
from tollhouse.formats.gemini import usage as usages
from tollhouse.formats.gemini.contents import parts_of, text_under
from tollhouse.formats.gemini.spelling import under, unknown
from tollhouse.formats.gemini.words.media import is_medium
from tollhouse.formats.gemini.words.values import Place, body_of

_KNOWN: Final = frozenset(("content", "model", "outputDimensionality", "embedContentConfig"))


def read_request(request: ModelRequest) -> VectorsAsked:
    """Raises BadRequest, UnsupportedParameter; `param` names the member."""
    body = body_of(request)
    asked = VectorsAsked(texts=[])
    for one in body.objects("requests") or [body]:
        asked.texts.append(_text(asked, one))
        config = one.object("embedContentConfig") or Place({})  # the newer place of such members
        holder = config if config.has("outputDimensionality") else one
        dimensions = holder.integer("outputDimensionality")
        if len(asked.texts) > 1 and dimensions != asked.dimensions:
            path = holder.path("outputDimensionality")
            raise UnsupportedParameter(
                f"'{path}' differs from that of the first request: the provider of this model gives vectors of one "
                "length in one call.",
                param=path,
            )
        asked.dimensions = dimensions
        for name in unknown(one.value, _KNOWN):
            if one.has(name):
                note(asked, "other", one.path(name))
        for name in unknown(config.value, _KNOWN):
            if config.has(name):
                note(asked, "other", config.path(name))
    return asked


def _text(asked: VectorsAsked, one: Place) -> str:
    parts = parts_of(one.get("content"))
    if any(map(is_medium, parts)):
        note(asked, "images", one.path("content"))
    return "\n".join(text_under(part, "text") for part in parts if text_under(part, "text"))


def write_request(asked: VectorsAsked, model: str) -> bytes:
    beside: Object = {} if asked.dimensions is None else {"outputDimensionality": asked.dimensions}
    named = f"models/{model}"
    requests = [{"model": named, "content": {"parts": [{"text": text}]}, **beside} for text in asked.texts]
    return encode({"requests": requests})


def read_reply(body: bytes, known: Known) -> VectorsGiven:
    """See `core.vector_words.VectorWords`."""
    members, found = embeddings.vectors_in(body, known)
    report = under(members, "usageMetadata")
    return VectorsGiven(
        vectors=found,
        usage=None if report is None else usages.read(decode_any(bytes(report))),
        raw_usage=None if report is None else bytes(report),
    )


def write_reply(given: VectorsGiven, context: AnswerContext) -> bytes:
    body: Object = {"embeddings": [{"values": one} for one in given.vectors]}
    if given.usage is not None:
        body["usageMetadata"] = usages.write(given.usage)
    return encode(body)


WORDS: Final = VectorWords(
    title="Gemini's embeddings",
    says=frozenset(),
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
)
