"""Errors as servers of the OpenAI format answer them, read into what the caller sees and whose fault it is.

What decides is the status and the machine-readable words of the body (`core.error_words`), never the
message; the exceptions are sentences that are named (`formats.openai.error_phrases`, and a cap in a 402). A status
from 400 to 499 is about the request, whatever its body looks like, except those that the table gives to others. A page
of HTML is never shown.

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
| a word or a sentence for a prompt that is too long     | 400 context_length_exceeded           | request  |
| a sentence: the model does not serve this operation    | 400 invalid_request_error, reason     | request  |
| 404, a word for an unknown model                       | 502 upstream_error                    | model    |
| 404 with another `param` than `model`                  | 400 invalid_request_error, reason     | request  |
| 413                                                    | 413 request_too_large                 | request  |
| 407, 421, 425                                          | 502 upstream_error                    | offer    |
| any other 4xx                                          | 400 invalid_request_error, reason     | request  |
| 300 to 399                                             | 502 upstream_error                    | offer    |
| anything else                                          | 502 upstream_error                    | offer    |

A refusal of the request keeps its code where that is one of the original's, and the members that clients act on.
"""

from typing import Final

from msgspec import structs

from tollhouse.core.cleaning import NOTHING_KNOWN, Known, clean, without_secrets
from tollhouse.core.error_report import Report, read_report
from tollhouse.core.error_words import (
    BAD_KEY,
    BAD_REQUEST,
    CAPACITY,
    EMPTY_ACCOUNT,
    NO_PERMISSION,
    NO_SUCH_MODEL,
    NOT_THE_REQUESTS,
    OVERLOADED,
    POLICY,
    SATURATED,
    TOO_LONG,
)
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
from tollhouse.core.reported_error import blamed, refusal
from tollhouse.core.upstream import Headers
from tollhouse.formats.openai.error_phrases import COMPATIBLE, OPENAI, ErrorPhrase, Meaning, meaning
from tollhouse.providers.kind import Fault
from tollhouse.providers.retry_after import retry_after_ms
from tollhouse.routing.health import Blame

_AGAIN_MS: Final = 1_000  # told to the caller where the provider told us nothing

_WORDS_MAX: Final = 300  # of what the operator is told
_CAPS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def read_error(operation: Operation, status: int, headers: Headers, body: bytes, known: Known = NOTHING_KNOWN) -> Fault:
    """Of OpenAI itself. See the table above. A status below 400 means that the body hides an error, or that the answer
    is none; its words then say which."""
    return _read(OPENAI, status, headers, body, known)


def read_compatible_error(
    operation: Operation, status: int, headers: Headers, body: bytes, known: Known = NOTHING_KNOWN
) -> Fault:
    """Of any other server of the OpenAI format."""
    return _read(COMPATIBLE, status, headers, body, known)


def _read(phrases: tuple[ErrorPhrase, ...], status: int, headers: Headers, body: bytes, known: Known) -> Fault:
    if 300 <= status < 400:
        return _redirected(status, headers)
    report = read_report(body)
    if status < 400:
        status = _status_in(report)
    after = retry_after_ms(headers)
    fault = (
        _account(status, report, after)
        or _capacity(status, report, after)
        or _request(status, report, meaning(phrases, report.message), known)
        or _fault(UpstreamError(_failed(status)), "offer", after)
    )
    return (
        structs.replace(fault, words=_for_operator(status, report, known))
        if _is_the_operators(status, fault)
        else fault
    )


def _redirected(status: int, headers: Headers) -> Fault:
    """It is not followed: the key would go along. Where it led is told to the operator alone."""
    to = next((value for name, value in headers if name == b"location"), b"").decode("latin-1")
    where = f" to {without_secrets(to)[:_WORDS_MAX]}" if to else ""
    words = f"HTTP {status}: it redirects{where}, which is not followed; correct base_url to where it leads"
    failure = UpstreamError("The provider answers with a redirect, which is not followed.", should_retry=False)
    return Fault(failure=failure, blame="offer", words=words)


