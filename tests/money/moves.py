"""What may happen next, and how often. A move draws its details from a `Choose`: the seeded loop's or hypothesis's."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tests.money import moves_of_calls as calls
from tests.money import moves_of_environment as befalls
from tests.money import moves_of_people as people
from tests.money import operations, traffic
from tests.money.checker import Checker
from tests.money.choice import Choose
from tests.money.moves_of_calls import buffered, finishing, silent, speaking


class Move(NamedTuple):
    """`weight`: how often it is drawn by the seeded loop, beside the others that are possible."""

    weight: int
    possible: Callable[[Checker], bool]
    play: Callable[[Checker, Choose], None]


def always(checker: Checker) -> bool:
    return True


def some_are_over(checker: Checker) -> bool:
    lots = [lot for account in checker.books.accounts.values() for lot in account.lots]
    return any(lot.ends_ms is not None and lot.ends_ms <= checker.now_ms + 1 for lot in lots)


def one_can_end(checker: Checker) -> bool:
    return well(checker) and not checker.stall and bool(buffered(checker) or finishing(checker))


def well(checker: Checker) -> bool:
    return checker.mood == "well"


MOVES: Final[Mapping[str, Move]] = {
    "opens account": Move(1, lambda checker: len(checker.accounts) < 3, people.opens_account),
    "makes project": Move(1, lambda checker: len(checker.projects) < 5, people.makes_project),
    "makes key": Move(2, lambda checker: len(checker.keys) < 6, people.makes_key),
    "grants": Move(5, always, people.grants),
    "ends grants": Move(8, some_are_over, people.ends_grants),
    "changes multiple": Move(1, always, people.changes_multiple),
    "adjusts": Move(3, always, people.adjusts),
    "refunds": Move(4, lambda checker: bool(checker.books.written), people.refunds),
    "lends": Move(2, always, people.lends),
    "makes code": Move(1, always, people.makes_code),
    "redeems": Move(3, lambda checker: bool(checker.codes), people.redeems),
    "sets budget": Move(8, always, people.sets_budget),
    "removes budget": Move(
        2, lambda checker: any(one.alive for one in checker.books.budgets.values()), people.removes_budget
    ),
    "changes goods": Move(3, always, people.changes_product),
    "asks": Move(24, always, calls.asks),
    "many ask": Move(5, always, calls.many_ask),
    "money fits": Move(3, always, calls.money_fits),
    "answers": Move(20, lambda checker: bool(buffered(checker)), calls.answers),
    "speaks": Move(20, lambda checker: bool(silent(checker)), calls.speaks),
    "says": Move(10, lambda checker: bool(speaking(checker)), calls.says),
    "finishes": Move(14, lambda checker: bool(speaking(checker)), calls.finishes),
    "reports": Move(12, lambda checker: bool(finishing(checker)), calls.reports),
    "ends stream": Move(18, lambda checker: bool(finishing(checker)), calls.ends_stream),
    "fails": Move(5, lambda checker: bool(checker.live), calls.fails),
    "leaves": Move(5, lambda checker: any(not live.client.gone for live in checker.live), calls.leaves),
    "time passes": Move(6, lambda checker: not checker.stall, befalls.time_passes),
    "clock is set": Move(3, always, befalls.clock_is_set),
    "an edge comes": Move(4, always, befalls.an_edge_comes),
    "an edge comes again": Move(3, always, befalls.an_edge_comes_again),
    "disk goes bad": Move(2, lambda checker: well(checker) and not checker.stall, befalls.disk_goes_bad),
    "disk is mended": Move(6, lambda checker: not well(checker), befalls.disk_is_mended),
    "answer is lost": Move(3, one_can_end, calls.answer_is_lost),
    "one commit fails": Move(3, one_can_end, calls.one_commit_fails),
    "ledger stalls": Move(
        2, lambda checker: well(checker) and not checker.stall and not checker.late, befalls.ledger_stalls
    ),
    "ledger goes on": Move(8, lambda checker: bool(checker.stall), befalls.ledger_goes_on),
    "crashes": Move(2, always, befalls.crashes),
    "restarts across an edge": Move(2, always, befalls.restarts_across_an_edge),
}


OF_CALLS: Final = (
    "answers",
    "speaks",
    "says",
    "finishes",
    "reports",
    "ends stream",
    "fails",
    "leaves",
    "answer is lost",
)


OF_THE_CHECKER: Final = (
    "time passes",
    "clock is set",
    "an edge comes",
    "an edge comes again",
    "disk goes bad",
    "disk is mended",
    "ledger stalls",
    "ledger goes on",
    "crashes",
    "restarts across an edge",
)


OF_PEOPLE: Final = tuple(
    name for name in MOVES if name not in (*OF_CALLS, *OF_THE_CHECKER, "asks", "many ask", "money fits")
)


def begin(checker: Checker) -> None:
    """What every world begins with: somebody with money and a key."""
    account = operations.open_account(checker, "0", "UTC")
    assert account is not None
    operations.make_key(checker, account, checker.projects[0][1], "live")
    operations.grant(checker, account, 10_000_000)


def come_to_rest(checker: Checker) -> None:
    """All faults are over; then nothing may stay held for longer than a minute."""
    if checker.stall:
        traffic.goes_on(checker)
    traffic.goes_bad(checker, "well")
    for live in list(checker.live):
        if not live.client.gone:
            traffic.leaves(checker, live)
    traffic.time_passes(checker, 60_000)
    assert checker.calm, "something is held for ever"
