"""What may happen next, and how often. A move draws its details from a `Choose`: the seeded loop's or hypothesis's."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tests.money import deeds, traffic
from tests.money import moves_of_calls as calls
from tests.money import moves_of_people as people
from tests.money import moves_of_the_world as befalls
from tests.money.choice import Choose
from tests.money.moves_of_calls import buffered, finishing, silent, speaking
from tests.money.world import World


class Move(NamedTuple):
    """`weight`: how often it is drawn by the seeded loop, beside the others that are possible."""

    weight: int
    possible: Callable[[World], bool]
    play: Callable[[World, Choose], None]


def always(world: World) -> bool:
    return True


def some_are_over(world: World) -> bool:
    lots = [lot for account in world.books.accounts.values() for lot in account.lots]
    return any(lot.ends_ms is not None and lot.ends_ms <= world.now_ms + 1 for lot in lots)


def one_can_end(world: World) -> bool:
    return well(world) and not world.stall and bool(buffered(world) or finishing(world))


def well(world: World) -> bool:
    return world.mood == "well"


MOVES: Final[Mapping[str, Move]] = {
    "opens account": Move(1, lambda world: len(world.accounts) < 3, people.opens_account),
    "makes project": Move(1, lambda world: len(world.projects) < 5, people.makes_project),
    "makes key": Move(2, lambda world: len(world.keys) < 6, people.makes_key),
    "grants": Move(5, always, people.grants),
    "ends grants": Move(8, some_are_over, people.ends_grants),
    "changes multiple": Move(1, always, people.changes_multiple),
    "adjusts": Move(3, always, people.adjusts),
    "refunds": Move(4, lambda world: bool(world.books.written), people.refunds),
    "lends": Move(2, always, people.lends),
    "makes code": Move(1, always, people.makes_code),
    "redeems": Move(3, lambda world: bool(world.codes), people.redeems),
    "sets budget": Move(8, always, people.sets_budget),
    "removes budget": Move(
        2, lambda world: any(one.alive for one in world.books.budgets.values()), people.removes_budget
    ),
    "changes goods": Move(3, always, people.changes_goods),
    "asks": Move(24, always, calls.asks),
    "many ask": Move(5, always, calls.many_ask),
    "money fits": Move(3, always, calls.money_fits),
    "answers": Move(20, lambda world: bool(buffered(world)), calls.answers),
    "speaks": Move(20, lambda world: bool(silent(world)), calls.speaks),
    "says": Move(10, lambda world: bool(speaking(world)), calls.says),
    "finishes": Move(14, lambda world: bool(speaking(world)), calls.finishes),
    "reports": Move(12, lambda world: bool(finishing(world)), calls.reports),
    "ends stream": Move(18, lambda world: bool(finishing(world)), calls.ends_stream),
    "fails": Move(5, lambda world: bool(world.live), calls.fails),
    "leaves": Move(5, lambda world: any(not live.client.gone for live in world.live), calls.leaves),
    "time passes": Move(6, lambda world: not world.stall, befalls.time_passes),
    "clock is set": Move(3, always, befalls.clock_is_set),
    "an edge comes": Move(4, always, befalls.an_edge_comes),
    "an edge comes again": Move(3, always, befalls.an_edge_comes_again),
    "disk goes bad": Move(2, lambda world: well(world) and not world.stall, befalls.disk_goes_bad),
    "disk is mended": Move(6, lambda world: not well(world), befalls.disk_is_mended),
    "answer is lost": Move(3, one_can_end, calls.answer_is_lost),
    "one commit fails": Move(3, one_can_end, calls.one_commit_fails),
    "ledger stalls": Move(2, lambda world: well(world) and not world.stall and not world.late, befalls.ledger_stalls),
    "ledger goes on": Move(8, lambda world: bool(world.stall), befalls.ledger_goes_on),
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


OF_THE_WORLD: Final = (
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
    name for name in MOVES if name not in (*OF_CALLS, *OF_THE_WORLD, "asks", "many ask", "money fits")
)


def begin(world: World) -> None:
    """What every world begins with: somebody with money and a key."""
    account = deeds.open_account(world, "0", "UTC")
    assert account is not None
    deeds.make_key(world, account, world.projects[0][1], "live")
    deeds.grant(world, account, 10_000_000)


def come_to_rest(world: World) -> None:
    """All faults are over; then nothing may stay held for longer than a minute."""
    if world.stall:
        traffic.goes_on(world)
    traffic.goes_bad(world, "well")
    for live in list(world.live):
        if not live.client.gone:
            traffic.leaves(world, live)
    traffic.time_passes(world, 60_000)
    assert world.calm, "something is held for ever"
