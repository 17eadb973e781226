"""The check of everything that money is written in: each table against the ledger, as all stood at one instant.

Every chain is walked. What was written beside it must say the same: the money of accounts, the sums of usage and of
spending (by days and by smaller spans, by model, project and key), the calls that are still kept and their prices, the
counters of budgets.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from operator import add
from typing import Final

from msgspec import Struct, structs

from tollhouse.billing.ledger import TRANSFER_RULES, ChainEnd, Entry, Flaw
from tollhouse.billing.ledger import verify as walk
from tollhouse.billing.price_list import PriceLists
from tollhouse.core.charge import Charge
from tollhouse.core.money import Money
from tollhouse.core.roll_up import DAY_MS, FOREVER_MS, HOUR_MS, QUARTER_MS, UsageBy
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.tables import SqlRepositories

_CHARGES: Final = frozenset(("charge", "overrun"))
_MARK_BYTES: Final = 16
_MARKS: Final = 256**_MARK_BYTES
_SPANS: Final[Mapping[int, str]] = {
    DAY_MS: "days",
    DAY_MS // 3: "thirds of a day",
    HOUR_MS: "hours",
    QUARTER_MS: "quarters of an hour",
}
_NOTHING: Final = structs.astuple(Usage())


class Verification(Struct, frozen=True, kw_only=True):
    accounts: int
    entries: int
    flaws: tuple[Flaw, ...]


class _Day(Struct):
    """What an account's calls of a day cost, in nano-USD. `marks`: a sum over its calls that differs where any one of
    them cost something else. `usage`: of the calls that are kept, in the order of the buckets."""

    amount: int = 0
    marks: int = 0
    usage: tuple[int, ...] = _NOTHING

    def count(self, request_id: str | None, kind: str, amount: int) -> None:
        self.amount += amount
        # Python's own hash adds up alike for a third of the pairs of calls that change places.
        mark = blake2b(f"{request_id} {kind} {amount}".encode(), digest_size=_MARK_BYTES).digest()
        self.marks = (self.marks + int.from_bytes(mark)) % _MARKS


_Days = dict[int, _Day]
"""By the start of a day of UTC, Unix milliseconds."""


class _Sums(Struct):
    entries: int = 0
    put_in: int = 0
    spent: int = 0
    overrun: int = 0


def examine(tables: SqlRepositories, prices: PriceLists) -> Verification:
    """No flaws: everything agrees."""
    flaws: list[Flaw] = []
    charged: dict[str, _Days] = {}
    entries = 0
    standing = {money.account_id: money for money in tables.ledger.every_money()}
    accounts = tables.ledger.accounts()
    for account_id in accounts:
        money = standing.get(account_id) or Money(account_id=account_id)
        sums, days = _Sums(), charged.setdefault(account_id, defaultdict(_Day))
        tail = ChainEnd(account_id, money.sequence, money.balance, money.hash)
        flaws += walk(_walked(tables, account_id, sums, days, flaws), account_id, tail)
        entries += sums.entries
        for name in ("put_in", "spent", "overrun"):
            kept, made = getattr(money, name), getattr(sums, name)
            if kept != made:
                flaws.append(Flaw(account_id, money.sequence, "", f"{name} is kept as {kept}, its entries make {made}"))
        flaws += _usage_flaws(tables, account_id, days)
        flaws += _grain_flaws(tables, account_id)
        flaws += _model_flaws(tables, account_id)
    flaws += _owner_flaws(tables)
    flaws += _call_flaws(tables, prices, charged)
    return Verification(accounts=len(accounts), entries=entries, flaws=tuple(flaws))


def _walked(tables: SqlRepositories, account_id: str, sums: _Sums, days: _Days, flaws: list[Flaw]) -> Iterator[Entry]:
    """The entries of a chain, summed as they pass."""
    for entry, budget_counter in tables.ledger.chain(account_id):
        transfer = entry.transfer
        sums.entries += 1
        if transfer.kind in _CHARGES:
            sums.spent -= transfer.amount
            days[_day(transfer.time_ms)].count(transfer.request_id, transfer.kind, -transfer.amount)
        else:
            sums.put_in += transfer.amount
        if transfer.kind == "overrun":
            sums.overrun -= transfer.amount
        nature = TRANSFER_RULES.get(transfer.kind)
        if nature is not None and budget_counter != nature.counter:
            flaws.append(Flaw(account_id, entry.sequence, transfer.id, f"its other leg is on {budget_counter}"))
        yield entry


def _usage_flaws(tables: SqlRepositories, account_id: str, days: _Days) -> Iterator[Flaw]:
    """The sums of usage and of spending, by each span, against the ledger."""
    made = {day: one.amount for day, one in days.items() if one.amount}
    # From a bound that is no day of UTC the quarters of an hour are read, not the days.
    for from_ms, grain in ((0, "days"), (-DAY_MS // 2, "quarters of an hour")):
        sums = tables.usage.sums("day", from_ms=from_ms, to_ms=FOREVER_MS, account_id=account_id, mode="live")
        kept = {int(day.group): day.charge for day in sums if day.charge}
        for day in sorted(day for day in {*kept, *made} if kept.get(day, 0) != made.get(day, 0)):
            reason = f"usage by {grain} has {kept.get(day, 0)} on {_date(day)}, the ledger {made.get(day, 0)}"
            yield Flaw(account_id, 0, "", reason)
    for span_ms, grain in _SPANS.items():
        spent = tables.spend.by_day(account_id, span_ms)
        for day in sorted(day for day in {*spent, *made} if spent.get(day, 0) != made.get(day, 0)):
            reason = f"spending by {grain} is {spent.get(day, 0)} on {_date(day)}, the ledger has {made.get(day, 0)}"
            yield Flaw(account_id, 0, "", reason)


def _grain_flaws(tables: SqlRepositories, account_id: str) -> Iterator[Flaw]:
    """What was used, to the token: the smaller spans, and the account as a whole, against the days of its keys."""
    days = _used_by_day(tables, account_id)
    for grain, kept in (
        ("quarters of an hour", _used_by_day(tables, account_id, -DAY_MS // 2)),
        ("days of the whole account", _used_in_buckets(tables, account_id, DAY_MS)),
        ("hours of the whole account", _used_in_buckets(tables, account_id, HOUR_MS)),
    ):
        for day in sorted(day for day in {*kept, *days} if kept.get(day) != days.get(day)):
            yield Flaw(account_id, 0, "", f"usage by {grain} is another on {_date(day)} than by days")


def _used_by_day(tables: SqlRepositories, account_id: str, from_ms: int = 0) -> dict[int, tuple[int, ...]]:
    sums = tables.usage.sums("day", from_ms=from_ms, to_ms=FOREVER_MS, account_id=account_id, mode="live")
    return {int(day.group): (day.charge, *structs.astuple(day.usage)) for day in sums}


def _used_in_buckets(tables: SqlRepositories, account_id: str, width_ms: int) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for one in tables.usage.in_buckets(None, account_id, from_ms=0, to_ms=FOREVER_MS, width_ms=width_ms, narrowed={}):
        day, used = _day(one.start_ms), (one.charge, *structs.astuple(one.usage))
        found[day] = tuple(map(add, found[day], used)) if day in found else used
    return found


def _model_flaws(tables: SqlRepositories, account_id: str) -> Iterator[Flaw]:
    """What each model was charged, as bills and the account as a whole have it, against the usage of its keys."""
    sums = tables.usage.sums("model", from_ms=0, to_ms=FOREVER_MS, account_id=account_id, mode="live")
    made = {one.group: one.charge for one in sums if one.charge}
    (spent,) = tables.spend.by_model(account_id, (0, FOREVER_MS))
    whole: dict[str, int] = defaultdict(int)
    for one in tables.usage.in_buckets(
        None, account_id, from_ms=0, to_ms=FOREVER_MS, width_ms=DAY_MS, by=("model",), narrowed={}
    ):
        whole[one.model or ""] += one.charge
    for what, kept in (("spending", spent), ("usage of the whole account", whole)):
        for model in sorted(model for model in {*kept, *made} if kept.get(model, 0) != made.get(model, 0)):
            reason = f"{what} has {kept.get(model, 0)} for {model[:100]}, usage by keys {made.get(model, 0)}"
            yield Flaw(account_id, 0, "", reason)


def _owner_flaws(tables: SqlRepositories) -> Iterator[Flaw]:
    """What projects and keys spent, against the sums of usage."""
    owners: tuple[UsageBy, ...] = ("project", "key")
    for owner in owners:
        for one in tables.usage.sums(owner, from_ms=0, to_ms=FOREVER_MS, mode="live"):
            for span_ms, grain in _SPANS.items():
                spent = sum(tables.spend.by_day(one.group, span_ms).values())
                if spent != one.charge:
                    reason = f"spending by {grain} of the {owner} {one.group} is {spent}, its usage cost {one.charge}"
                    yield Flaw("", 0, "", reason)


def _call_flaws(tables: SqlRepositories, prices: PriceLists, charged: Mapping[str, _Days]) -> Iterator[Flaw]:
    """The calls that are still kept: by their prices, against the ledger, and against the counters of budgets."""
    kept: dict[str, _Days] = defaultdict(lambda: defaultdict(_Day))
    counted: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for call in tables.requests.charged():
        charge = call.charge
        if charge is None or call.mode != "live":
            continue
        _keep(kept[call.account_id][_day(call.time_ms)], call, charge)
        for place in charge.budgets:
            counted[place][0] += charge.amount
            counted[place][1] += charge.overrun
        costs = prices.again(charge, call.usage)
        if costs is not None and costs != charge.amount:
            yield Flaw(call.account_id, 0, "", f"{call.id} was charged {charge.amount}, by its price it costs {costs}")
    oldest_ms = min((day for days in kept.values() for day in days), default=FOREVER_MS)
    whole_ms = _day(tables.retention.load().before_ms + DAY_MS - 1)  # of the days before, records were deleted
    oldest_ms = max(oldest_ms, whole_ms)
    first_ms = min((day for days in charged.values() for day, one in days.items() if one.amount), default=FOREVER_MS)
    for account_id in sorted({*kept, *charged}):
        yield from _kept_flaws(tables, account_id, kept.get(account_id, {}), charged.get(account_id, {}), oldest_ms)
    # Calls expire, the ledger does not: before the oldest call kept there is nothing to compare with.
    yield from _counter_flaws(tables, counted, -FOREVER_MS if oldest_ms <= first_ms else oldest_ms)


def _keep(day: _Day, call: UsageRecord, charge: Charge) -> None:
    day.count(call.id, "charge", charge.amount - charge.overrun)
    if charge.overrun:
        day.count(call.id, "overrun", charge.overrun)
    day.usage = tuple(map(add, day.usage, structs.astuple(call.usage)))


def _kept_flaws(
    tables: SqlRepositories, account_id: str, kept: _Days, charged: _Days, oldest_ms: int
) -> Iterator[Flaw]:
    used = {day: figures[1:] for day, figures in _used_by_day(tables, account_id).items()}
    nothing = _Day()
    for day in sorted({*kept, *charged}):
        calls, entries = kept.get(day, nothing), charged.get(day)
        if day < oldest_ms:
            continue
        if entries is None:
            reason = f"calls of {_date(day)} cost {calls.amount}, the ledger has nothing"
            yield Flaw(account_id, 0, "", reason)
        elif calls.amount != entries.amount:
            reason = f"calls of {_date(day)} cost {calls.amount}, the ledger has {entries.amount}"
            yield Flaw(account_id, 0, "", reason)
        elif calls.marks != entries.marks:
            reason = f"calls of {_date(day)} cost in sum what the ledger has, and each another amount"
            yield Flaw(account_id, 0, "", reason)
        if calls.usage != used.get(day, _NOTHING):
            yield Flaw(account_id, 0, "", f"calls of {_date(day)} used something else than usage by days says")


def _counter_flaws(
    tables: SqlRepositories, counted: dict[tuple[str, int], list[int]], known_from_ms: int
) -> Iterator[Flaw]:
    counters = {(one.budget_id, one.starts_at_ms): one for one in tables.budgets.every_counter()}
    for place in sorted({*counters, *counted}):
        budget_counter, (spent, overrun) = counters.get(place), counted.get(place, [0, 0])
        kept = (
            (0, 0)
            if budget_counter is None
            else (budget_counter.spent - budget_counter.opening, budget_counter.overrun)
        )
        more = place[1] < known_from_ms and kept[0] >= spent and kept[1] >= overrun
        if more or kept == (spent, overrun):
            continue
        reason = f"the counter of {place[0]} from {_date(place[1])} has {kept[0]} ({kept[1]} of it overrun), its calls"
        yield Flaw("", 0, "", f"{reason} {spent} ({overrun})")


def _day(time_ms: int) -> int:
    return time_ms - time_ms % DAY_MS


def _date(day_ms: int) -> str:
    return datetime.fromtimestamp(day_ms // 1000, UTC).strftime("%Y-%m-%d")
