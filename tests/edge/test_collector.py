"""Dead objects that refer to each other are found; what is alive is looked at once."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.gateway.fakes import MILLION, FakeClock
from tollhouse.collector import BUSY_NS, QUIET_NS, Collector


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    thresholds = gc.get_threshold()
    yield FakeClock()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_a_cycle_that_died_young_is_found_at_the_next_look(clock: FakeClock) -> None:
    collector = Collector(clock, lambda: False)
    dead = weakref.ref(Ring())
    assert dead() is not None
    collector.look()
    assert dead() is None


def test_what_is_alive_is_looked_at_once(clock: FakeClock) -> None:
    collector = Collector(clock, lambda: False)
    alive = [Ring() for _ in range(1_000)]
    collector.look()
    assert not any(isinstance(one, Ring) for one in gc.get_objects())
    assert gc.get_freeze_count() > len(alive)


@pytest.mark.parametrize(
    ("idle", "since_ns", "found"),
    [(True, QUIET_NS - MILLION, False), (True, QUIET_NS, True), (False, QUIET_NS, False), (False, BUSY_NS, True)],
)
def test_a_cycle_that_died_old_is_found_in_a_quiet_moment(
    *, clock: FakeClock, idle: bool, since_ns: int, found: bool
) -> None:
    collector = Collector(clock, lambda: idle)
    ring = Ring()
    died = weakref.ref(ring)
    collector.look()
    del ring
    clock.ms += since_ns // MILLION
    collector.look()
    assert (died() is None) is found
