"""Step 5: which of our codes an error has, from what its text shows: a code, a type, a status, words of a message."""

import re
from collections.abc import Mapping
from typing import Final

from tollhouse.core.failure import every_failure

_STATUSES: Final = {kind.code: kind.status for kind in reversed(list(every_failure()))}
STATUS_OF: Final[Mapping[str, int]] = {**_STATUSES, "invalid_request_error": 400}
"""The usual status of each code."""
_SHARED: Final = frozenset(("invalid_request_error", "server_error"))
"""Codes that are types, too: a better one goes before them."""
_FOREIGN: Final[Mapping[str, str]] = {
    "unknown_url": "not_found",
    "context_length_error": "context_length_exceeded",
    "string_above_max_length": "context_length_exceeded",
    "billing_hard_limit_reached": "insufficient_quota",
    "billing_not_active": "insufficient_quota",
    "invalid_model": "model_not_found",
    "model_not_supported": "model_not_found",
    "content_filter": "content_policy_violation",
    "invalid_prompt": "content_policy_violation",
    "rate_limit_reached": "rate_limit_exceeded",
    "tokens": "rate_limit_exceeded",
    "requests": "rate_limit_exceeded",
    "missing_api_key": "invalid_api_key",
    "invalid_authentication": "invalid_api_key",
    "unsupported_value": "unsupported_parameter",
    "invalid_value": "invalid_request_error",
    "invalid_type": "invalid_request_error",
    "missing_required_parameter": "invalid_request_error",
    "service_unavailable": "overloaded",
    "internal_error": "server_error",
}
"""Codes of others that people paste, by ours."""
_TYPES: Final[Mapping[str, str]] = {
    "authentication_error": "invalid_api_key",
    "billing_error": "insufficient_quota",
    "conflict_error": "conflict",
    "request_too_large": "request_too_large",
    "rate_limit_error": "rate_limit_exceeded",
    "timeout_error": "upstream_timeout",
    "overloaded_error": "overloaded",
    "UNAUTHENTICATED": "invalid_api_key",
    "ABORTED": "conflict",
    "DEADLINE_EXCEEDED": "upstream_timeout",
    "INTERNAL": "server_error",
}
"""Types of Anthropic and statuses of Google that stand for one code each."""
_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"may not call the model|models? .{0,60}not allowed", "model_not_allowed"),
        (r"may not be used from the address|bound to certain networks", "ip_not_allowed"),
        (r"account \S{1,60} is suspended|account (?:was|has been) suspended", "account_suspended"),
        (r"is frozen", "key_frozen"),
        (
            r"needs a key with the scope|needs an admin key|is an admin key|does not include|control socket",
            "scope_missing",
        ),
        (
            r"does not exist or is not yours|was retired on|the model .{1,90} does not exist|no such model",
            "model_not_found",
        ),
        (r"is not offered here|there is no (?:page|GET|POST)|page not found", "not_found"),
        (r" takes [A-Z, ]+(?:or [A-Z]+)?, not ", "method_not_allowed"),
        (r"websocket|upgrade", "upgrade_required"),
        (r"larger than .{0,40}bytes|too large|holds more than", "request_too_large"),
        (r"maximum context|context (?:length|window)|too long for|longer than the model", "context_length_exceeded"),
        (r"x-tollhouse-max-cost-usd|worst case costs", "max_cost_exceeded"),
        (r"content (?:policy|filter|management)|safety system", "content_policy_violation"),
        (
            r"not supported|cannot be (?:answered here|passed on)|unsupported parameter|changes what .{0,40} bills",
            "unsupported_parameter",
        ),
        (r"has no price|not priced", "model_not_priced"),
        (r"insufficient|balance|budget|quota|used up", "insufficient_quota"),
        (r"requests? (?:a|per) minute|tokens? (?:a|per) minute|rate limit|saturated|too many", "rate_limit_exceeded"),
        (r"idempot|already (?:taken|exists)|a change does not fit", "conflict"),
        (r"provider .{0,60}(?:refused|failed|broke|answered)|upstream", "upstream_error"),
        (r"too slow|in time", "upstream_timeout"),
        (r"this platform failed|defect", "server_error"),
        (r"(?:headers?|request line) .{0,40}too (?:large|long|many)", "headers_too_large"),
        (r"api key|revoked|expired", "invalid_api_key"),
    )
)
_BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid_request_error", 401: "invalid_api_key", 402: "insufficient_quota", 403: "not_permitted",
    404: "not_found", 405: "method_not_allowed", 408: "request_timeout", 409: "conflict", 413: "request_too_large",
    415: "invalid_request_error", 422: "invalid_request_error", 426: "upgrade_required", 429: "rate_limit_exceeded",
    431: "headers_too_large", 500: "server_error", 502: "upstream_error", 503: "overloaded", 504: "upstream_timeout",
    529: "overloaded",
}  # fmt: skip
_OF_STATUS: Final[Mapping[int, frozenset[str]]] = {
    status: frozenset(kind.code for kind in every_failure() if status in (kind.status, kind.anthropic_status))
    for status in _BY_STATUS
}


def code_of(codes: list[str], kinds: list[str], status: int | None, message: str) -> str | None:
    """codes: what stands in the text as code or reason; kinds: as type or status, in words; status: of HTTP."""
    named = [_FOREIGN.get(code, code) for code in codes]
    known = [code for code in named if code in STATUS_OF]
    best = next((code for code in known if code not in _SHARED), None)
    if best is not None:
        return best
    by_type = next((_TYPES[kind] for kind in kinds if kind in _TYPES), None)
    possible = _OF_STATUS.get(status) if status is not None else None
    if status == 429 and by_type is None and "insufficient_quota" in kinds:
        return "insufficient_quota"
    fits = status is None or by_type in (possible or ())
    if by_type is not None and fits and by_type not in ("rate_limit_exceeded", "server_error"):
        return by_type
    by_words = next(
        (code for pattern, code in _WORDS if (possible is None or code in possible) and pattern.search(message)), None
    )
    if by_words is not None and (status is not None or kinds):
        return by_words
    fitting = next((code for code in known if possible is None or code in possible), None)
    return fitting or by_type or (_BY_STATUS.get(status) if status is not None else None)
