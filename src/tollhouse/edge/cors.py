"""Browsers may call the LLM API from any page: a key guards it, never a cookie. Elsewhere CORS stays closed."""

from collections.abc import Iterator
from typing import Final

from tollhouse.core.limit_status import LimitStatus
from tollhouse.edge.exchange import Exchange
from tollhouse.formats import dialects
from tollhouse.limits.discovery import limit_kinds


def _of_limits() -> Iterator[bytes]:
    """The headers of every limit kind that has some, as each dialect writes them."""
    for spec in dialects().values():
        for kind in limit_kinds():
            if kind.header is not None:
                yield from (name for name, _ in spec.limit_headers(LimitStatus(0, 0, 0), kind.header, 0))


EXPOSED: Final = b", ".join(
    (
        b"x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, server-timing",
        *dict.fromkeys(_of_limits()),
        b"x-tollhouse-output-cap, x-tollhouse-charge-usd, x-tollhouse-dropped, x-tollhouse-provider",
        b"x-tollhouse-attempts, deprecation, sunset",
    )
)


def always(request_id: str) -> tuple[tuple[bytes, bytes], ...]:
    """What stands in every head on the data plane."""
    tag = request_id.encode()
    return (
        (b"x-request-id", tag),
        (b"request-id", tag),
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", EXPOSED),
    )


async def preflight(exchange: Exchange) -> None:
    """204, without a key: browsers send none with a preflight. SDKs add headers, so what is asked is allowed."""
    asked = next((value for name, value in exchange.headers if name == b"access-control-request-headers"), None)
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
        (b"access-control-allow-headers", asked or b"authorization, content-type"),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"access-control-request-headers"),
        (b"allow", b"GET, HEAD, POST, OPTIONS"),
    ]
    await exchange.send_response(204, headers, b"")