def _account(status: int, report: Report, after: int | None) -> Fault | None:
    """Our key, or the account behind it."""
    words = report.words
    if status == 402 and _asks_for_less(report):
        return None
    if status == 402 or words & EMPTY_ACCOUNT:
        refused = "The provider refused this platform's account; the platform's operator has to settle it."
        return _fault(UpstreamError(refused, should_retry=False), "key", after)
    ours = status == 401 or (status in (400, 403) and words & BAD_KEY) or (status == 403 and words & NO_PERMISSION)
    if ours and not words & POLICY:
        return _fault(UpstreamRefusedKey("The provider refused this platform's credentials."), "key", after)
    return None


def _asks_for_less(report: Report) -> bool:
    """A 402 that the request can cure: what it may cost at most is more than is left there. Only the message tells it
    from an empty account (OpenRouter names `max_tokens` in it, "requires more credits, or fewer max_tokens")."""
    return any(cap in report.message for cap in _CAPS)


def _capacity(status: int, report: Report, after: int | None) -> Fault | None:
    """The provider has too much to do, or is too slow."""
    again = _AGAIN_MS if after is None else after
    if status == 429 or (status == 413 and report.words & SATURATED):
        saturated = UpstreamSaturated("The provider of this model is saturated; try again later.", retry_after_ms=again)
        return _fault(saturated, "key", after)
    if status in (503, 529) or (status >= 498 and report.words & CAPACITY):
        overloaded = Overloaded("The provider of this model is overloaded; try again later.", retry_after_ms=again)
        return _fault(overloaded, "offer", after)
    if status in (408, 504, 524):
        return _fault(UpstreamTimeout("The provider took too long to answer."), "offer", after)
    return None


def _request(status: int, report: Report, means: Meaning | None, known: Known) -> Fault | None:
    """What is about the request, and would be refused by any provider."""
    if status == 413:
        return _fault(RequestTooLarge("The request is larger than the provider of this model takes."), "request")
    if not (400 <= status < 500 or (status == 501 and means)) or status in NOT_THE_REQUESTS:
        return None
    words, param = report.words | report.quoted, blamed(report, known)
    reason = clean(report.message, known) or "The provider refused the request and gave no reason."
    if words & TOO_LONG or means == "too_long":
        return _fault(refusal(ContextTooLong, report, reason, known), "request")
    if means == "wrong_operation":
        return _fault(refusal(BadRequest, report, reason, known), "request")
    if report.words & NO_SUCH_MODEL or (status == 404 and param in (None, "model")):
        return _fault(UpstreamError("The provider does not serve this model where it was expected."), "model")
    if words & POLICY:
        return _fault(refusal(ContentRefused, report, reason, known), "request")
    if status == 403:
        return _fault(refusal(ContentRefused, report, reason, known), "doubtful")
    return _fault(refusal(BadRequest, report, reason, known), "request")


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
        (BAD_KEY, 401),
        (SATURATED, 429),
        (OVERLOADED, 503),
        (TOO_LONG | POLICY | BAD_REQUEST, 400),
        (NO_SUCH_MODEL, 404),
    ):
        if report.words & known:
            return status
    return 502


def _is_the_operators(status: int, fault: Fault) -> bool:
    """Whether the operator can mend it: what is wrong with the key, the model's name or the address, not a bad day."""
    if isinstance(fault.failure, UpstreamSaturated):
        return False
    return fault.blame in ("key", "model", "doubtful") or (fault.blame == "offer" and status in NOT_THE_REQUESTS)


def _for_operator(status: int, report: Report, known: Known) -> str:
    """The provider's own words, for whoever can act on them, up to where a request may be repeated; a page says
    nothing."""
    said = " ".join(without_secrets(report.message, known).partition("{")[0].split())[:_WORDS_MAX]
    return f"HTTP {status}: {said}" if said and "<" not in said else f"HTTP {status}"
