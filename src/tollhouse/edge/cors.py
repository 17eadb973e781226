"""Browsers may call the LLM API from any page: a key guards it, never a cookie. Elsewhere CORS stays closed."""

from tollhouse.edge.exchange import Exchange

EXPOSED = b", ".join(
    (
        b"x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, server-timing",
        b"x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests",
        b"x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens",
        b"anthropic-ratelimit-requests-limit, anthropic-ratelimit-requests-remaining",
        b"anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit",
        b"anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset",
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
