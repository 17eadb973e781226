"""Requests of `generateContent` and `streamGenerateContent`: read as far as the gateway needs, written for a provider.

Top-level members stay the bytes they came in. The model, and whether a stream is asked for, stand in the path.
"""

from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from tollhouse.core import half_pairs
from tollhouse.core.body_pieces import in_pieces
from tollhouse.core.failure import BadRequest
from tollhouse.core.members import Members
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.raw_members import decoded, integer
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import TOKENS_MAX
from tollhouse.core.workers import APART_BYTES
from tollhouse.formats.gemini.foreign_signatures import MARK, without_foreign_signatures
from tollhouse.formats.gemini.hosted_tools import hosted_tools
from tollhouse.formats.gemini.parameters import (
    BODY,
    CHOOSES_MODELS,
    CONFIG,
    METADATA_MAX,
    PLAIN_TIERS,
    THINKING,
    WITHIN_THE_CAP,
)
from tollhouse.formats.gemini.spelling import require_plain, spelled, under, unknown

AFFINITY_BYTES: Final = 1024

_COUNTED: Final = BODY | {"generateContentRequest"}
_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


def read(body: bytes) -> ModelRequest:
    """Raises BadRequest; `param` names the member to blame. `model` is what the body says, if it does."""
    members, has_halves = half_pairs.read_members(body)
    require_plain(members, BODY)
    named = under(members, "model")
    model = decoded(named, str) if named is not None else None
    request = ModelRequest(
        operation="chat", members=members, model=(model or "").removeprefix("models/"), length=len(body)
    )
    request.has_halves = has_halves
    request.may_have_foreign = MARK in body
    request.wants_usage = True  # each event tells it
    contents = under(members, "contents")
    if contents is None or _is(contents, b"null"):
        raise BadRequest("Missing required parameter: 'contents'.", param="contents")
    if bytes(memoryview(contents)[:1]) not in (b"[", b"{", b'"'):
        raise BadRequest("'contents' must be an array of contents.", param="contents")
    system = under(members, "systemInstruction")
    start = bytes(memoryview(system)[:AFFINITY_BYTES]) if system is not None else b""
    request.affinity = (start + bytes(memoryview(contents)[:AFFINITY_BYTES]))[:AFFINITY_BYTES]
    beyond = [name for name in unknown(members, BODY) if not _is(members[name], b"null")]
    request.reads_more = request.thinks_beside = bool(beyond)
    request.hosted = tuple(hosted_tools(members))
    _read_config(request, members)
    _read_tier(request, members)
    _read_labels(request, members)
    return request


def read_counted(body: bytes) -> ModelRequest:
    """The body of `countTokens`: what is to be counted, or a whole request within `generateContentRequest`."""
    members, _ = half_pairs.read_members(body)
    require_plain(members, _COUNTED)
    whole = under(members, "generateContentRequest")
    return read(body if whole is None or _is(whole, b"null") else bytes(whole))


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
    """The body for a provider: every member as it came, but for the model, which stands in the path, and an added cap
    (tokens)."""
    members = {name: raw for name, raw in request.members.items() if name != "model"}
    if added_cap is not None and request.output_cap is None:
        name = spelled(members, "generationConfig")
        config = decoded(members[name], dict[str, Raw]) if name in members else None
        members[name] = Raw(_encode({**(config or {}), "maxOutputTokens": added_cap}))
    if request.may_have_foreign:
        members = without_foreign_signatures(members)
    members = half_pairs.restore_members(members) if request.has_halves else members
    return [_encode(members)] if request.length <= APART_BYTES else list(in_pieces(members))


def _read_config(request: ModelRequest, members: Members) -> None:
    raw = under(members, "generationConfig")
    if raw is None or _is(raw, b"null"):
        return
    where = spelled(members, "generationConfig")
    config = decoded(raw, dict[str, Raw])
    if config is None:
        raise BadRequest(f"'{where}' must be an object.", param=where)
    config = {name: one for name, one in config.items() if not _is(one, b"null")}
    require_plain(config, CONFIG, f"{where}.")
    request.thinks_beside = request.thinks_beside or bool(unknown(config, CONFIG))
    cap, count = under(config, "maxOutputTokens"), under(config, "candidateCount")
    if cap is not None:
        request.cap_param = f"{where}.{spelled(config, 'maxOutputTokens')}"
        request.output_cap = integer(cap, request.cap_param)
    if count is not None:
        request.n = request.choices = integer(count, f"{where}.{spelled(config, 'candidateCount')}")
    modalities = under(config, "responseModalities")
    if modalities is not None:
        asked = decoded(modalities, list[str])
        beside = asked is None or any(one.upper() not in WITHIN_THE_CAP for one in asked)
        request.thinks_beside = request.thinks_beside or beside
    thinking = under(config, "thinkingConfig")
    if thinking is not None:
        inside = decoded(thinking, dict[str, Raw]) or {}
        require_plain(inside, THINKING, f"{where}.thinkingConfig.")
        budget = under(inside, "thinkingBudget")
        request.thinking = min(max(0, (decoded(budget, int) or 0) if budget is not None else 0), TOKENS_MAX)
    chosen = [name for name in config if any(name == spelled(config, one) for one in CHOOSES_MODELS)]
    if chosen:
        request.dropped = tuple(f"{where}.{name}" for name in chosen)
        members[where] = Raw(_encode({name: one for name, one in config.items() if name not in chosen}))


def _read_tier(request: ModelRequest, members: Members) -> None:
    raw = under(members, "serviceTier")
    tier = decoded(raw, str) if raw is not None else None
    if raw is None or _is(raw, b"null"):
        return
    where = spelled(members, "serviceTier")
    if tier is None:
        raise BadRequest(f"'{where}' must be a string.", param=where)
    if tier.casefold() not in PLAIN_TIERS:
        request.tier, request.tier_param = tier.casefold().removeprefix("service_tier_"), where


def _read_labels(request: ModelRequest, members: Members) -> None:
    """What costs may be grouped by; a value of another kind is no error here."""
    raw = members.get("labels")
    if raw is not None:
        labels = decoded(raw, dict[str, object]) or {}
        told = [(name, one) for name, one in labels.items() if isinstance(one, str)]
        request.metadata = dict(told[:METADATA_MAX])


def _is(raw: Raw, word: bytes) -> bool:
    return bytes(memoryview(raw)[: len(word)]) == word
