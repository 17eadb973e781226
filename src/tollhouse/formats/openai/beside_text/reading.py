"""What the requests of these operations have in common: members of JSON, read as far as they decide something here."""

from collections.abc import Collection
from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core import half_pairs
from tollhouse.core.body_pieces import in_pieces
from tollhouse.core.failure import BadRequest
from tollhouse.core.members import Members
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.raw_members import decoded, missing
from tollhouse.core.upstream import Buffer
from tollhouse.core.workers import APART_BYTES
from tollhouse.formats.openai.request import is_null, model_of, read_tags
from tollhouse.formats.openai.unlisted import unlisted

AFFINITY_BYTES: Final = 1024
_encode = msgspec.json.Encoder().encode
_TRUE, _FALSE = Raw(b"true"), Raw(b"false")


def opened(operation: Operation, body: bytes) -> tuple[ModelRequest, Members]:
    """A request with what every operation reads, and its members without nulls. Raises BadRequest and
    UnsupportedParameter."""
    members, has_halves = half_pairs.read_members(body)
    request = of_members(operation, members, len(body))
    request[0].has_halves = has_halves
    return request


def of_members(operation: Operation, members: Members, length: int) -> tuple[ModelRequest, Members]:
    """The same of members that somebody has read. `length`: bytes of the body, files aside."""
    beyond = unlisted(operation, members)
    present = {name: raw for name, raw in members.items() if not is_null(raw)}
    request = ModelRequest(operation=operation, members=members, model=model_of(operation, present), length=length)
    request.dropped, request.reads_more = beyond.dropped, beyond.reads_more
    request.tier, request.tier_param = beyond.tier, beyond.tier_param
    request.n = request.choices = beyond.answers
    if "user" in present or "metadata" in present:
        read_tags(request, present)
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
    streams: bool = False,
) -> list[Buffer]:
    """See `core.codec.WriteRequest`. streams: it is said in the body whether the answer is to stream. No cap is sent,
    and no report is asked for: these operations know neither."""
    members = dict(request.members)
    members["model"] = Raw(_encode(model))
    if streams and (stream or "stream" in members):
        members["stream"] = _TRUE if stream else _FALSE
    members = half_pairs.restore_members(members) if request.has_halves else members
    return [_encode(members)] if request.length <= APART_BYTES else list(in_pieces(members))


def text_of(present: Members, name: str) -> str:
    """A text that must be there. Raises BadRequest."""
    if name not in present:
        raise missing(name)
    text = decoded(present[name], str)
    if text is None:
        raise BadRequest(f"'{name}' must be a string.", param=name)
    if not text:
        raise BadRequest(f"'{name}' must not be empty.", param=name)
    return text


def choice_of(present: Members, name: str) -> str:
    """A text that may be there, in small letters; empty where it is not. Raises BadRequest."""
    if name not in present:
        return ""
    text = decoded(present[name], str)
    if text is None:
        raise BadRequest(f"'{name}' must be a string.", param=name)
    return text.casefold()


def flag_of(present: Members, name: str) -> bool:
    """Raises BadRequest for what is neither true nor false."""
    if name not in present:
        return False
    value = decoded(present[name], bool)
    if value is None:
        raise BadRequest(f"'{name}' must be true or false.", param=name)
    return value


def texts_in(request: ModelRequest, names: Collection[str]) -> str:
    """The members that the model reads, as they were written."""
    return "\n".join(bytes(request.members[name]).decode() for name in names if name in request.members)
