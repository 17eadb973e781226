"""Large requests and answers, read in another process: see `core.workers.WorkerProcesses`. What is long in them comes
back as it was."""

from pickle import PickleBuffer
from typing import Any, cast

from msgspec import Raw, Struct

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.content_encoding import unpack
from tollhouse.core.half_pairs import restore_members
from tollhouse.core.members import Members
from tollhouse.core.operation import Operation
from tollhouse.core.values import require_countable
from tollhouse.formats.openai import answer as answers
from tollhouse.formats.openai.input_bounds import InputBounds, input_bounds
from tollhouse.formats.openai.prompt import Prompt, is_countable, prompt_of
from tollhouse.formats.openai.request import LONG_BYTES, OpenAIRequest, read
from tollhouse.formats.openai.vectors import Encoding, differs, encoded


class Read(Struct):
    """`prompt`: of a body that was read apart; None where it is too long to be counted exactly."""

    request: OpenAIRequest
    input_bounds: InputBounds
    prompt: Prompt | None = None


def read_apart(body: bytes, operation: Operation, encoding: str = "", bytes_max: int = 0) -> Read:
    """Read a body in the process that has it. encoding, bytes_max: see `content_encoding.unpack`; empty: not packed.

    Raises RequestTooLarge, BadRequest, UnsupportedParameter.
    """
    if encoding:
        body = unpack(body, encoding, bytes_max)
    require_countable(body)
    request = read(operation, body)
    asked = input_bounds(request)
    made = Read(request, asked, prompt_of(request, asked) if is_countable(asked) else None)
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


def read_answer_apart(
    body: bytes, operation: Operation, known: Known = NOTHING_KNOWN
) -> tuple[answers.ResponseSummary, bytes]:
    """What a buffered answer says, and its whole body. Raises what `answer.read` raises."""
    return answers.read(operation, body, known), cast(bytes, PickleBuffer(body))


def encoded_apart(body: bytes, encoding: Encoding) -> bytes:
    """An answer with its vectors in this encoding; empty where they are."""
    return cast(bytes, PickleBuffer(encoded(body, encoding))) if differs(body, encoding) else b""
