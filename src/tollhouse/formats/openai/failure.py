"""Failures as OpenAI writes them: `{"error": {"message", "type", "param", "code"}}`, and links as Stripe does."""

import msgspec

from tollhouse.core.failure import Failure

_encode = msgspec.json.Encoder().encode


def status(failure: Failure) -> int:
    return failure.status


def body(failure: Failure, request_id: str) -> bytes:
    """The JSON of an error answer."""
    return _encode({"error": _error(failure, request_id)})


def event(failure: Failure, request_id: str) -> bytes:
    """The last event of a chat stream that broke. No `[DONE]` may follow: the stream must not look whole."""
    return b"data: " + body(failure, request_id) + b"\n\n"


def responses_event(failure: Failure, request_id: str, sequence_number: int) -> bytes:
    """The same for `/v1/responses`, whose error event is flat."""
    error = {
        "type": "error",
        "code": code(failure),
        "message": failure.public_message(request_id),
        "param": failure.param,
    }
    return b"event: error\ndata: " + _encode({**error, "sequence_number": sequence_number}) + b"\n\n"


def code(failure: Failure) -> str:
    """The code that clients read: a provider's own word, where it is one of the original's."""
    original = failure.original
    return failure.code if original is None or original.code is None else original.code


def _error(failure: Failure, request_id: str) -> dict[str, object]:
    error: dict[str, object] = {
        "message": failure.public_message(request_id),
        "type": failure.openai_type,
        "param": failure.param,
        "code": code(failure),
    }
    if failure.links is not None:
        error["doc_url"] = failure.links.doc_url
        if failure.links.request_log_url is not None:
            error["request_log_url"] = failure.links.request_log_url
    return error if failure.original is None else {**failure.original.members, **error}
