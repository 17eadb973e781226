"""How a move draws its details, and amounts that are near what calls hold: money runs short to the last nano-dollar."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tests.money import tariff, traffic
from tests.money.shop import PRICES
from tests.money.world import World

T = TypeVar("T")

Choose = Callable[[int], int]
"""One of so many: 0 is the plainest."""

ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Havana", "Pacific/Apia")


def pick(choose: Choose, things: Sequence[T]) -> T:
    return things[choose(len(things))]


def amount(world: World, choose: Choose) -> int:
    """Nano-USD: what so many plain calls hold, to the last of them; now and then plenty, or next to nothing."""
    kind = choose(8)
    if kind == 6:
        return 10_000_000_000
    if kind == 7:
        return 1 + choose(3)
    return max(1, plain_hold(world) * (1 + choose(5)) + pick(choose, (0, -1, 1, -40_000, 90_000)))


def plain_hold(world: World) -> int:
    prices = world.books.price("plain", world.now_ms) or PRICES[0]
    return tariff.worst(prices, traffic.PLAIN_BYTES, traffic.PLAIN_CAP)
