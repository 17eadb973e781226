"""Failures as OpenAI writes them: `{"error": {"message", "type", "param", "code"}}`."""

import msgspec

from tollhouse.core.failure import Failure

_encode = msgspec.json.Encoder().encode


def status(failure: Failure) -> int:
    return failure.status


def body(failure: Failure, request_id: str) -> bytes:
    """The JSON of an error answer. From 500 on the message ends with the request id, for whoever reports it."""
    return _encode({"error": _error(failure, request_id)})


def event(failure: Failure, request_id: str) -> bytes:
    """The last event of a chat stream that broke. No `[DONE]` may follow: the stream must not look whole."""
    return b"data: " + body(failure, request_id) + b"\n\n"


def responses_event(failure: Failure, request_id: str, sequence_number: int) -> bytes:
    """The same for `/v1/responses`, whose error event is flat."""
    error = {"type": "error", "code": failure.code, "message": _message(failure, request_id), "param": failure.param}
    return b"event: error\ndata: " + _encode({**error, "sequence_number": sequence_number}) + b"\n\n"


def _error(failure: Failure, request_id: str) -> dict[str, str | None]:
    return {
        "message": _message(failure, request_id),
        "type": failure.openai_type,
        "param": failure.param,
        "code": failure.code,
    }


def _message(failure: Failure, request_id: str) -> str:
    return f"{failure.message} (request id: {request_id})" if failure.status >= 500 else failure.message
