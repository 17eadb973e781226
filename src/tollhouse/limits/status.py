"""How a limit stands after a call, as headers and `GET /v1/key` show it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from tollhouse.core.operation import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPENAI: Mapping[str, tuple[bytes, bytes, bytes]] = {
    "requests": (b"x-ratelimit-limit-requests", b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
    "tokens": (b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
}
_ANTHROPIC: Mapping[str, tuple[bytes, bytes, bytes]] = {
    "requests": (
        b"anthropic-ratelimit-requests-limit",
        b"anthropic-ratelimit-requests-remaining",
        b"anthropic-ratelimit-requests-reset",
    ),
    "tokens": (
        b"anthropic-ratelimit-tokens-limit",
        b"anthropic-ratelimit-tokens-remaining",
        b"anthropic-ratelimit-tokens-reset",
    ),
}


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


def headers(
    status: LimitStatus, what: Literal["requests", "tokens"], dialect: Dialect, now_ms: int
) -> tuple[tuple[bytes, bytes], ...]:
    """As Anthropic writes them on its routes, and as OpenAI does on all others."""
    if dialect == "anthropic":
        names, reset = _ANTHROPIC[what], instant(now_ms + status.reset_ms)
    else:
        names, reset = _OPENAI[what], spelled(status.reset_ms)
    return (
        (names[0], b"%d" % status.limit),
        (names[1], b"%d" % status.remaining),
        (names[2], reset.encode()),
    )


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
