"""Buffered answers of a provider: judged and read for what the gateway accounts for, the bytes left as they are."""

import json
from collections.abc import Callable, Mapping

import msgspec

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import UpstreamBroke, UpstreamError
from tollhouse.core.figures import Report
from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.operation import Operation
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.text_start import TextStarts
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai import finish, plain, written
from tollhouse.formats.openai.beside import PASS, PASS_OF_RESPONSES, ExtraMembers
from tollhouse.formats.openai.echo import heads_of
from tollhouse.formats.openai.mended import mended
from tollhouse.formats.openai.searches import in_response, with_searches
from tollhouse.formats.openai.usage import Writes, in_chat_words, write_chat, write_response, write_vectors
from tollhouse.formats.openai.usage import read as read_usage
from tollhouse.formats.openai.usage_location import find, says_something

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode = msgspec.json.Decoder().decode

_BODY: Mapping[Operation, str] = {
    "chat": "choices",
    "completions": "choices",
    "responses": "output",
    "embeddings": "data",
    "moderations": "results",
}
"""The member that makes an answer one; always an array."""
WRITES: Mapping[Operation, Writes] = {"embeddings": "nothing", "moderations": "nothing"}
_NOTHING = Usage()
_USUAL_ENDS = finish.USUAL | {None}
_NEVER_EMPTY = frozenset(("chat", "completions", "embeddings"))
_NOT_OVER = frozenset(("queued", "in_progress"))
_WRITE_USAGE: Mapping[Operation, Callable[[Usage], chunks.Object]] = {
    "chat": write_chat,
    "completions": write_chat,
    "responses": write_response,
    "embeddings": write_vectors,
}


def read(operation: Operation, body: bytes, known: Known = NOTHING_KNOWN) -> ResponseSummary:
    """Read the body of a 200. known: what tells which words of an error stay.

    Raises UpstreamError where it is no answer (a page, a fragment, another object), and the failure that an error
    object stands for.
    """
    if operation in ("chat", "completions"):
        answer = plain.read_answer(body)
        reading = None if answer is None else _plainly(answer)
        if reading is not None:
            return reading
    whole = None
    try:
        members = _read_members(body)
    except UpstreamError:
        whole = mended(body)
        if whole is None:
            raise
        members = _read_members(whole)
    error = error_in({name: _value(members[name]) for name in ("error", "object", "type") if name in members})
    if error is not None:
        raise failure_of(error if "error" in members else _decoded(members), known)
    parts = members.get(_BODY[operation])
    if parts is None or bytes(memoryview(parts)[:1]) != b"[" or _is_none(operation, members, parts):
        error = error_in_event(_decoded(members), b"")
        if error is not None:
            raise failure_of(error, known)
        raise UpstreamError(f"The provider answered without '{_BODY[operation]}'.")
    usage, raw_usage, elsewhere = _usage(operation, members)
    if operation == "responses":
        usage = with_searches(usage, _searches(members))
    reason, incomplete = _finish(operation, members, known)
    return ResponseSummary(
        usage=usage,
        raw_usage=raw_usage,
        elsewhere=elsewhere,
        beside=not _passes(operation).issuperset(members),
        finish=reason,
        incomplete=incomplete,
        mended=whole,
    )


def fitted(operation: Operation, body: bytes, known: Known) -> bytes:
    """A body of which only what may be told goes on: see `beside`."""
    return ExtraMembers(known, _passes(operation)).fit(chunks.decode(body), body)


def _passes(operation: Operation) -> frozenset[str]:
    return PASS_OF_RESPONSES if operation == "responses" else PASS


def _plainly(answer: plain.PlainAnswer) -> ResponseSummary | None:
    """None: its report is unusual, and wants a closer look."""
    reasons = []
    for choice in answer.choices:
        reasons.append(choice.finish_reason)
    if not reasons or not _USUAL_ENDS.issuperset(reasons):
        return None
    usage, raw, elsewhere = plain.read_usage(answer.usage), bytes(answer.usage), False
    if usage is None:
        reported, kept = _reported(answer.usage)
        usage, raw = read_usage(reported), kept or raw
        if not isinstance(reported, dict) or not says_something(reported):
            return None
        elsewhere = not in_chat_words(reported)
    elif usage == _NOTHING:
        return None
    return ResponseSummary(
        usage=usage,
        raw_usage=raw,
        elsewhere=elsewhere,
        finish=reasons[0] if reasons else None,
        incomplete="length" in reasons,
    )


