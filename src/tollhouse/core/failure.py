"""Everything that can go wrong, once: the error table of the contract (section 4) as a tree of exceptions.

    Failure
    +- KeyRefused             401  invalid_api_key       none, malformed, unknown, expired, revoked key
    +- NotPermitted           403  permission_error
    |  +- ModelNotAllowed          model_not_allowed     +- AddressNotAllowed   ip_not_allowed
    |  +- AccountSuspended         account_suspended     +- KeyFrozen           key_frozen
    |  +- ScopeMissing             scope_missing
    +- BadRequest             400  invalid_request_error
    |  +- ContextTooLong           context_length_exceeded
    |  +- UnsupportedParameter     unsupported_parameter
    |  +- MaxCostExceeded          max_cost_exceeded
    |  +- ContentRefused           content_policy_violation: the provider does not take this content
    +- ModelNotFound          404  model_not_found
    +- PathNotFound           404  not_found
    +- MethodNotAllowed       405  method_not_allowed
    +- UpgradeRequired        426  upgrade_required
    +- RequestTooLarge        413  request_too_large
    +- EncodingUnknown        415  invalid_request_error a body compressed in a way that is not read here
    +- HeadersTooLarge        431  headers_too_large
    +- RequestTimeout         408  request_timeout
    +- Conflict               409  conflict (control API)
    |  +- IdempotencyConflict      idempotency_conflict  +- IdempotencyInProgress  idempotency_in_progress
    +- RateLimited            429  rate_limit_exceeded
    |  +- UpstreamSaturated        the provider's own 429, everywhere
    +- InsufficientQuota      429  insufficient_quota    (402 in the anthropic dialect)
    +- ModelNotPriced         503  model_not_priced
    +- UpstreamError          502  upstream_error        refused credentials, nonsense, broke off
    |  +- UpstreamUnreachable      not connected: nothing was sent, so trying elsewhere is always safe
    |  +- UpstreamBroke            the connection or the answer ended before it was whole
    |  +- UpstreamRefusedKey       our credentials
    +- UpstreamTimeout        504  upstream_timeout
    +- Overloaded             503  overloaded            (529 in the anthropic dialect) shedding, draining, no database
    |  +- ConnectionsTaken         those to a provider that the caller's account may use; nothing was sent
    |  +- MemoryTaken              so are the places for large requests, or for large answers
    +- Defect                 500  server_error          our own defect

Any package raises these; only a format's `failure.py` turns one into bytes, in that format's own error shape.
No package raises a bare status number, and none reads the message text to decide anything.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from msgspec import Struct

from tollhouse.core.links import Links


class Original(Struct, frozen=True):
    """What a provider's refusal said that clients act on, and that stays as it came: its code, and other members of the
    error, such as `failed_generation`. Only what `protocols` knows to be of that kind."""

    code: str | None = None
    members: Mapping[str, object] = {}


class Failure(Exception):
    """A request ends here; `message` is what the caller reads.

    phrase: the same as pages say it, in the language of whoever looks at them.
    retry_after_ms: when trying again can help, None where the caller need not wait.
    should_retry: what SDKs are told by `x-should-retry`; None leaves it to them.
    param: the request field to blame, as `messages[1].role`.
    original: of a provider's refusal, what stays of it in an answer of the OpenAI format.
    links: pages about it, for formats that name some; set on the way out.
    """

    code: ClassVar[str] = "server_error"
    status: ClassVar[int] = 500
    openai_type: ClassVar[str] = "server_error"
    anthropic_type: ClassVar[str] = "api_error"
    anthropic_status: ClassVar[int | None] = None  # where it differs from `status`
    gemini_status: ClassVar[str] = "INTERNAL"
    retry_default: ClassVar[bool | None] = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        retry_after_ms: int | None = None,
        should_retry: bool | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        original: Original | None = None,
    ) -> None:
        super().__init__(message)
        self.message = str(message)
        self.phrase = message
        self.param = param
        self.retry_after_ms = retry_after_ms
        self.should_retry = self.retry_default if should_retry is None else should_retry
        self.headers = headers
        self.original = original
        self.links: Links | None = None
        if retry_after_ms is not None and retry_after_ms > 60_000:
            self.should_retry = False

    def public_message(self, request_id: str) -> str:
        """The message as a caller reads it: from 500 on it ends with the request id, for whoever reports it. An empty
        id, where nobody recorded the request, is left out."""
        if self.status < 500 or not request_id:
            return self.message
        sentence = self.message[:1].upper() + self.message[1:]
        return f"{sentence}{'' if sentence.endswith('.') else '.'} Request id: {request_id}"


class KeyRefused(Failure):
    code = "invalid_api_key"
    status = 401
    openai_type = "invalid_request_error"
    anthropic_type = "authentication_error"
    gemini_status = "UNAUTHENTICATED"


class NotPermitted(Failure):
    code = "not_permitted"
    status = 403
    openai_type = "permission_error"
    anthropic_type = "permission_error"
    gemini_status = "PERMISSION_DENIED"


class ModelNotAllowed(NotPermitted):
    code = "model_not_allowed"


class AddressNotAllowed(NotPermitted):
    code = "ip_not_allowed"


class AccountSuspended(NotPermitted):
    code = "account_suspended"


class KeyFrozen(NotPermitted):
    code = "key_frozen"


class ScopeMissing(NotPermitted):
    code = "scope_missing"


class BadRequest(Failure):
    code = "invalid_request_error"
    status = 400
    openai_type = "invalid_request_error"
    anthropic_type = "invalid_request_error"
    gemini_status = "INVALID_ARGUMENT"


class ContextTooLong(BadRequest):
    code = "context_length_exceeded"


class UnsupportedParameter(BadRequest):
    code = "unsupported_parameter"


class MaxCostExceeded(BadRequest):
    code = "max_cost_exceeded"


class ContentRefused(BadRequest):
    code = "content_policy_violation"


class ModelNotFound(Failure):
    code = "model_not_found"
    status = 404
    openai_type = "invalid_request_error"
    anthropic_type = "not_found_error"
    gemini_status = "NOT_FOUND"


class PathNotFound(Failure):
    code = "not_found"
    status = 404
    openai_type = "invalid_request_error"
    anthropic_type = "not_found_error"
    gemini_status = "NOT_FOUND"


class MethodNotAllowed(Failure):
    """Carries an `Allow` header (RFC 9110, 15.5.6)."""

    code = "method_not_allowed"
    status = 405
    openai_type = "invalid_request_error"
    anthropic_type = "invalid_request_error"
    gemini_status = "INVALID_ARGUMENT"


class UpgradeRequired(Failure):
    code = "upgrade_required"
    status = 426
    openai_type = "invalid_request_error"
    anthropic_type = "invalid_request_error"
    gemini_status = "INVALID_ARGUMENT"


class RequestTooLarge(Failure):
    code = "request_too_large"
    status = 413
    openai_type = "invalid_request_error"
    anthropic_type = "request_too_large"
    gemini_status = "INVALID_ARGUMENT"


class EncodingUnknown(Failure):
    code = "invalid_request_error"
    status = 415
    openai_type = "invalid_request_error"
    anthropic_type = "invalid_request_error"
    gemini_status = "INVALID_ARGUMENT"


class HeadersTooLarge(Failure):
    code = "headers_too_large"
    status = 431
    openai_type = "invalid_request_error"
    anthropic_type = "invalid_request_error"
    gemini_status = "INVALID_ARGUMENT"


class RequestTimeout(Failure):
    code = "request_timeout"
    status = 408
    openai_type = "invalid_request_error"
    anthropic_type = "invalid_request_error"
    gemini_status = "INVALID_ARGUMENT"


class Conflict(Failure):
    """A change of the control API does not fit what stands: a name taken, a final state."""

    code = "conflict"
    status = 409
    openai_type = "invalid_request_error"
    anthropic_type = "conflict_error"
    gemini_status = "ABORTED"


class RateLimited(Failure):
    code = "rate_limit_exceeded"
    status = 429
    openai_type = "rate_limit_error"
    anthropic_type = "rate_limit_error"
    gemini_status = "RESOURCE_EXHAUSTED"


class UpstreamSaturated(RateLimited):
    pass


class InsufficientQuota(Failure):
    code = "insufficient_quota"
    status = 429
    openai_type = "insufficient_quota"
    anthropic_type = "billing_error"
    anthropic_status = 402
    gemini_status = "RESOURCE_EXHAUSTED"
    retry_default = False


class ModelNotPriced(Failure):
    code = "model_not_priced"
    status = 503
    gemini_status = "UNAVAILABLE"
    retry_default = False


class UpstreamError(Failure):
    code = "upstream_error"
    status = 502
    gemini_status = "UNAVAILABLE"


class UpstreamUnreachable(UpstreamError):
    pass


class UpstreamBroke(UpstreamError):
    pass


class UpstreamRefusedKey(UpstreamError):
    retry_default = False


class UpstreamTimeout(Failure):
    code = "upstream_timeout"
    status = 504
    anthropic_type = "timeout_error"
    gemini_status = "DEADLINE_EXCEEDED"


class Overloaded(Failure):
    code = "overloaded"
    status = 503
    anthropic_type = "overloaded_error"
    anthropic_status = 529
    gemini_status = "UNAVAILABLE"


class ConnectionsTaken(Overloaded):
    pass


class MemoryTaken(Overloaded):
    pass


class Defect(Failure):
    pass


def every_failure() -> Iterator[type[Failure]]:
    """Each kind of failure, parents before children: for tests and for the pages that explain the codes."""
    queue: list[type[Failure]] = [Failure]
    while queue:
        kind = queue.pop(0)
        if kind is not Failure:
            yield kind
        queue.extend(kind.__subclasses__())
