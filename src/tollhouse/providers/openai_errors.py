"""Errors as servers of the OpenAI format answer them, read into what the caller sees and whose fault it is.

What decides is the status and the machine-readable words of the body (see `openai_report`), never the message; the one
exception is named below. A status from 400 to 499 is about the request, whatever its body looks like, except those that
the table gives to others. A page of HTML is never shown.

| the provider's answer                                  | the caller reads                      | blamed   |
|--------------------------------------------------------|---------------------------------------|----------|
| 401, a word for a bad key (also with 400, 403)         | 502 upstream_error, no retry          | key      |
| 402, a word for an empty account                       | 502 upstream_error, no retry          | key      |
| 402 whose message names an output cap                  | 400 invalid_request_error, reason     | request  |
| 403, a word for a missing permission                   | 502 upstream_error, no retry          | key      |
| 403, a content policy                                  | 400 content_policy_violation, reason  | request  |
| any other 403                                          | 400 content_policy_violation, reason  | doubtful |
| 429, a rate as 413                                     | 429 rate_limit_exceeded               | key      |
| 503, 529, a word for overload from 498 on              | 503 overloaded                        | offer    |
| 408, 504, 524                                          | 504 upstream_timeout                  | offer    |
| a word for a prompt that is too long                   | 400 context_length_exceeded           | request  |
| 404, a word for an unknown model                       | 502 upstream_error                    | model    |
| 404 with another `param`, or a word for bad requests   | 400 invalid_request_error, reason     | request  |
| 413                                                    | 413 request_too_large                 | request  |
| 407, 421, 425                                          | 502 upstream_error                    | offer    |
| any other 4xx                                          | 400 invalid_request_error, reason     | request  |
| anything else                                          | 502 upstream_error                    | offer    |
"""

from typing import Final

from tollhouse.core.cleaning import clean
from tollhouse.core.failure import (
    BadRequest,
    ContentRefused,
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
from tollhouse.providers.openai_report import Report, read_report
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
_NO_PERMISSION: Final = frozenset(
    {"permission_error", "permission_denied", "permission_denied_error", "request_forbidden", "access_denied"}
    | {"unsupported_country_region_territory", "accessdenied", "accessdeniedexception", "access_terminated_error"}
    | {"forbidden_key", "ip_not_authorized", "model_permission_denied"}
)
_CAPACITY: Final = _OVERLOADED | {"capacity_exceeded"}
_POLICY: Final = frozenset(
    {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed"}
    | {"datainspectionfailed", "moderation_blocked", "content_policy"}
)
_NO_SUCH_MODEL: Final = frozenset(
    {"model_not_found", "deploymentnotfound", "invalid_model", "model_not_available", "model_decommissioned"}
)
_BAD_REQUEST: Final = frozenset({"invalid_request_error", "invalid_argument", "badrequesterror", "invalid_value"})
_CAPS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_NOT_THE_REQUESTS: Final = frozenset({407, 421, 425})  # a proxy, a wrong connection, a repeat that came too early


def read_error(operation: Operation, status: int, headers: Headers, body: bytes) -> Fault:
    """See the table above. A status below 400 means that the body hides an error; its words then say which."""
    report = read_report(body)
    if status < 400:
        status = _status_in(report)
    after = retry_after_ms(headers)
    return (
        _account(status, report, after)
        or _capacity(status, report, after)
        or _request(status, report)
        or _fault(UpstreamError(_failed(status)), "offer", after)
    )


def _account(status: int, report: Report, after: int | None) -> Fault | None:
    """Our key, or the account behind it."""
    words = report.words
    if status == 402 and _asks_for_less(report):
        return None
    if status == 402 or words & _EMPTY_ACCOUNT:
        refused = "The provider refused this platform's account; the platform's operator has to settle it."
        return _fault(UpstreamError(refused, should_retry=False), "key", after)
    ours = status == 401 or (status in (400, 403) and words & _BAD_KEY) or (status == 403 and words & _NO_PERMISSION)
    if ours and not words & _POLICY:
        return _fault(UpstreamRefusedKey("The provider refused this platform's credentials."), "key", after)
    return None


def _asks_for_less(report: Report) -> bool:
    """A 402 that the request can cure: what it may cost at most is more than is left there. Only the message tells it
    from an empty account (OpenRouter names `max_tokens` in it, "requires more credits, or fewer max_tokens")."""
    return any(cap in report.message for cap in _CAPS)


def _capacity(status: int, report: Report, after: int | None) -> Fault | None:
    """The provider has too much to do, or is too slow."""
    again = _AGAIN_MS if after is None else after
    if status == 429 or (status == 413 and report.words & _SATURATED):
        saturated = UpstreamSaturated("The provider of this model is saturated; try again later.", retry_after_ms=again)
        return _fault(saturated, "key", after)
    if status in (503, 529) or (status >= 498 and report.words & _CAPACITY):
        overloaded = Overloaded("The provider of this model is overloaded; try again later.", retry_after_ms=again)
        return _fault(overloaded, "offer", after)
    if status in (408, 504, 524):
        return _fault(UpstreamTimeout("The provider took too long to answer."), "offer", after)
    return None


def _request(status: int, report: Report) -> Fault | None:
    """What is about the request, and would be refused by any provider."""
    if status == 413:
        return _fault(RequestTooLarge("The request is larger than the provider of this model takes."), "request")
    if not 400 <= status < 500 or status in _NOT_THE_REQUESTS:
        return None
    param = _param(report.param)
    if report.words & _NO_SUCH_MODEL or (status == 404 and param in (None, "model")):
        return _fault(UpstreamError("The provider does not serve this model where it was expected."), "model")
    reason = clean(report.message) or "The provider refused the request and gave no reason."
    if report.words & _TOO_LONG:
        return _fault(ContextTooLong(reason, param=param), "request")
    if report.words & _POLICY:
        return _fault(ContentRefused(reason, param=param), "request")
    if status == 403:
        return _fault(ContentRefused(reason, param=param), "doubtful")
    return _fault(BadRequest(reason, param=param), "request")


def _failed(status: int) -> str:
    return f"The provider failed (status {status})." if 400 <= status < 600 else "The provider's answer makes no sense."


def _fault(failure: Failure, blame: Blame, after: int | None = None) -> Fault:
    return Fault(failure=failure, blame=blame, retry_after_ms=after)


def _status_in(report: Report) -> int:
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


def _param(param: str | None) -> str | None:
    """The field to blame, if it reads like one."""
    return param if param and len(param) <= 128 and clean(param) == param else None
