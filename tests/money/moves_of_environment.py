"""What may befall everybody next: time, a clock that is set, the disk, the end of the process."""

from typing import Final

from tests.money import operations, traffic
from tests.money.checker import Checker, Key
from tests.money.choice import Choose, pick
from tests.money.moves_of_calls import ask_plainly
from tests.money.reference_calendar import DAY_MS, window_ends_ms
from tests.money.reference_model import ReferenceBudget

STEP_BACK_MS_MAX: Final = 26 * 3_600_000  # behind the latest instant the clock has shown
PAUSES_MS: Final = (1_000, 2_500, 40_000, 900_000, 5 * 3_600_000, DAY_MS, 8 * DAY_MS, 33 * DAY_MS)
JUMPS_MS: Final = (-1, -60_000, -3_600_000, -20 * 3_600_000, 1, 3_600_000, DAY_MS)


def time_passes(checker: Checker, choose: Choose) -> None:
    traffic.time_passes(checker, pick(choose, PAUSES_MS))


def an_edge_comes(checker: Checker, choose: Choose) -> None:
    """The wall shows the instant at which a window or a grant ends, or the one before, and perhaps that matters."""
    budgets = [one for one in checker.books.budgets.values() if one.alive and one.kind != "total"]
    edges = [window_ends_ms(one.kind, one.starts_ms(checker.now_ms), one.zone) for one in budgets]
    for account in checker.books.accounts.values():
        edges += [lot.ends_ms for lot in account.lots if lot.ends_ms is not None and lot.ends_ms > checker.now_ms]
    place = choose(len(edges) or 1)
    checker.clock.wall_ms = max(checker.now_ms, (edges or [checker.now_ms])[place] - choose(2))
    checker.latest_ms = max(checker.latest_ms, checker.now_ms)
    if choose(2):
        if place >= len(budgets):
            operations.end_grants(checker)
        else:
            ask_plainly(checker, pick(choose, keys_under(checker, budgets[place]) or checker.keys))


def an_edge_comes_again(checker: Checker, choose: Choose) -> None:
    """The clock goes back to the last instant of the window before."""
    begun = [
        one.starts_ms(checker.now_ms) - 1 for one in checker.books.budgets.values() if one.alive and one.kind != "total"
    ]
    back_ms = [one for one in begun if one >= checker.latest_ms - STEP_BACK_MS_MAX]
    checker.clock.wall_ms = pick(choose, back_ms or [checker.now_ms])


def restarts_across_an_edge(checker: Checker, choose: Choose) -> None:
    """A window ends, the process is started anew, and the clock goes back into that window."""
    an_edge_comes(checker, choose)
    checker.crash()
    an_edge_comes_again(checker, choose)


def clock_is_set(checker: Checker, choose: Choose) -> None:
    to_ms = checker.now_ms + pick(choose, JUMPS_MS)
    checker.clock.wall_ms = max(to_ms, checker.latest_ms - STEP_BACK_MS_MAX)
    checker.latest_ms = max(checker.latest_ms, checker.now_ms)


def disk_goes_bad(checker: Checker, choose: Choose) -> None:
    traffic.goes_bad(checker, pick(choose, ("cannot commit", "cannot write")), known=choose(3) == 2)


def disk_is_mended(checker: Checker, choose: Choose) -> None:
    traffic.goes_bad(checker, "well")


def ledger_stalls(checker: Checker, choose: Choose) -> None:
    traffic.stalls(checker, pick(choose, ("before", "after")))


def ledger_goes_on(checker: Checker, choose: Choose) -> None:
    traffic.goes_on(checker)


def crashes(checker: Checker, choose: Choose) -> None:
    checker.crash()


def keys_under(checker: Checker, budget: ReferenceBudget) -> list[Key]:
    return [key for key in checker.keys if budget.object_id in (key.id, key.project, key.account)]
