"""Documents ranked by how well they answer a query, as Jina, Cohere, Voyage and vLLM serve it.

Nobody owns this format: a request has `model`, `query`, `documents`, `top_n` and `return_documents`, an answer
`results` with `index` and `relevance_score`. Answers are written in one form whoever gave them: best first, with
`usage`. Vendors bill tokens, of which each document reads the query anew, or search units: one for each hundred
documents, of which a long one counts as several. A search unit is a request in our buckets.
"""

from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import BadRequest, UpstreamError
from tollhouse.core.figures import Report, Unbelievable, figure, within
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.raw_members import decoded, integer, missing
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.usage import TOKENS_MAX, Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.beside_text.reading import AFFINITY_BYTES, flag_of, opened, texts_in
from tollhouse.formats.openai.usage import read as read_usage

DOCUMENTS_OF_A_UNIT: Final = 100
BYTES_OF_A_CHUNK: Final = 500
"""A document of more than 500 tokens counts as several, and no token is less than a byte."""
_OBJECT: Final = b"{"
_TEXT_ALONE: Final = frozenset(("text", "id", "title"))


def read(body: bytes) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter."""
    request, present = opened("rerank", body)
    for name in ("query", "documents"):
        if name not in present:
            raise missing(name)
    if not _is_text_or_object(present["query"]):
        raise BadRequest("'query' must be a string.", param="query")
    documents = decoded(present["documents"], list[Raw])
    if documents is None:
        raise BadRequest("'documents' must be an array of strings or objects.", param="documents")
    if not documents:
        raise BadRequest("'documents' must not be empty.", param="documents")
    for place, one in enumerate(documents):
        if not _is_text_or_object(one):
            raise BadRequest(f"'documents[{place}]' must be a string or an object.", param=f"documents[{place}]")
    for name in ("top_n", "top_k"):
        if name in present:
            integer(present[name], name)
    flag_of(present, "return_documents")
    request.prompts = len(documents)
    request.affinity = bytes(memoryview(present["query"])[:AFFINITY_BYTES])
    return request


def input_bounds(request: ModelRequest) -> InputBounds:
    """Each document is read with the query. Objects that are more than a text may be, or name, pictures."""
    query, documents = request.members["query"], decoded(request.members["documents"], list[Raw]) or []
    size = request.length + (len(documents) - 1) * len(query)
    remote = request.reads_more or not all(map(_is_plain, (query, *documents)))
    chunks_at_most = sum(-(-(len(one) + len(query)) // BYTES_OF_A_CHUNK) for one in documents)
    units = -(-chunks_at_most // DOCUMENTS_OF_A_UNIT)
    return InputBounds(
        size,
        has_remote_input=remote,
        units=Usage(requests=units),
        known_units=Usage(requests=-(-len(documents) // DOCUMENTS_OF_A_UNIT)),
    )


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    """The query once, as what nobody reported is counted in the caller's favour."""
    return Prompt(texts_in(request, ("query", "documents")), 0)


def read_response(body: bytes, known: Known = NOTHING_KNOWN) -> ResponseSummary:
    """Raises UpstreamError for what is no ranking, and the failure that an error stands for."""
    answer = _decoded(body)
    _results(answer, known)
    report, units = _reported(answer)
    usage = read_usage(report, "nothing") if report else None
    if units:
        usage = msgspec.structs.replace(usage or Usage(), requests=units)
    raw = chunks.encode({**report, "search_units": units} if units else report) if report or units else None
    return ResponseSummary(usage=usage, raw_usage=raw, beside=True)


def fit(body: bytes, known: Known) -> bytes:
    """The answer in the one form, best first."""
    answer = _decoded(body)
    results = [_result(place, one) for place, one in enumerate(_results(answer, known))]
    results.sort(key=_score, reverse=True)
    report, units = _reported(answer)
    usage = read_usage(report, "nothing") or Usage()
    told: chunks.Object = dict(within(answer, "usage"))
    told |= _told(usage if not units else msgspec.structs.replace(usage, requests=units))
    kept: chunks.Object = {name: answer[name] for name in ("id", "object", "model") if name in answer}
    return chunks.encode({**kept, "results": results, "usage": told})


def with_usage(body: bytes, usage: Usage) -> bytes:
    """The body with what was charged for."""
    answer = _decoded(body)
    answer.pop("meta", None)
    return chunks.encode({**answer, "usage": _told(usage)})


def response_text(body: bytes) -> tuple[str, Usage]:
    """A ranking writes no text."""
    return "", Usage()


def _told(usage: Usage) -> chunks.Object:
    told: chunks.Object = {"prompt_tokens": usage.tokens_in(), "total_tokens": usage.tokens_in()}
    return {**told, "search_units": usage.requests} if usage.requests else told


def _decoded(body: bytes) -> chunks.Object:
    try:
        return chunks.decode(body)
    except UpstreamError:
        raise UpstreamError("The provider answered with something that is not a JSON object.") from None


def _results(answer: chunks.Object, known: Known) -> list[object]:
    """Voyage calls them `data`."""
    error = error_in(answer)
    if error is not None:
        raise failure_of(error, known)
    found = answer.get("results", answer.get("data"))
    if not isinstance(found, list) or not found:
        error = error_in_event(answer, b"")
        if error is not None:
            raise failure_of(error, known)
        raise UpstreamError("The provider answered without 'results'.")
    return found


def _result(place: int, one: object) -> chunks.Object:
    if not isinstance(one, dict):
        raise UpstreamError("The provider answered with a result that is no object.")
    score = one.get("relevance_score", one.get("score"))
    return {**one, "index": chunks.index_of(one, place), "relevance_score": score}


def _score(one: chunks.Object) -> float:
    score = one["relevance_score"]
    return float(score) if isinstance(score, int | float) else float("-inf")


def _reported(answer: chunks.Object) -> tuple[Report, int]:
    """Tokens as a report of them, and search units; Cohere tells both in `meta`."""
    usage, meta = within(answer, "usage"), within(answer, "meta")
    billed = within(meta, "billed_units")
    try:
        units = figure(billed, "search_units") or figure(usage, "search_units") or 0
    except Unbelievable:
        units = 0
    if any(name in usage for name in ("prompt_tokens", "total_tokens", "input_tokens")):
        return usage, units
    tokens = within(meta, "tokens") or billed
    return ({"input_tokens": tokens["input_tokens"]} if "input_tokens" in tokens else {}), min(units, TOKENS_MAX)


def _is_text_or_object(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) in (b'"', _OBJECT)


def _is_plain(raw: Raw) -> bool:
    """Whether it is a text, or an object that holds one and nothing of size elsewhere."""
    if bytes(memoryview(raw)[:1]) != _OBJECT:
        return True
    members = decoded(raw, dict[str, object]) or {}
    return _TEXT_ALONE.issuperset(members) and isinstance(members.get("text"), str)
