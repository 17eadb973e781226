"""Which of several limits of one kind headers show."""

from tollhouse.core.limit_status import LimitStatus


def tightest(statuses: list[LimitStatus]) -> LimitStatus | None:
    """The one with the least remaining: what headers show of several levels. None for no limit at all."""
    if len(statuses) == 1:  # by far the most frequent
        return statuses[0]
    return min(statuses, key=_remaining, default=None)


def _remaining(status: LimitStatus) -> int:
    return status.remaining
