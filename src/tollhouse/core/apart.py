"""Large requests and responses, read in another process: see `core.workers.WorkerProcesses`. What is long in them comes
back as it was."""

from pickle import PickleBuffer
from typing import Any, Final, cast

from msgspec import Raw, Struct, structs

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import Codec, ResponseSummary, VectorCodec
from tollhouse.core.content_encoding import unpack
from tollhouse.core.half_pairs import restore_members
from tollhouse.core.members import Members
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt, VectorEncoding, is_countable
from tollhouse.core.values import require_countable

LONG_BYTES: Final = 64 * 1024
"""A longer member of a large body is handed on without being copied."""


class Read(Struct):
    """`prompt`: of a body that was read apart; None where it is too long to be counted exactly."""

    request: ModelRequest
    input_bounds: InputBounds
    prompt: Prompt | None = None


def read_apart(body: bytes, codec: Codec, encoding: str = "", bytes_max: int = 0) -> Read:
    """Read a body in the process that has it. encoding, bytes_max: see `content_encoding.unpack`; empty: not packed.

    Raises RequestTooLarge, BadRequest, UnsupportedParameter.
    """
    if encoding:
        body = unpack(body, encoding, bytes_max)
    require_countable(body)
    request = codec.read(body)
    asked = codec.input_bounds(request)
    made = Read(request, asked, codec.prompt_of(request, asked) if is_countable(asked) else None)
    if request.has_halves:  # nothing decodes the members any more
        request.members, request.has_halves = restore_members(request.members), False
    sent = {
        name: raw if len(raw) < LONG_BYTES else PickleBuffer(memoryview(raw)) for name, raw in request.members.items()
    }
    request.members = cast(Members, sent)
    return made


def arrived(made: Read) -> Read:
    """What `read_apart` returned, on the other side."""
    members: dict[str, Any] = made.request.members
    for name, member in members.items():
        if not isinstance(member, Raw):
            members[name] = Raw(member)
    return made


def read_response_apart(body: bytes, codec: Codec, known: Known = NOTHING_KNOWN) -> tuple[ResponseSummary, bytes]:
    """What a buffered response says, and its whole body. Raises what `Codec.read_response` raises."""
    reading = codec.read_response(body, known)
    body = reading.mended or body
    return structs.replace(reading, mended=None), cast(bytes, PickleBuffer(body))


def encoded_apart(body: bytes, vectors: VectorCodec, encoding: VectorEncoding) -> bytes:
    """A response with its vectors in this encoding; empty where they are."""
    if not vectors.differs(body, encoding):
        return b""
    return cast(bytes, PickleBuffer(vectors.encoded(body, encoding)))
