"""Embeddings in core words, both ways."""

from typing import Final

from msgspec import Raw
from msgspec.json import Decoder

from tollhouse.core.cleaning import Known
from tollhouse.core.failure import UpstreamError
from tollhouse.core.features import note
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.vector_words import VectorsAsked, VectorsGiven, VectorWords
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai import answer as answers
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai import vectors
from tollhouse.formats.openai.usage import write_vectors
from tollhouse.formats.openai.words.members import asks, decode, integer

Object = dict[str, object]

_KNOWN: Final = frozenset(("model", "input", "encoding_format", "dimensions", "user", "stream", "stream_options"))
_members = Decoder(dict[str, Raw]).decode
_list = Decoder(list[dict[str, Raw]]).decode
_index = Decoder(int).decode


def read_request(request: ModelRequest) -> VectorsAsked:
    """Raises BadRequest; `param` names the member."""
    value = decode(request, "input")
    asked = VectorsAsked(texts=[], dimensions=integer(decode(request, "dimensions"), "dimensions"))
    many = isinstance(value, list) and any(isinstance(one, str | list | dict) for one in value)
    for one in value if many else [value]:
        if isinstance(one, str):
            asked.texts.append(one)
        else:
            note(asked, "images" if isinstance(one, dict) else "token_prompts", "input")
            break
    user = decode(request, "user")
    if isinstance(user, str) and user:
        note(asked, "user", "user")
        asked.user = user
    for name in request.members:
        if name not in _KNOWN and asks(decode(request, name)):
            note(asked, "metadata" if name == "metadata" else "other", name)
    return asked


def write_request(asked: VectorsAsked, model: str) -> bytes:
    body: Object = {"model": model, "input": asked.texts[0] if len(asked.texts) == 1 else asked.texts}
    if asked.dimensions is not None:
        body["dimensions"] = asked.dimensions
    if asked.user:
        body["user"] = asked.user
    return chunks.encode(body)


def read_reply(body: bytes, known: Known) -> VectorsGiven:
    """See `core.vector_words.VectorWords`."""
    summary = answers.read("embeddings", body, known)
    members = _members(vectors.encoded(summary.mended or body, "float"))
    try:
        entries = _list(members["data"])
        order = [_index(entry["index"]) if "index" in entry else place for place, entry in enumerate(entries)]
        found = [entries[at]["embedding"] for at in sorted(range(len(entries)), key=order.__getitem__)]
    except (ValueError, KeyError):
        raise UpstreamError("The provider answered with something that is no list of vectors.") from None
    if any(bytes(memoryview(one)[:1]) != b"[" for one in found):
        raise UpstreamError("The provider answered with something that is no list of vectors.")
    model = chunks.decode_any(bytes(members["model"])) if "model" in members else ""
    return VectorsGiven(
        vectors=found,
        model=model if isinstance(model, str) else "",
        usage=summary.usage,
        raw_usage=summary.raw_usage,
    )


def write_reply(given: VectorsGiven, context: AnswerContext) -> bytes:
    data = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(given.vectors)]
    body: Object = {"object": "list", "data": data, "model": given.model or context.request.model}
    if given.usage is not None:
        body["usage"] = write_vectors(given.usage)
    return chunks.encode(body)


WORDS: Final = VectorWords(
    title="OpenAI's embeddings",
    says=frozenset(("user",)),
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
)
