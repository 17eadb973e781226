"""Failures as Google writes them: `{"error": {"code", "message", "status", "details"}}`."""

import msgspec

from tollhouse.core.failure import Failure

_encode = msgspec.json.Encoder().encode


def status(failure: Failure) -> int:
    return failure.status


def body(failure: Failure, request_id: str) -> bytes:
    """`details` names our own code, which the few Google statuses cannot tell apart (google.rpc.ErrorInfo)."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": failure.code,
        "domain": "tollhouse",
        "metadata": {"request_id": request_id},
    }
    error = {
        "code": failure.status,
        "message": failure.public_message(request_id),
        "status": failure.gemini_status,
        "details": [info],
    }
    return _encode({"error": error})


def event(failure: Failure, request_id: str) -> bytes:
    """The last event of a stream that broke."""
    return b"data: " + body(failure, request_id) + b"\r\n\r\n"


def item(failure: Failure, request_id: str, sequence_number: int) -> bytes:
    """The last item of an array that broke, after so many others. The array has no end: it must not look whole."""
    return (b",\r\n" if sequence_number else b"[") + body(failure, request_id)
