"""Requests for messages, read as far as the gateway needs it, and written again for a provider of the same format.

Top-level members stay the bytes they came in; decoded is only what decides something here. Null counts as absent, all
else is the provider's to judge.
"""

import re
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from tollhouse.core import half_pairs
from tollhouse.core.body_pieces import in_pieces
from tollhouse.core.failure import BadRequest
from tollhouse.core.members import Members
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.raw_members import decoded, missing
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import TOKENS_MAX
from tollhouse.core.workers import APART_BYTES
from tollhouse.formats.anthropic.foreign_thoughts import without_foreign_thoughts
from tollhouse.formats.anthropic.unlisted import unlisted

AFFINITY_BYTES: Final = 1024
MODEL_CHARACTERS_MAX: Final = 512

_encode = msgspec.json.Encoder().encode
_TRUE, _FALSE = Raw(b"true"), Raw(b"false")
_FIRST_ELEMENT: Final = re.compile(rb"\[\s*(.)", re.DOTALL)
_T = TypeVar("_T")


def read(body: bytes) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter; `param` names the member to blame."""
    request, present = _read(body)
    request.output_cap, request.cap_param = _cap(present), "max_tokens"
    request.stream = request.wants_usage = _stream(present)
    return request


def read_counted(body: bytes) -> ModelRequest:
    """A request whose tokens are asked for: nothing is to be answered, so no output cap need be named."""
    return _read(body)[0]


def _read(body: bytes) -> tuple[ModelRequest, Members]:
    """And the members that are not null."""
    members, has_halves = half_pairs.read_members(body)
    beyond = unlisted(members)
    present = members
    if b"null" in body:
        present = {name: raw for name, raw in members.items() if bytes(memoryview(raw)[:5]) != b"null"}
    request = ModelRequest(operation="chat", members=members, model=_model(present), length=len(body))
    request.has_halves = has_halves
    request.dropped, request.reads_more = beyond.dropped, beyond.reads_more
    request.tier, request.tier_param, request.hosted = beyond.tier, beyond.tier_param, beyond.hosted
    request.affinity = bytes(memoryview(_messages(present))[:AFFINITY_BYTES])
    request.thinks_beside = beyond.writes_more
    if "thinking" in present:
        request.thinking = _budget(present["thinking"])
    if "metadata" in present:
        _read_tags(request, present["metadata"])
    return request, present


def write(
    request: ModelRequest,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """The body for a provider that calls the model `model`: every member as it came, but for what the gateway decides.
    See `core.codec.WriteRequest`; a report comes with every answer, and a cap with every request."""
    members = dict(request.members)
    members["model"] = Raw(_encode(model))
    if stream:
        members["stream"] = _TRUE
    elif "stream" in members:
        members["stream"] = _FALSE
    members = half_pairs.restore_members(members) if request.has_halves else members
    members = without_foreign_thoughts(members)
    return [_encode(members)] if request.length <= APART_BYTES else list(in_pieces(members))


def _model(members: Members) -> str:
    raw = members.get("model")
    if raw is None:
        raise missing("model")
    model = decoded(raw, str)
    if model is None:
        raise BadRequest("'model' must be a string.", param="model")
    if not model or len(model) > MODEL_CHARACTERS_MAX:
        raise BadRequest(f"'model' must have 1 to {MODEL_CHARACTERS_MAX} characters.", param="model")
    return model


def _messages(members: Members) -> Raw:
    raw = members.get("messages")
    if raw is None:
        raise missing("messages")
    match = _FIRST_ELEMENT.match(raw)
    if match is None:
        raise BadRequest("'messages' must be an array of messages.", param="messages")
    if match[1] == b"]":
        raise BadRequest("'messages' must not be empty.", param="messages")
    if match[1] != b"{":
        raise BadRequest("'messages[0]' must be an object with a 'role'.", param="messages[0]")
    return raw


def _cap(members: Members) -> int:
    """0 asks for no answer, and only has the prompt cached."""
    raw = members.get("max_tokens")
    if raw is None:
        raise missing("max_tokens")
    digits = bytes(memoryview(raw)[:11])
    figure = int(digits) if digits.isdigit() and len(digits) <= 10 else -1
    if not 0 <= figure <= TOKENS_MAX:
        raise BadRequest(
            f"'max_tokens' must be an integer of at least 1 (and at most {TOKENS_MAX}).", param="max_tokens"
        )
    return figure


def _stream(members: Members) -> bool:
    if "stream" not in members:
        return False
    value = decoded(members["stream"], bool)
    if value is None:
        raise BadRequest("'stream' must be true or false.", param="stream")
    return value


def _budget(raw: Raw) -> int:
    """Tokens of a thinking budget. What is none is the provider's to judge."""
    inside = decoded(raw, dict[str, Raw]) or {}
    budget = decoded(inside["budget_tokens"], int) if "budget_tokens" in inside else None
    return min(max(0, budget or 0), TOKENS_MAX)


def _read_tags(request: ModelRequest, raw: Raw) -> None:
    """What costs may be grouped by; a value of another kind is no error here."""
    inside = decoded(raw, dict[str, Raw]) or {}
    texts = {name: text for name, value in inside.items() if (text := decoded(value, str)) is not None}
    request.user = texts.pop("user_id", None)
    request.metadata = texts
