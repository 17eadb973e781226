"""How a limit stands, and the two ways in which headers say when it is free again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LimitStatus(NamedTuple):
    """`reset_ms`: until the limit is wholly free again if nobody calls."""

    limit: int
    remaining: int
    reset_ms: int


WriteLimit = Callable[[LimitStatus, str, int], tuple[tuple[bytes, bytes], ...]]
"""The headers of a limit, as a dialect writes them: how it stands, the word of its kind, and the time in Unix
milliseconds."""


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
