"""An error on its way out: the failure in the caller's dialect, with the headers that tell a client what to do next."""

import math
from typing import Final

from tollhouse.core.codec import Codec
from tollhouse.core.failure import Failure, InsufficientQuota
from tollhouse.core.operation import Dialect
from tollhouse.core.upstream import Headers
from tollhouse.edge.exchange import JSON, Exchange
from tollhouse.formats import dialects

WAIT_MS: Final = 1000
"""What is said where nobody knows better: a 429 or 503 without `Retry-After` is retried at once, by everybody."""

_WAIT = frozenset((429, 503))


async def refuse(
    exchange: Exchange, dialect: Dialect, failure: Failure, request_id: str, codec: Codec | None = None
) -> None:
    """Answer with a failure. Only where no byte of an answer has left yet. codec: of a call; None: it was no call."""
    if codec is not None:
        status, body = codec.error_status(failure), codec.error_body(failure, request_id)
    else:
        spec = dialects()[dialect]
        status, body = spec.error_status(failure), spec.error_body(failure, request_id)
    await exchange.send_response(status, headers_of(failure), body)


def headers_of(failure: Failure) -> Headers:
    """`Retry-After` in whole seconds, rounded up, beside the exact `retry-after-ms`; `x-should-retry` for SDKs.

    Every 429 and 503 says when, but a used-up balance, which only somebody's payment ends.
    """
    headers: Headers = [JSON, *failure.headers]
    wait_ms = failure.retry_after_ms
    if wait_ms is None and failure.status in _WAIT and not isinstance(failure, InsufficientQuota):
        wait_ms = WAIT_MS
    if wait_ms is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(wait_ms / 1000)))
        headers.append((b"retry-after-ms", b"%d" % wait_ms))
    if failure.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if failure.should_retry else b"false"))
    return headers