def _usage(operation: Operation, members: dict[str, msgspec.Raw]) -> tuple[Usage | None, bytes | None, bool]:
    """What was reported, as it came, and whether it stood elsewhere than usual."""
    reported, raw = _reported(members["usage"]) if "usage" in members else (None, None)
    usage = read_usage(reported, WRITES.get(operation, "text"))
    if isinstance(reported, dict) and says_something(reported):
        return usage, raw, not _is_usual(operation, reported)
    part = _BODY[operation]
    beside = {name: _value(value) for name, value in members.items() if name not in ("usage", part)}
    choices = chunks.choices({"choices": _value(members[part])}) if part == "choices" else []
    location = find(beside, choices)
    if location is None or not says_something(location.report):
        return usage, raw, False
    return read_usage(location.report, WRITES.get(operation, "text")), chunks.encode(location.report), True


def text(operation: Operation, body: bytes) -> str:
    """All text the model wrote in a body that `read` accepted: to be counted where no usage came."""
    return written.text(operation, chunks.decode(body))


def heads(body: bytes) -> TextStarts:
    """How each answer of a legacy completion begins."""
    return heads_of(chunks.choices(chunks.decode(body)))


def media(body: bytes) -> Usage:
    """What the sound, the pictures and the searches in an answer count for, where no usage came."""
    answer = chunks.decode(body)
    sound, pictures = written.media(answer)
    searches = in_response(answer, written.items(answer))
    return Usage(audio_out=sound_tokens(sound), image_out=pictures * PICTURE_TOKENS, searches=searches)


def _searches(members: dict[str, msgspec.Raw]) -> int:
    """Of a response. Its items are only looked at where one may be a search."""
    if b"_search" not in bytes(members["output"]) and "tool_usage" not in members:
        return 0
    response: chunks.Object = {name: _value(members[name]) for name in ("output", "tool_usage") if name in members}
    return in_response(response, written.items(response))


def _is_usual(operation: Operation, reported: Report) -> bool:
    """Whether a report names its figures as those of its endpoint do."""
    if operation in ("chat", "completions"):
        return in_chat_words(reported)
    return operation == "moderations" or ("input_tokens" if operation == "responses" else "prompt_tokens") in reported


def with_usage(operation: Operation, body: bytes, usage: Usage) -> bytes:
    """A body that says what was charged for, in the words of its endpoint. All else stays as it came.

    A verdict has no place for it.
    """
    write = _WRITE_USAGE.get(operation)
    if write is None:
        return body
    members = chunks.members_of(body, {}) or chunks.decode(body)
    return chunks.encode({**members, "usage": write(usage)})


def _is_none(operation: Operation, members: dict[str, msgspec.Raw], parts: msgspec.Raw) -> bool:
    """Whether an answer answers nothing: an empty list, or a response that is still to come."""
    if bytes(memoryview(parts)[:256])[1:].lstrip()[:1] != b"]":
        return False
    if operation == "responses":
        return "status" in members and _value(members["status"]) in _NOT_OVER
    return operation in _NEVER_EMPTY


def _decoded(members: dict[str, msgspec.Raw]) -> chunks.Object:
    return {name: _value(raw) for name, raw in members.items()}


def _read_members(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        if not body.isascii():
            body.decode()
        return _members(body)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        pass
    try:
        answer = chunks.decode(body)  # JSON as its grammar has it, where half of a surrogate pair may stand alone
    except UpstreamBroke:
        raise UpstreamError("The provider answered with something that is not a JSON object.") from None
    return {
        name: msgspec.Raw(json.dumps(chunks.finite(value), ensure_ascii=False).encode(errors="replace"))
        for name, value in answer.items()
    }


def _finish(operation: Operation, members: dict[str, msgspec.Raw], known: Known) -> tuple[str | None, bool]:
    if operation == "responses":
        status = _value(members["status"]) if "status" in members else None
        if status == "failed":
            raise UpstreamError("The provider's answer failed.")
        return (status if isinstance(status, str) else None), status == "incomplete"
    if operation not in ("chat", "completions"):
        return None, False
    choices = chunks.choices({"choices": _value(members["choices"])})
    for choice in choices:
        if choice.get("error"):
            raise failure_of(choice["error"], known)
    reasons = [finish.finish_of(choice) for choice in choices]
    return (reasons[0] if reasons else None), any(map(finish.is_cut, reasons))


def _reported(raw: msgspec.Raw) -> tuple[object, bytes | None]:
    """A report decoded, and as it came; one with a number that no float holds is written again, so that whoever reads
    a receipt can read it. (None, None): there is none."""
    try:
        reported = _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        reported = _value(raw)
        return reported, chunks.encode(reported)
    return reported, None if reported is None else bytes(raw)


def _value(raw: msgspec.Raw) -> object:
    return chunks.decode_any(bytes(raw))
