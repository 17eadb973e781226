"""Errors that a provider reports inside a 200, as a body or as an event, turned into failures of ours.

Shapes seen: `{"error": {"message", "type", "code"}}`, `{"error": "text"}`, a flat `{"object": "error", ...}` or
`{"type": "error", ...}`, and an answer of `/v1/responses` whose `error` is not null. Judged by code and type alone,
never by the message. Only a refusal of the request itself keeps its reason, because the caller can act on that.
"""

from tollhouse.core.cleaning import clean
from tollhouse.core.failure import (
    BadRequest,
    ContentRefused,
    ContextTooLong,
    Failure,
    Overloaded,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
)

_Object = dict[str, object]

_REFUSED_KEY = frozenset(
    {"invalid_api_key", "authentication_error", "permission_error", "insufficient_quota", "billing_error"}
)
_SATURATED = frozenset(
    {
        "rate_limit_exceeded",
        "rate_limit_error",
        "rate_limit_reached",
        "resource_exhausted",
        "too_many_requests",
    }
)
_OVERLOADED = frozenset(
    {"overloaded_error", "overloaded", "server_overloaded", "engine_overloaded_error", "server_is_overloaded"}
)
_TOO_LONG = frozenset({"context_length_exceeded", "string_above_max_length"})
_POLICY = frozenset({"content_policy_violation", "content_policy", "content_filter", "moderation_blocked"})
_BAD = frozenset({"invalid_request_error", "badrequesterror", "invalid_prompt"})
_NOT_THE_REQUESTS = frozenset({401, 402, 403, 407, 408, 421, 425, 429})  # statuses from 400 to 499 besides these are


def error_in(answer: _Object) -> object:
    """What an answer or event says went wrong; None where it says nothing of that kind."""
    error = answer.get("error")
    if error:
        return error
    if answer.get("object") == "error" or answer.get("type") == "error":
        return answer
    return None


def failure_of(error: object) -> Failure:
    """The failure that stands for an error object (or text) of a provider."""
    if not isinstance(error, dict):
        return UpstreamError("The provider reported an error instead of an answer.")
    words = {str(error.get(name)).lower() for name in ("code", "type", "status")}
    if words & _TOO_LONG:
        return ContextTooLong(_reason(error))
    if words & _POLICY or ("403" in words and not words & _REFUSED_KEY):
        return ContentRefused(_reason(error))
    if words & _REFUSED_KEY or words & {"401", "402"}:
        return UpstreamRefusedKey("The provider refused this platform's credentials or its account there.")
    if words & _SATURATED or "429" in words:
        return UpstreamSaturated("The provider has reached its rate limit.")
    if words & _OVERLOADED or words & {"503", "529"}:
        return Overloaded("The provider is overloaded.")
    if words & _BAD or any(_blames_the_request(word) for word in words):
        return BadRequest(_reason(error))
    return UpstreamError("The provider reported an error instead of an answer.")


def _blames_the_request(word: str) -> bool:
    return word.isdecimal() and len(word) == 3 and 400 <= int(word) < 500 and int(word) not in _NOT_THE_REQUESTS


def _reason(error: _Object) -> str:
    message = error.get("message")
    if not isinstance(message, str) or not message:
        return "The provider refused the request without a reason."
    reason = clean(message)
    return f"The provider refused the request: {reason}" if reason else "The provider refused the request."
