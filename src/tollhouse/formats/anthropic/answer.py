"""Messages that a provider answers in one piece: judged and read for what the gateway accounts for."""

from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.codec import ResponseSummary
from tollhouse.core.failure import UpstreamBroke, UpstreamError
from tollhouse.core.provider_json import Object, decode, decode_any, encode
from tollhouse.core.reported_error import error_in, error_in_event, failure_of
from tollhouse.core.text_cut import Count, prefix, tokens_of
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic import usage as reports
from tollhouse.formats.anthropic import written
from tollhouse.formats.anthropic.wire import CUT

PASS: Final = frozenset(
    (
        *("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage"),
        *("container", "context_management", "diagnostics"),
    )
)
"""Members of a message by Anthropic's own client. Nothing else goes on to a caller."""

_members = msgspec.json.Decoder(dict[str, Raw]).decode


def read(body: bytes, known: Known = NOTHING_KNOWN) -> ResponseSummary:
    """Read the body of a 200. known: what tells which words of an error stay.

    Raises UpstreamError where it is no message (a page, a fragment, another object), and the failure that an error
    object stands for.
    """
    members = _read_members(body)
    error = error_in({name: _value(members[name]) for name in ("error", "type") if name in members})
    if error is not None:
        raise failure_of(error if "error" in members else decode(body), known)
    content = members.get("content")
    if content is None or bytes(memoryview(content)[:1]) != b"[":
        error = error_in_event({name: _value(raw) for name, raw in members.items()}, b"")
        if error is not None:
            raise failure_of(error, known)
        raise UpstreamError("The provider answered without 'content'.")
    raw_usage = bytes(members["usage"]) if "usage" in members else None
    reported = None if raw_usage is None else decode_any(raw_usage)
    reason = _value(members["stop_reason"]) if "stop_reason" in members else None
    return ResponseSummary(
        usage=reports.with_searches(reports.read(reported), _searches(content)),
        raw_usage=None if reported is None else raw_usage,
        beside=not PASS.issuperset(members),
        finish=reason if isinstance(reason, str) else None,
        incomplete=isinstance(reason, str) and reason in CUT,
    )


def _searches(content: Raw) -> int:
    """Blocks are only looked at where one may be a search."""
    if b"web_search_tool_result" not in bytes(content):
        return 0
    return sum(map(written.is_search, written.blocks({"content": _value(content)})))


def fitted(body: bytes, known: Known) -> bytes:
    """A body of which only what may be told goes on."""
    return encode({name: raw for name, raw in _read_members(body).items() if name in PASS})


def text(body: bytes) -> tuple[str, Usage]:
    """All text the model wrote in a body that `read` accepted, and what was searched for it."""
    message = decode(body)
    return written.text(message), Usage(searches=sum(map(written.is_search, written.blocks(message))))


def with_usage(body: bytes, usage: Usage) -> bytes:
    """A body that says what was charged for. All else stays as it came."""
    return encode({**_read_members(body), "usage": reports.write(usage)})


def cut(body: bytes, maximum: int, count: Count) -> tuple[bytes, Usage] | None:
    """The body of a whole message, cut to so many tokens by our count, and the output that is left. None: it has no
    more.

    The text that does not fit any more is cut, and blocks behind it are left out, as is a call that does not fit whole.
    """
    message = decode(body)
    if tokens_of(written.text(message), count) <= maximum:
        return None
    kept: list[object] = []
    used = 0
    for block in written.blocks(message):
        said = sum(tokens_of(location.text, count) for location in written.locations(block))
        if used + said > maximum:
            if (begun := _begun(block, maximum - used, count)) is not None:
                used += sum(tokens_of(location.text, count) for location in written.locations(begun))
                kept.append(begun)
            break
        used += said
        kept.append(block)
    message |= {"content": kept, "stop_reason": "max_tokens", "stop_sequence": None}
    return encode(message), Usage(output=used)


def _begun(block: Object, maximum: int, count: Count) -> Object | None:
    """As much of a block as fits; None: nothing that means anything."""
    name = {"text": "text", "thinking": "thinking"}.get(str(block.get("type")))
    said = block.get(name) if name is not None else None
    if name is None or not isinstance(said, str) or not (fits := prefix(said, maximum, count)):
        return None
    begun = {**block, name: fits}
    if name == "thinking":
        begun["signature"] = ""  # it was made for all of the thoughts
    return begun


def _read_members(body: bytes) -> dict[str, Raw]:
    try:
        if not body.isascii():
            body.decode()
        return _members(body)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        pass
    try:
        answer = decode(body)  # JSON as its grammar has it, where half of a surrogate pair may stand alone
    except UpstreamBroke:
        raise UpstreamError("The provider answered with something that is not a JSON object.") from None
    return {name: Raw(encode(value)) for name, value in answer.items()}


def _value(raw: Raw) -> object:
    return decode_any(bytes(raw))
