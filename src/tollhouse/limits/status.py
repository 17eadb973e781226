"""How a limit stands after a call, as headers and `GET /v1/key` show it."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from tollhouse.core.operation import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LimitStatus(NamedTuple):
    """`reset_ms`: until the limit is wholly free again if nobody calls."""

    limit: int
    remaining: int
    reset_ms: int


def tightest(statuses: list[LimitStatus]) -> LimitStatus | None:
    """The one with the least remaining: what headers show of several levels. None for no limit at all."""
    if len(statuses) == 1:  # by far the most frequent
        return statuses[0]
    return min(statuses, key=_remaining, default=None)


def headers(status: LimitStatus, what: str, dialect: Dialect, now_ms: int) -> tuple[tuple[bytes, bytes], ...]:
    """As Anthropic writes them on its routes, and as OpenAI does on all others. what: the word of the limit's kind."""
    names = _names(what, dialect)
    reset = instant(now_ms + status.reset_ms) if dialect == "anthropic" else spelled(status.reset_ms)
    return (
        (names[0], b"%d" % status.limit),
        (names[1], b"%d" % status.remaining),
        (names[2], reset.encode()),
    )


@cache
def _names(what: str, dialect: Dialect) -> tuple[bytes, bytes, bytes]:
    """Of the limit, of what remains, and of when it is wholly free again."""
    if dialect == "anthropic":
        limit, remaining, reset = (f"anthropic-ratelimit-{what}-{word}" for word in ("limit", "remaining", "reset"))
    else:
        limit, remaining, reset = (f"x-ratelimit-{word}-{what}" for word in ("limit", "remaining", "reset"))
    return limit.encode(), remaining.encode(), reset.encode()


def spelled(duration_ms: int) -> str:
    """A duration as `x-ratelimit-reset-*` carries it: `120ms`, `7s`, `6m0s`, `1h0m30s`. Rounded up, never early."""
    if duration_ms <= 0:
        return "0s"
    if duration_ms < 1000:
        return f"{duration_ms}ms"
    seconds = -(-duration_ms // 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def instant(time_ms: int) -> str:
    """An instant by RFC 3339 to the second: `2026-09-21T12:26:40Z`. Rounded up, never early."""
    return (_EPOCH + timedelta(seconds=-(-time_ms // 1000))).strftime("%Y-%m-%dT%H:%M:%SZ")


def _remaining(status: LimitStatus) -> int:
    return status.remaining
