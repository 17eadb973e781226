"""Failures as Google writes them: `{"error": {"code", "message", "status", "details"}}`."""

from collections.abc import Mapping

import msgspec

from tollhouse.core.failure import Failure

_encode = msgspec.json.Encoder().encode


def status(failure: Failure) -> int:
    return failure.status


def body(failure: Failure, request_id: str) -> bytes:
    """`details` names our own code, which the few Google statuses cannot tell apart (google.rpc.ErrorInfo), and what
    Google's clients look for: the member to blame, how long to wait, a page about it."""
    info = {"reason": failure.code, "domain": "tollhouse", "metadata": {"request_id": request_id}}
    details = [_detail("ErrorInfo", info)]
    message = failure.public_message(request_id)
    if failure.param is not None:
        violation = {"field": failure.param, "description": message}
        details.append(_detail("BadRequest", {"fieldViolations": [violation]}))
    if failure.retry_after_ms is not None:
        details.append(_detail("RetryInfo", {"retryDelay": _seconds(failure.retry_after_ms)}))
    if failure.links is not None:
        link = {"description": failure.code, "url": failure.links.doc_url}
        details.append(_detail("Help", {"links": [link]}))
    error = {"code": failure.status, "message": message, "status": failure.gemini_status, "details": details}
    return _encode({"error": error})


def _detail(kind: str, members: Mapping[str, object]) -> dict[str, object]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **members}


def _seconds(milliseconds: int) -> str:
    """As JSON of Google has durations: `3s`, `0.250s`."""
    whole, rest = divmod(milliseconds, 1_000)
    return f"{whole}.{rest:03}s" if rest else f"{whole}s"


def event(failure: Failure, request_id: str) -> bytes:
    """The last event of a stream that broke."""
    return b"data: " + body(failure, request_id) + b"\r\n\r\n"


def item(failure: Failure, request_id: str, sequence_number: int) -> bytes:
    """The last item of an array that broke, after so many others. The array has no end: it must not look whole."""
    return (b",\r\n" if sequence_number else b"[") + body(failure, request_id)
