"""How a limit stands, in Anthropic's headers: `anthropic-ratelimit-requests-remaining`, the reset as an instant."""

from functools import cache

from tollhouse.core.limit_status import LimitStatus, instant


def limit_headers(status: LimitStatus, what: str, now_ms: int) -> tuple[tuple[bytes, bytes], ...]:
    """what: the word of the limit's kind, `requests` or `tokens`. now_ms: Unix milliseconds."""
    limit, remaining, reset = _names(what)
    return (
        (limit, b"%d" % status.limit),
        (remaining, b"%d" % status.remaining),
        (reset, instant(now_ms + status.reset_ms).encode()),
    )


@cache
def _names(what: str) -> tuple[bytes, bytes, bytes]:
    limit, remaining, reset = (
        f"anthropic-ratelimit-{what}-{word}".encode() for word in ("limit", "remaining", "reset")
    )
    return limit, remaining, reset
