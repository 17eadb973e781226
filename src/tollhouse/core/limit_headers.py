"""The headers of limits that most tools read: `x-ratelimit-remaining-requests`, the reset as a duration."""

from functools import cache

from tollhouse.core.limit_status import LimitStatus, spelled


def limit_headers(status: LimitStatus, what: str, now_ms: int) -> tuple[tuple[bytes, bytes], ...]:
    """See `limit_status.WriteLimit`. OpenAI sends these; Google sends none, so Gemini's callers get them too."""
    limit, remaining, reset = _names(what)
    return (
        (limit, b"%d" % status.limit),
        (remaining, b"%d" % status.remaining),
        (reset, spelled(status.reset_ms).encode()),
    )


@cache
def _names(what: str) -> tuple[bytes, bytes, bytes]:
    limit, remaining, reset = (f"x-ratelimit-{word}-{what}".encode() for word in ("limit", "remaining", "reset"))
    return limit, remaining, reset
