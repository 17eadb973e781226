"""Failures as Anthropic writes them: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from typing import Final

import msgspec

from tollhouse.core.failure import ContextTooLong, Failure

_TOO_LONG: Final = "prompt is too long"
"""Clients that shorten a conversation by themselves look for these words, as the original writes them."""

_encode = msgspec.json.Encoder().encode


def status(failure: Failure) -> int:
    """402 for a used-up balance and 529 for overload, where the others say 429 and 503."""
    return failure.anthropic_status or failure.status


def body(failure: Failure, request_id: str) -> bytes:
    message = failure.public_message(request_id)
    if isinstance(failure, ContextTooLong) and _TOO_LONG not in message.lower():
        message = f"{_TOO_LONG}: {message}"
    error = {"type": failure.anthropic_type, "message": message}
    return _encode({"type": "error", "error": error, "request_id": request_id})


def event(failure: Failure, request_id: str) -> bytes:
    """The last event of a stream that broke; no `message_stop` may follow."""
    return b"event: error\ndata: " + body(failure, request_id) + b"\n\n"
