"""Embeddings of Gemini: `embedContent` asks for one vector, `batchEmbedContents` for several.

A provider is asked for several always; who asked for one gets it alone (`VECTORS`).
"""

from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core import half_pairs
from tollhouse.core.cleaning import Known
from tollhouse.core.codec import ResponseSummary, VectorCodec
from tollhouse.core.failure import BadRequest, UpstreamError
from tollhouse.core.members import Members
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt, VectorEncoding
from tollhouse.core.provider_json import decode_any, encode
from tollhouse.core.raw_members import UNREAD, decoded
from tollhouse.core.reported_error import error_in, failure_of
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini import usage as usages
from tollhouse.formats.gemini.contents import parts_of, text_under
from tollhouse.formats.gemini.input_bounds import bounds_of
from tollhouse.formats.gemini.request import AFFINITY_BYTES
from tollhouse.formats.gemini.spelling import snake, under, unknown

BODY: Final = frozenset(
    ("requests", "content", "model", "taskType", "title", "outputDimensionality", "embedContentConfig")
)
_OF_ONE: Final = BODY - {"requests"}
_PASS: Final = frozenset(("embeddings", "embedding", "usageMetadata", "truncated"))
_members = msgspec.json.Decoder(Members).decode
_NO_VECTORS: Final = "The provider answered with something that is no list of vectors."


def read(body: bytes) -> ModelRequest:
    """Raises BadRequest; `param` names the member to blame."""
    members, has_halves = half_pairs.read_members(body)
    request = ModelRequest(operation="embeddings", members=members, model="", length=len(body))
    request.has_halves = has_halves
    asked = requests_of(request)
    named = decoded(model, str) if (model := asked[0].get("model")) is not None else None
    request.model = (named or "").removeprefix("models/")
    request.prompts = len(asked)
    request.vectors = "other" if "requests" in members else "alone"
    request.affinity = bytes(memoryview(asked[0]["content"])[:AFFINITY_BYTES])
    request.reads_more = any(unknown(one, _OF_ONE) for one in asked) or bool(unknown(members, BODY))
    return request


def requests_of(request: ModelRequest) -> list[Members]:
    """What is asked for, one text each. Raises BadRequest where there is none."""
    members = request.members
    if "requests" not in members:
        if "content" not in members:
            raise BadRequest("Missing required parameter: 'content', or 'requests'.", param="content")
        return [members]
    asked = decoded(members["requests"], list[Members])
    if not asked:
        raise BadRequest("'requests' must be an array of requests, and not empty.", param="requests")
    for at, one in enumerate(asked):
        if "content" not in one:
            raise BadRequest(f"Missing required parameter: 'requests[{at}].content'.", param=f"requests[{at}].content")
    return asked


def write(
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
    """The body for a provider, which wants the model named in each request."""
    named = Raw(encode(f"models/{model}"))
    asked = [{**one, "model": named} for one in requests_of(request)]
    body = encode({"requests": asked})
    return [half_pairs.restore(body) if request.has_halves else body]


def input_bounds(request: ModelRequest) -> InputBounds:
    return bounds_of(request, [one["content"] for one in requests_of(request)])


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    """The texts alone: there are no roles, and many of them are short."""
    contents = [decoded(one["content"], object) for one in requests_of(request)]
    texts = [text_under(part, "text") for content in contents for part in parts_of(content)]
    return Prompt("\n".join(texts), 0)


def read_response(body: bytes, known: Known) -> ResponseSummary:
    """See `core.codec.Codec.read_response`."""
    members, _ = vectors_in(body, known)
    report = under(members, "usageMetadata")
    return ResponseSummary(
        usage=None if report is None else usages.read(decode_any(bytes(report))),
        raw_usage=None if report is None else bytes(report),
        beside=bool(unknown(members, _PASS)),
        finish=None,
        incomplete=False,
    )


def vectors_in(body: bytes, known: Known) -> tuple[Members, list[Raw]]:
    """The members of an answer, and its vectors as they came. Raises UpstreamError where it has none, and the failure
    of an error."""
    try:
        if not body.isascii():
            body.decode()
        members = _members(body)
    except (*UNREAD, UnicodeDecodeError):
        raise UpstreamError("The provider answered with something that is not a JSON object.") from None
    if "error" in members:
        error = error_in({"error": decode_any(bytes(members["error"]))})
        if error is not None:
            raise failure_of(error, known)
    alone, several = members.get("embedding"), members.get("embeddings")
    entries = decoded(several, list[Members]) if several is not None else None
    if entries is None and alone is not None:
        one = decoded(alone, Members)
        entries = [one] if one is not None else None
    if not entries or any(bytes(memoryview(one.get("values", b""))[:1]) != b"[" for one in entries):
        raise UpstreamError(_NO_VECTORS)
    return members, [one["values"] for one in entries]


def response_text(body: bytes) -> tuple[str, Usage]:
    return "", Usage()


def with_usage(body: bytes, used: Usage) -> bytes:
    rest = {name: value for name, value in _members(body).items() if name != snake("usageMetadata")}
    return encode({**rest, "usageMetadata": usages.write(used)})


def fit(body: bytes, known: Known) -> bytes:
    members = _members(body)
    strange = unknown(members, _PASS)
    return encode({name: value for name, value in members.items() if name not in strange})


def _differs(body: bytes, encoding: VectorEncoding) -> bool:
    return encoding == "alone" and b'"embeddings"' in body


def _alone(body: bytes, encoding: VectorEncoding) -> bytes:
    """The body with the one vector that was asked for, in its own place."""
    members = _members(body)
    several = members.pop("embeddings", None)
    entries = decoded(several, list[Raw]) if several is not None else None
    return encode({"embedding": entries[0], **members}) if entries else body


VECTORS: Final = VectorCodec(differs=_differs, encoded=_alone)
