"""How a limit stands after a call, as headers and `GET /v1/key` show it."""

from typing import NamedTuple


class Standing(NamedTuple):
    """`reset_ms`: until the limit is wholly free again if nobody calls."""

    limit: int
    remaining: int
    reset_ms: int


def tightest(standings: list[Standing]) -> Standing | None:
    """The one with the least remaining: what headers show of several levels. None for no limit at all."""
    return min(standings, key=lambda standing: standing.remaining, default=None)


def request_headers(standing: Standing) -> tuple[tuple[bytes, bytes], ...]:
    """`x-ratelimit-*-requests`, as OpenAI writes them."""
    return (
        (b"x-ratelimit-limit-requests", b"%d" % standing.limit),
        (b"x-ratelimit-remaining-requests", b"%d" % standing.remaining),
        (b"x-ratelimit-reset-requests", spelled(standing.reset_ms).encode()),
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
