"""What may befall everybody next: time, a clock that is set, the disk, the end of the process."""

from typing import Final

from tests.money import deeds, traffic
from tests.money.books import Budget
from tests.money.choice import Choose, pick
from tests.money.days_by_hand import DAY_MS, window_ends_ms
from tests.money.moves_of_calls import ask_plainly
from tests.money.world import Key, World

STEP_BACK_MS_MAX: Final = 26 * 3_600_000  # behind the latest instant the clock has shown
PAUSES_MS: Final = (1_000, 2_500, 40_000, 900_000, 5 * 3_600_000, DAY_MS, 8 * DAY_MS, 33 * DAY_MS)
JUMPS_MS: Final = (-1, -60_000, -3_600_000, -20 * 3_600_000, 1, 3_600_000, DAY_MS)


def time_passes(world: World, choose: Choose) -> None:
    traffic.time_passes(world, pick(choose, PAUSES_MS))


def an_edge_comes(world: World, choose: Choose) -> None:
    """The wall shows the instant at which a window or a grant ends, or the one before, and perhaps that matters."""
    budgets = [one for one in world.books.budgets.values() if one.alive and one.kind != "total"]
    edges = [window_ends_ms(one.kind, one.starts_ms(world.now_ms), one.zone) for one in budgets]
    for account in world.books.accounts.values():
        edges += [lot.ends_ms for lot in account.lots if lot.ends_ms is not None and lot.ends_ms > world.now_ms]
    place = choose(len(edges) or 1)
    world.clock.wall_ms = max(world.now_ms, (edges or [world.now_ms])[place] - choose(2))
    world.latest_ms = max(world.latest_ms, world.now_ms)
    if choose(2):
        if place >= len(budgets):
            deeds.end_grants(world)
        else:
            ask_plainly(world, pick(choose, keys_under(world, budgets[place]) or world.keys))


def an_edge_comes_again(world: World, choose: Choose) -> None:
    """The clock goes back to the last instant of the window before."""
    begun = [
        one.starts_ms(world.now_ms) - 1 for one in world.books.budgets.values() if one.alive and one.kind != "total"
    ]
    back_ms = [one for one in begun if one >= world.latest_ms - STEP_BACK_MS_MAX]
    world.clock.wall_ms = pick(choose, back_ms or [world.now_ms])


def restarts_across_an_edge(world: World, choose: Choose) -> None:
    """A window ends, the process is started anew, and the clock goes back into that window."""
    an_edge_comes(world, choose)
    world.crash()
    an_edge_comes_again(world, choose)


def clock_is_set(world: World, choose: Choose) -> None:
    to_ms = world.now_ms + pick(choose, JUMPS_MS)
    world.clock.wall_ms = max(to_ms, world.latest_ms - STEP_BACK_MS_MAX)
    world.latest_ms = max(world.latest_ms, world.now_ms)


def disk_goes_bad(world: World, choose: Choose) -> None:
    traffic.goes_bad(world, pick(choose, ("cannot commit", "cannot write")), known=choose(3) == 2)


def disk_is_mended(world: World, choose: Choose) -> None:
    traffic.goes_bad(world, "well")


def ledger_stalls(world: World, choose: Choose) -> None:
    traffic.stalls(world, pick(choose, ("before", "after")))


def ledger_goes_on(world: World, choose: Choose) -> None:
    traffic.goes_on(world)


def crashes(world: World, choose: Choose) -> None:
    world.crash()


def keys_under(world: World, budget: Budget) -> list[Key]:
    return [key for key in world.keys if budget.object_id in (key.id, key.project, key.account)]
