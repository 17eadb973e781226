"""Months of UTC, by which statements and sums go."""

from datetime import UTC, datetime

_MONTHS_SHOWN = 24


def month_start_ms(now_ms: int) -> int:
    """When the month of an instant began."""
    now = datetime.fromtimestamp(now_ms / 1_000, UTC)
    return int(datetime(now.year, now.month, 1, tzinfo=UTC).timestamp()) * 1_000


def months_since(first_ms: int, now_ms: int) -> list[str]:
    """`2026-11`, the newest first, at most 24 of them."""
    first, last = (datetime.fromtimestamp(ms / 1_000, UTC) for ms in (first_ms, now_ms))
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    newest = last.year * 12 + last.month - 1
    return [f"{at // 12:04}-{at % 12 + 1:02}" for at in range(newest, newest - min(max(count, 1), _MONTHS_SHOWN), -1)]
