"""Failures as Anthropic writes them: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

import msgspec

from tollhouse.core.failure import ContextTooLong, Failure
from tollhouse.formats.anthropic.too_long import in_original_words

_encode = msgspec.json.Encoder().encode


def status(failure: Failure) -> int:
    """402 for a used-up balance and 529 for overload, where the others say 429 and 503."""
    return failure.anthropic_status or failure.status


def body(failure: Failure, request_id: str) -> bytes:
    message = failure.public_message(request_id)
    if isinstance(failure, ContextTooLong):
        message = in_original_words(message)
    error = {"type": failure.anthropic_type, "message": message}
    return _encode({"type": "error", "error": error, "request_id": request_id})


def event(failure: Failure, request_id: str) -> bytes:
    """The last event of a stream that broke; no `message_stop` may follow."""
    return b"event: error\ndata: " + body(failure, request_id) + b"\n\n"
