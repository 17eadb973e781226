"""Errors as servers of the OpenAI format answer them, read into what the caller sees and whose fault it is.

Bodies differ by vendor; read are `{"error": {...}}`, `{"error": "..."}`, `[{"error": {...}}]`, the bare object with
`message`, and `{"detail": ...}`. What decides is the status and the machine-readable words (`code`, `type`, `status`,
`reason`), never the message. A body that is no such JSON (a page of HTML, nothing, nonsense) comes from something in
front of the provider: it is never shown, and never a reason to blame the request.

| the provider's answer                         | the caller reads                    | blamed  |
|-----------------------------------------------|-------------------------------------|---------|
| 401, 403, a word for a bad key                | 502 upstream_error, no retry        | key     |
| 402, a word for an empty account              | 502 upstream_error                  | key     |
| 429                                           | 429 rate_limit_exceeded             | key     |
| 498, 503, 529, a word for overload            | 503 overloaded                      | offer   |
| 408, 504, 524                                 | 504 upstream_timeout                | offer   |
| a word for a prompt that is too long          | 400 context_length_exceeded         | request |
| 404, a word for an unknown model              | 502 upstream_error                  | offer   |
| 400, 404 with `param`, 422, a content policy  | 400 invalid_request_error, reason   | request |
| 413                                           | 413 request_too_large               | request |
| anything else                                 | 502 upstream_error                  | offer   |
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.core.cleaning import clean
from tollhouse.core.failure import (
    BadRequest,
    ContextTooLong,
    Failure,
    Overloaded,
    RequestTooLarge,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
    UpstreamTimeout,
)
from tollhouse.core.operation import Operation
from tollhouse.core.wire import Headers
from tollhouse.providers.kind import Fault
from tollhouse.providers.retry_after import retry_after_ms
from tollhouse.routing.health import Blame

_AGAIN_MS: Final = 1_000  # told to the caller where the provider told us nothing

_BAD_KEY: Final = frozenset(
    {"invalid_api_key", "api_key_invalid", "authentication_error", "invalid_authentication_error", "unauthenticated"}
    | {"account_deactivated", "incorrect_api_key_error"}
)
_EMPTY_ACCOUNT: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "exceeded_current_quota_error"}
    | {"insufficient_balance", "insufficient_user_quota", "insufficient_credits", "arrearage", "billing_error"}
)
_SATURATED: Final = frozenset({"rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests"})
_OVERLOADED: Final = frozenset({"overloaded_error", "overloaded", "engine_overloaded_error", "service_unavailable"})
_TOO_LONG: Final = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded", "prompt_too_long"}
)
_POLICY: Final = frozenset(
    {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"}
    | {"datainspectionfailed", "moderation_blocked", "content_policy"}
)
_NO_SUCH_MODEL: Final = frozenset(
    {"model_not_found", "deploymentnotfound", "invalid_model", "model_not_available", "model_decommissioned"}
)
_BAD_REQUEST: Final = frozenset({"invalid_request_error", "invalid_argument", "badrequesterror", "invalid_value"})


class _Report(Struct, frozen=True):
    """What an error body says: its words lower-cased, its message and param as they came."""

    words: frozenset[str] = frozenset()
    message: str = ""
    param: str | None = None
    readable: bool = False  # an error object of a shape we know


_UNREADABLE: Final = _Report()


def read_error(operation: Operation, status: int, headers: Headers, body: bytes) -> Fault:
    """See the table above. A status below 400 means that the body hides an error; its words then say which."""
    report = _report(body)
    if status < 400:
        status = _status_in(report)
    after = retry_after_ms(headers)
    return (
        _account(status, report, after)
        or _capacity(status, report, after)
        or _request(status, report)
        or _fault(UpstreamError(_failed(status)), "offer", after)
    )


def _account(status: int, report: _Report, after: int | None) -> Fault | None:
    """Our key, or the account behind it."""
    words = report.words
    if status == 402 or words & _EMPTY_ACCOUNT:
        refused = "The provider refused this platform's account; the platform's operator has to settle it."
        return _fault(UpstreamError(refused), "key", after)
    if status == 401 or (status in (400, 403) and words & _BAD_KEY):
        return _refused_key(after)
    if status != 403 or words & (_POLICY | _NO_SUCH_MODEL):
        return None
    if not report.readable:
        return _fault(UpstreamError(_failed(status)), "offer", after)
    return _refused_key(after)


def _capacity(status: int, report: _Report, after: int | None) -> Fault | None:
    """The provider has too much to do, or is too slow."""
    again = _AGAIN_MS if after is None else after
    if status == 429 or (status == 413 and report.words & _SATURATED):
        saturated = UpstreamSaturated("The provider of this model is saturated; try again later.", retry_after_ms=again)
        return _fault(saturated, "key", after)
    if status in (498, 503, 529) or (status >= 500 and report.words & _OVERLOADED):
        overloaded = Overloaded("The provider of this model is overloaded; try again later.", retry_after_ms=again)
        return _fault(overloaded, "offer", after)
    if status in (408, 504, 524):
        return _fault(UpstreamTimeout("The provider took too long to answer."), "offer", after)
    return None


def _request(status: int, report: _Report) -> Fault | None:
    """What any provider would refuse; only a readable report can say so."""
    if status == 413:
        return _fault(RequestTooLarge("The request is larger than the provider of this model takes."), "request")
    if status not in (400, 403, 404, 422) or not report.readable:
        return None
    param = _param(report.param)
    if report.words & _NO_SUCH_MODEL or (status == 404 and param in (None, "model")):
        return _fault(UpstreamError("The provider does not serve this model where it was expected."), "offer")
    reason = clean(report.message) or "The provider refused the request and gave no reason."
    kind = ContextTooLong if report.words & _TOO_LONG else BadRequest
    return _fault(kind(reason, param=param), "request")


def _refused_key(after: int | None) -> Fault:
    return _fault(UpstreamRefusedKey("The provider refused this platform's credentials."), "key", after)


def _failed(status: int) -> str:
    return f"The provider failed (status {status})." if 400 <= status < 600 else "The provider's answer makes no sense."


def _fault(failure: Failure, blame: Blame, after: int | None = None) -> Fault:
    return Fault(failure=failure, blame=blame, retry_after_ms=after)


def _status_in(report: _Report) -> int:
    """The status that an error within a 200 should have had; 502 where its words do not say."""
    for word in report.words:
        if len(word) == 3 and word.isdigit() and 400 <= int(word) < 600:
            return int(word)
    for known, status in (
        (_BAD_KEY, 401),
        (_SATURATED, 429),
        (_OVERLOADED, 503),
        (_TOO_LONG | _POLICY | _BAD_REQUEST, 400),
        (_NO_SUCH_MODEL, 404),
    ):
        if report.words & known:
            return status
    return 502


def _report(body: bytes) -> _Report:
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _UNREADABLE
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    if not isinstance(decoded, dict):
        return _UNREADABLE
    error = decoded.get("error", decoded)
    if isinstance(error, str):
        error = {**decoded, "message": error}
    if not isinstance(error, dict):
        return _UNREADABLE
    message, param = error.get("message"), error.get("param")
    if "detail" in error and message is None:
        message, param = _detail(error["detail"])
    if not isinstance(message, str):
        message = ""
    words = frozenset(_words(error))
    return _Report(words, message, param if isinstance(param, str) else None, readable=bool(message or words))


def _words(error: dict[str, object]) -> Iterator[str]:
    details = error.get("details")
    places = [error, *(details if isinstance(details, list) else []), error.get("innererror")]
    for place in places:
        if isinstance(place, dict):
            for name in ("code", "type", "status", "reason"):
                word = place.get(name)
                if isinstance(word, str | int) and not isinstance(word, bool):
                    yield str(word)[:64].lower()


def _detail(detail: object) -> tuple[object, object]:
    """FastAPI: a text, or a list of what was wrong where."""
    if not isinstance(detail, list):
        return detail, None
    faults = [entry for entry in detail if isinstance(entry, dict) and isinstance(entry.get("loc"), list)]
    places = [".".join(str(step) for step in entry["loc"] if step != "body") for entry in faults]
    reasons = [f"{place}: {entry.get('msg')}" for place, entry in zip(places, faults, strict=True)]
    return "; ".join(reasons), places[0] if places else None


def _param(param: str | None) -> str | None:
    """The field to blame, if it reads like one."""
    return param if param and len(param) <= 128 and clean(param) == param else None
