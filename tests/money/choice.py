"""How a move draws its details, and amounts that are near what calls hold: money runs short to the last nano-dollar."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tests.money import tariff, traffic
from tests.money.checker import Checker
from tests.money.products import PRICES

T = TypeVar("T")

Choose = Callable[[int], int]
"""One of so many: 0 is the plainest."""

ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Havana", "Pacific/Apia")


def pick(choose: Choose, things: Sequence[T]) -> T:
    return things[choose(len(things))]


def amount(checker: Checker, choose: Choose) -> int:
    """Nano-USD: what so many plain calls hold, to the last of them; now and then plenty, or next to nothing."""
    kind = choose(8)
    if kind == 6:
        return 10_000_000_000
    if kind == 7:
        return 1 + choose(3)
    return max(1, plain_hold(checker) * (1 + choose(5)) + pick(choose, (0, -1, 1, -40_000, 90_000)))


def plain_hold(checker: Checker) -> int:
    prices = checker.books.price("plain", checker.now_ms) or PRICES[0]
    return tariff.worst(prices, traffic.PLAIN_BYTES, traffic.PLAIN_CAP)
