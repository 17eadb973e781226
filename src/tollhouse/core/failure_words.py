"""What each failure means and what to do about it: the words of docs/errors.md, for pages that name one.

A test compares both, cell by cell; marks of Markdown are the page's.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class FailureWords(NamedTuple):
    happened: str
    cure: str


FAILURE_WORDS: Final[Mapping[tuple[str, int], FailureWords]] = {
    ("invalid_api_key", 401): FailureWords(
        (
            "the key is missing, damaged, unknown, expired or revoked; the message says which, and in "
            "which header it looked"
        ),
        "check the key and the header it travels in",
    ),
    ("not_permitted", 403): FailureWords(
        "the key may not do this",
        "ask the account's owner",
    ),
    ("model_not_allowed", 403): FailureWords(
        "the key is restricted to other models",
        "use one that `GET /v1/models` lists, or have the key's models extended",
    ),
    ("ip_not_allowed", 403): FailureWords(
        "the key is restricted to other networks",
        "call from there, or have the key's networks extended",
    ),
    ("account_suspended", 403): FailureWords(
        "the account was suspended",
        "ask whoever runs the platform",
    ),
    ("key_frozen", 403): FailureWords(
        "the key was frozen; it can be unfrozen",
        "ask the account's owner",
    ),
    ("scope_missing", 403): FailureWords(
        "the key lacks the scope for this endpoint",
        "use another key, or have the scope added",
    ),
    ("invalid_request_error", 400): FailureWords(
        "the body is no JSON, or a field is missing or wrong; `param` names it",
        "mend the request",
    ),
    ("context_length_exceeded", 400): FailureWords(
        "the prompt is longer than the model can read",
        "shorten it, or choose a model with a larger context",
    ),
    ("unsupported_parameter", 400): FailureWords(
        "the provider behind this model cannot do what a field asks for; `param` names it",
        "leave the field out, or choose another model",
    ),
    ("max_cost_exceeded", 400): FailureWords(
        "the worst case costs more than `x-tollhouse-max-cost-usd` allows",
        "raise the bound, or lower the output cap",
    ),
    ("content_policy_violation", 400): FailureWords(
        (
            "the provider does not take the content of this request (its content filter, or a 403 that "
            "is not about our key)"
        ),
        "change the content; the message gives the provider's reason",
    ),
    ("model_not_found", 404): FailureWords(
        "no such model for this key; the message names near ones",
        "use an id from `GET /v1/models`, spelled exactly so",
    ),
    ("not_found", 404): FailureWords(
        "no such path or object",
        "check method and path; `GET /` lists the endpoints",
    ),
    ("method_not_allowed", 405): FailureWords(
        "the path exists, the method does not",
        "use one that the `Allow` header names",
    ),
    ("upgrade_required", 426): FailureWords(
        "a WebSocket was asked for where none is served",
        "use HTTPS; clients fall back by themselves",
    ),
    ("request_too_large", 413): FailureWords(
        "the body is larger than the platform takes",
        "send less, or ask for `max_body_bytes` to be raised",
    ),
    ("invalid_request_error", 415): FailureWords(
        "the body is compressed in a way that is not read here (gzip, deflate, br and zstd are)",
        "send it as it is, without `Content-Encoding`",
    ),
    ("headers_too_large", 431): FailureWords(
        "request line and headers are too large",
        "send fewer or shorter headers",
    ),
    ("request_timeout", 408): FailureWords(
        "headers or body came too slowly",
        "try again over a better connection",
    ),
    ("conflict", 409): FailureWords(
        "a change does not fit what stands, such as a name that is taken",
        "read the object again, then decide",
    ),
    ("rate_limit_exceeded", 429): FailureWords(
        "a limit of the key, project, account or model is reached, or every provider is saturated",
        "wait as `Retry-After` says; SDKs do so by themselves",
    ),
    ("insufficient_quota", 429): FailureWords(
        "balance or budget is used up; the message names which, and who can raise it",
        "have it raised; trying again does not help",
    ),
    ("model_not_priced", 503): FailureWords(
        "the model has no price, so it is not sold",
        "tell whoever runs the platform",
    ),
    ("upstream_error", 502): FailureWords(
        "the provider refused our credentials, answered nonsense, or broke off before the first byte",
        "try again; if it stays, quote the request id",
    ),
    ("upstream_timeout", 504): FailureWords(
        "the provider was too slow",
        "try again, or choose another model",
    ),
    ("overloaded", 503): FailureWords(
        "the platform sheds load, is being restarted, or has lost its database",
        "wait as `Retry-After` says",
    ),
    ("server_error", 500): FailureWords(
        "a defect of the platform; nothing was charged",
        "quote the request id to whoever runs it",
    ),
}
"""By code and status."""


def words_of(code: str, status: int) -> FailureWords | None:
    """None: a code of the provider's own, or one that pages do not explain."""
    return FAILURE_WORDS.get((code, status))
