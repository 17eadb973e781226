"""The limit that headers show."""

from tollhouse.core.limit_status import LimitStatus
from tollhouse.limits.tightest import tightest


def test_headers_show_the_limit_with_the_least_remaining() -> None:
    assert tightest([LimitStatus(10, 6, 24_000), LimitStatus(4, 3, 15_000), LimitStatus(9, 9, 0)]) == LimitStatus(
        4, 3, 15_000
    )
    assert tightest([LimitStatus(1, 1, 0)]) == LimitStatus(1, 1, 0)
    assert tightest([]) is None
