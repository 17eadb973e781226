"""What may happen next. Each move draws its details from a `Choose`, so that a seeded loop and hypothesis share them.

Amounts are near what a call holds, so that money runs short often and to the last nano-dollar.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from tests.money import deeds, tariff, traffic
from tests.money.days_by_hand import DAY_MS, window_ends_ms
from tests.money.puppets import Mood
from tests.money.shop import PRICES, SHOP
from tests.money.world import Live, World

T = TypeVar("T")

Choose = Callable[[int], int]
"""One of so many: 0 is the plainest."""

CALL: Final = 472_500  # nano-USD that a call of `plain` holds, about
STEP_BACK_MS_MAX: Final = 26 * 3_600_000  # behind the latest instant the clock has shown
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Havana", "Pacific/Apia")
PAUSES_MS: Final = (1_000, 2_500, 40_000, 900_000, 5 * 3_600_000, DAY_MS, 8 * DAY_MS, 33 * DAY_MS)
JUMPS_MS: Final = (-1, -60_000, -3_600_000, -20 * 3_600_000, 1, 3_600_000, DAY_MS)


class Move(NamedTuple):
    """`weight`: how often it is drawn by the seeded loop, beside the others that are possible."""

    weight: int
    possible: Callable[[World], bool]
    play: Callable[[World, Choose], None]


def pick(choose: Choose, things: Sequence[T]) -> T:
    return things[choose(len(things))]


def amount(world: World, choose: Choose) -> int:
    """Nano-USD: what so many plain calls hold, to the last of them; now and then plenty, or next to nothing."""
    kind = choose(8)
    if kind == 6:
        return 10_000_000_000
    if kind == 7:
        return 1 + choose(3)
    prices = world.books.price("plain", world.now_ms) or PRICES[0]
    one = tariff.worst(prices, traffic.PLAIN_BYTES, traffic.PLAIN_CAP)
    return max(1, one * (1 + choose(5)) + pick(choose, (0, -1, 1, -40_000, 90_000)))


def opens_account(world: World, choose: Choose) -> None:
    credit = pick(choose, ("0", "0.001", "unlimited", "0.0000005"))
    plan = pick(choose, ("default", "bounded"))
    account = deeds.open_account(world, credit, pick(choose, ZONES), plan)
    if account is not None:
        deeds.make_key(world, account, world.projects[-1][1], "live")


def makes_project(world: World, choose: Choose) -> None:
    deeds.make_project(world, pick(choose, world.accounts))


def makes_key(world: World, choose: Choose) -> None:
    account, project = pick(choose, world.projects)
    deeds.make_key(world, account, project, "test" if choose(5) == 4 else "live")


def grants(world: World, choose: Choose) -> None:
    lasts_ms = pick(choose, (None, None, 1, 3_600_000, DAY_MS))
    deeds.grant(world, pick(choose, world.accounts), amount(world, choose), lasts_ms)


def ends_grants(world: World, choose: Choose) -> None:
    deeds.end_grants(world)


def changes_multiple(world: World, choose: Choose) -> None:
    deeds.change_multiple(world, pick(choose, world.accounts), pick(choose, ("1", "1.2", "0.333333", "2.5")))


def adjusts(world: World, choose: Choose) -> None:
    sign = 1 - 2 * choose(2)
    deeds.adjust(world, pick(choose, world.accounts), sign * amount(world, choose))


def refunds(world: World, choose: Choose) -> None:
    """Often of a call that was refunded before."""
    again = list(world.books.refunded) if choose(3) == 2 else []
    request = pick(choose, again or list(reversed(world.books.written)))
    charged = world.books.written[request].charged or 0
    part = pick(choose, (None, charged, charged // 2, charged + 1))
    deeds.refund(world, request, part or None)


def lends(world: World, choose: Choose) -> None:
    deeds.lend(world, pick(choose, world.accounts), pick(choose, ("0", "0.002", "unlimited", "0.0004725")))


def makes_code(world: World, choose: Choose) -> None:
    deeds.make_code(world, amount(world, choose))


def redeems(world: World, choose: Choose) -> None:
    deeds.redeem(world, len(world.codes) - 1 - choose(len(world.codes)), pick(choose, world.accounts))


def sets_budget(world: World, choose: Choose) -> None:
    """On any level; as often in the place of one that is there."""
    alive = [one for one in world.books.budgets.values() if one.alive]
    zone = pick(choose, (None, *ZONES)) if choose(2) else None
    if alive and choose(2):
        one = pick(choose, list(reversed(alive)))
        where = {one.level: one.object_id}
        window, model, system = one.kind, one.model, one.system
        zone = zone or one.zone
    else:
        key = pick(choose, world.keys)
        where = pick(choose, ({"key": key.id}, {"project": key.project}, {"account": key.account}))
        window = pick(choose, ("total", "day", "week", "month"))
        model, system = pick(choose, (None, None, "plain", "plain*", "u*")), choose(6) == 5
    how_much = 0 if choose(8) == 7 else amount(world, choose)
    deeds.set_budget(world, how_much, window=window, zone=zone, model=model, system=system, **where)


def removes_budget(world: World, choose: Choose) -> None:
    deeds.remove_budget(world, pick(choose, [one for one in world.books.budgets.values() if one.alive]))


def changes_goods(world: World, choose: Choose) -> None:
    model = pick(choose, list(SHOP))
    now = world.goods[model]
    kind = choose(8)
    price = {} if kind == 7 else pick(choose, PRICES)
    deeds.change_goods(world, model, now._replace(price=price, free=kind == 6))


def asks(world: World, choose: Choose) -> None:
    """Mostly calls that are all alike, so that money fits them to the last nano-dollar."""
    plain = choose(5) < 3
    traffic.ask(
        world,
        pick(choose, world.keys),
        "plain" if plain else pick(choose, list(SHOP)),
        stream=bool(choose(2)),
        words=1 if plain else pick(choose, (1, 2, 7, 60)),
        cap=traffic.PLAIN_CAP if plain else pick(choose, (12, 1, 40, None)),
        answers=1 if plain or choose(4) < 3 else 2,
        most=CALL if not plain and choose(8) == 7 else None,
        gone=choose(20) == 19,
    )


def many_ask(world: World, choose: Choose) -> None:
    """Calls that are all alike, one after the other, so that money runs out among them."""
    key, stream = pick(choose, world.keys), choose(4) == 3
    for _ in range(2 + choose(6)):
        plain = {"words": 1, "cap": traffic.PLAIN_CAP, "answers": 1}
        traffic.ask(world, key, "plain", stream=stream, most=None, gone=False, **plain)


def answers(world: World, choose: Choose) -> None:
    live = pick(choose, _buffered(world))
    reported, raw = _report(live, choose)
    traffic.answers_whole(world, live, reported, raw, pick(choose, (2, 0, 9)))


def speaks(world: World, choose: Choose) -> None:
    traffic.speaks(world, pick(choose, _silent(world)))


def says(world: World, choose: Choose) -> None:
    traffic.says(world, pick(choose, _speaking(world)), 1 + choose(3))


def finishes(world: World, choose: Choose) -> None:
    traffic.finishes(world, pick(choose, _speaking(world)))


def reports(world: World, choose: Choose) -> None:
    live = pick(choose, _finishing(world))
    reported, raw = _report(live, choose)
    traffic.reports(world, live, reported, raw or {"prompt_tokens": 1, "completion_tokens": -1})


def ends_stream(world: World, choose: Choose) -> None:
    traffic.ends_stream(world, pick(choose, _finishing(world)), properly=choose(4) < 3)


def fails(world: World, choose: Choose) -> None:
    live = pick(choose, world.live)
    if live.speaking:
        how = pick(choose, ("hangs up",) if live.finishing else ("hangs up", "closes"))
    else:
        how = pick(choose, ("hangs up", "status", "nonsense"))
    traffic.fails(world, live, how)


def leaves(world: World, choose: Choose) -> None:
    traffic.leaves(world, pick(choose, [live for live in world.live if not live.client.gone]))


def time_passes(world: World, choose: Choose) -> None:
    traffic.time_passes(world, pick(choose, PAUSES_MS))


def an_edge_comes(world: World, choose: Choose) -> None:
    """The wall shows the instant at which a window or a grant ends, or the one before."""
    edges = [
        window_ends_ms(one.kind, one.starts_ms(world.now_ms), one.zone)
        for one in world.books.budgets.values()
        if one.alive and one.kind != "total"
    ]
    for account in world.books.accounts.values():
        edges += [lot.ends_ms for lot in account.lots if lot.ends_ms is not None and lot.ends_ms > world.now_ms]
    world.clock.wall_ms = max(world.now_ms, pick(choose, edges or [world.now_ms]) - choose(2))
    world.latest_ms = max(world.latest_ms, world.now_ms)
    if choose(2):
        deeds.end_grants(world)


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


def answer_is_lost(world: World, choose: Choose) -> None:
    """The database commits, and breaks before it can say so."""
    _end_one(world, choose, "answer lost")


def one_commit_fails(world: World, choose: Choose) -> None:
    _end_one(world, choose, "fails once")


def _end_one(world: World, choose: Choose, mood: Mood) -> None:
    traffic.goes_bad(world, mood)
    live = pick(choose, [*_buffered(world), *_finishing(world)])
    if live.finishing:
        traffic.ends_stream(world, live, properly=True)
    else:
        traffic.answers_whole(world, live, {"input": 3, "output": 2}, None, 2)
    traffic.goes_bad(world, "well")


def ledger_stalls(world: World, choose: Choose) -> None:
    traffic.stalls(world, pick(choose, ("before", "after")))


def ledger_goes_on(world: World, choose: Choose) -> None:
    traffic.goes_on(world)


def crashes(world: World, choose: Choose) -> None:
    world.crash()


def always(world: World) -> bool:
    return True


def some_are_over(world: World) -> bool:
    lots = [lot for account in world.books.accounts.values() for lot in account.lots]
    return any(lot.ends_ms is not None and lot.ends_ms <= world.now_ms + 1 for lot in lots)


def one_can_end(world: World) -> bool:
    return well(world) and not world.stall and bool(_buffered(world) or _finishing(world))


def well(world: World) -> bool:
    return world.mood == "well"


MOVES: Final[Mapping[str, Move]] = {
    "opens account": Move(1, lambda world: len(world.accounts) < 3, opens_account),
    "makes project": Move(1, lambda world: len(world.projects) < 5, makes_project),
    "makes key": Move(2, lambda world: len(world.keys) < 6, makes_key),
    "grants": Move(5, always, grants),
    "ends grants": Move(8, some_are_over, ends_grants),
    "changes multiple": Move(1, always, changes_multiple),
    "adjusts": Move(3, always, adjusts),
    "refunds": Move(4, lambda world: bool(world.books.written), refunds),
    "lends": Move(2, always, lends),
    "makes code": Move(1, always, makes_code),
    "redeems": Move(3, lambda world: bool(world.codes), redeems),
    "sets budget": Move(8, always, sets_budget),
    "removes budget": Move(2, lambda world: any(one.alive for one in world.books.budgets.values()), removes_budget),
    "changes goods": Move(3, always, changes_goods),
    "asks": Move(24, always, asks),
    "many ask": Move(6, always, many_ask),
    "answers": Move(20, lambda world: bool(_buffered(world)), answers),
    "speaks": Move(20, lambda world: bool(_silent(world)), speaks),
    "says": Move(10, lambda world: bool(_speaking(world)), says),
    "finishes": Move(14, lambda world: bool(_speaking(world)), finishes),
    "reports": Move(12, lambda world: bool(_finishing(world)), reports),
    "ends stream": Move(18, lambda world: bool(_finishing(world)), ends_stream),
    "fails": Move(5, lambda world: bool(world.live), fails),
    "leaves": Move(5, lambda world: any(not live.client.gone for live in world.live), leaves),
    "time passes": Move(6, lambda world: not world.stall, time_passes),
    "clock is set": Move(3, always, clock_is_set),
    "an edge comes": Move(4, always, an_edge_comes),
    "an edge comes again": Move(3, always, an_edge_comes_again),
    "disk goes bad": Move(2, lambda world: well(world) and not world.stall, disk_goes_bad),
    "disk is mended": Move(6, lambda world: not well(world), disk_is_mended),
    "answer is lost": Move(3, one_can_end, answer_is_lost),
    "one commit fails": Move(3, one_can_end, one_commit_fails),
    "ledger stalls": Move(2, lambda world: well(world) and not world.stall and not world.late, ledger_stalls),
    "ledger goes on": Move(8, lambda world: bool(world.stall), ledger_goes_on),
    "crashes": Move(2, always, crashes),
    "restarts across an edge": Move(2, always, restarts_across_an_edge),
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
OF_PEOPLE: Final = tuple(name for name in MOVES if name not in (*OF_CALLS, *OF_THE_WORLD, "asks", "many ask"))


def begin(world: World) -> None:
    """What every world begins with: somebody with money and a key."""
    account = deeds.open_account(world, "0", "UTC")
    assert account is not None
    deeds.make_key(world, account, world.projects[0][1], "live")
    deeds.grant(world, account, 20 * CALL)


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


def _buffered(world: World) -> list[Live]:
    return [live for live in world.live if not live.call.stream]


def _silent(world: World) -> list[Live]:
    return [live for live in world.live if live.call.stream and not live.speaking]


def _speaking(world: World) -> list[Live]:
    return [live for live in world.live if live.speaking and not live.finishing]


def _finishing(world: World) -> list[Live]:
    return [live for live in world.live if live.finishing]


def _report(live: Live, choose: Choose) -> tuple[dict[str, int] | None, dict[str, Any] | None]:
    """Usage within the bounds, at them, beyond what was held, impossible, unbelievable, or none."""
    cap = live.call.cap or 1024
    kind = 7 if live.call.model == "stepped" and choose(2) else choose(9)
    if kind == 0:
        return {"input": 3 + choose(20), "output": 1 + choose(cap)}, None
    if kind == 7:
        return {"input": 39 + choose(3), "output": 1}, None  # a tier begins after 40
    if kind == 1:
        cached = choose(30)
        thought = choose(cap)
        return {"input": choose(30), "cache_read": cached, "output": cap - thought, "reasoning": thought}, None
    if kind == 2:
        return {"input": live.call.body_bytes, "output": cap * live.call.answers}, None
    if kind in (3, 8):
        return {"input": 50, "output": cap * live.call.answers + 1 + choose(900)}, None
    if kind == 4:
        return {"input": 200_000, "output": 1}, None
    return None, None if kind == 5 else {"prompt_tokens": 5, "completion_tokens": -3}
