"""The ledger, read: what an account owes for a month, and whether everything still agrees with everything.

What calls cost stands in a statement by the day, from the sums of usage; each other entry stands for itself. The check
walks every chain and compares it with what was written beside it: money, counters, sums of usage, the calls themselves.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from tollhouse.billing.ledger import NATURES, Entry, Flaw, Tail
from tollhouse.billing.ledger import verify as walk
from tollhouse.billing.windows import window
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.money import Money
from tollhouse.core.roll_up import UsageBy
from tollhouse.office import reach
from tollhouse.office.office import Office
from tollhouse.office.ports import Tables

DAY_MS = 86_400_000
_VERIFYING_MS = 3_600_000
_FOREVER_MS = 253_370_764_800_000  # a day of UTC begins here, in the year 9999
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_CHARGES = frozenset(("charge", "overrun"))
_SPANS: Final[Mapping[int, str]] = {
    DAY_MS: "days",
    DAY_MS // 3: "thirds of a day",
    DAY_MS // 24: "hours",
    DAY_MS // 96: "quarters of an hour",
}

_ByDay = dict[tuple[str, int], int]
"""Nano-USD by account and start of a day of UTC."""


class Line(Struct, frozen=True, kw_only=True):
    """`amount`: nano-USD that it added to the balance. `kind` charge: all calls of a day of UTC, which `time_ms`
    begins; any other: one entry, with its id."""

    time_ms: int
    kind: str
    amount: int
    id: str | None = None
    reason: str | None = None


class Statement(Struct, frozen=True, kw_only=True):
    """opening + the lines' amounts = closing. `sequence` and `hash`: where the chain stands today."""

    account_id: str
    from_ms: int
    to_ms: int
    opening: int
    lines: tuple[Line, ...]
    closing: int
    sequence: int
    hash: bytes


class Verification(Struct, frozen=True, kw_only=True):
    accounts: int
    entries: int
    flaws: tuple[Flaw, ...]


async def statement(office: Office, actor: Actor, account: str | None = None, *, month: str | None = None) -> Statement:
    """Of a month of UTC, written YYYY-MM; by default of this one. Raises BadRequest, PathNotFound."""
    account_id = reach.account_or_own(office, actor, account).id
    span = window("month", office.clock.now_ms() if month is None else _month(month))
    from_ms, to_ms = span.start_ms, span.end_ms or _FOREVER_MS

    def question(tables: Tables) -> Statement:
        before = tables.usage.sums("day", from_ms=0, to_ms=from_ms, account_id=account_id, mode="live")
        within = tables.usage.sums("day", from_ms=from_ms, to_ms=to_ms, account_id=account_id, mode="live")
        money = tables.ledger.money(account_id)
        opening = tables.ledger.put_in_before(account_id, from_ms) - sum(day.charge for day in before)
        lines = [Line(time_ms=int(day.group), kind="charge", amount=-day.charge) for day in within if day.charge]
        lines += [_line(entry) for entry in tables.ledger.deeds_within(account_id, from_ms, to_ms)]
        lines.sort(key=lambda line: line.time_ms)
        return Statement(
            account_id=account_id,
            from_ms=from_ms,
            to_ms=to_ms,
            opening=opening,
            lines=tuple(lines),
            closing=opening + sum(line.amount for line in lines),
            sequence=money.sequence,
            hash=money.hash,
        )

    return await office.rows.read(question)


async def verify(office: Office, actor: Actor) -> Verification:
    """Check all there is, as it stands at one instant. No flaws: everything agrees. Raises ScopeMissing."""
    reach.require_operator(actor, "check the whole ledger")
    return await office.rows.read(_examined, _VERIFYING_MS)


def _examined(tables: Tables) -> Verification:
    flaws: list[Flaw] = []
    charged: _ByDay = defaultdict(int)
    entries = 0
    standing = {money.account_id: money for money in tables.ledger.every_money()}
    accounts = tables.ledger.accounts()
    for account_id in accounts:
        money = standing.get(account_id) or Money(account_id=account_id)
        sums = _Sums()
        tail = Tail(account_id, money.sequence, money.balance, money.hash)
        flaws += walk(_walked(tables, account_id, sums, charged, flaws), account_id, tail)
        entries += sums.entries
        for name in ("put_in", "spent", "overrun"):
            kept, made = getattr(money, name), getattr(sums, name)
            if kept != made:
                flaws.append(Flaw(account_id, money.sequence, "", f"{name} is kept as {kept}, its entries make {made}"))
    flaws += _usage_flaws(tables, charged)
    flaws += _owner_flaws(tables)
    flaws += _call_flaws(tables, charged)
    return Verification(accounts=len(accounts), entries=entries, flaws=tuple(flaws))


class _Sums(Struct):
    entries: int = 0
    put_in: int = 0
    spent: int = 0
    overrun: int = 0


def _walked(tables: Tables, account_id: str, sums: _Sums, charged: _ByDay, flaws: list[Flaw]) -> Iterator[Entry]:
    """The entries of a chain, summed as they pass."""
    for entry, counter in tables.ledger.chain(account_id):
        transfer = entry.transfer
        sums.entries += 1
        if transfer.kind in _CHARGES:
            sums.spent -= transfer.amount
            charged[account_id, transfer.time_ms - transfer.time_ms % DAY_MS] -= transfer.amount
        else:
            sums.put_in += transfer.amount
        if transfer.kind == "overrun":
            sums.overrun -= transfer.amount
        nature = NATURES.get(transfer.kind)
        if nature is not None and counter != nature.counter:
            flaws.append(Flaw(account_id, entry.sequence, transfer.id, f"its other leg is on {counter}"))
        yield entry


def _usage_flaws(tables: Tables, charged: _ByDay) -> Iterator[Flaw]:
    """The sums of usage, by days and by quarters of an hour, against the ledger."""
    for account_id in tables.ledger.accounts():
        made = {day: amount for (owner, day), amount in charged.items() if owner == account_id and amount}
        # From a bound that is no day of UTC the quarters of an hour are read, not the days.
        for from_ms, grain in ((0, "days"), (-DAY_MS // 2, "quarters of an hour")):
            sums = tables.usage.sums("day", from_ms=from_ms, to_ms=_FOREVER_MS, account_id=account_id, mode="live")
            kept = {int(day.group): day.charge for day in sums if day.charge}
            for day in sorted(day for day in {*kept, *made} if kept.get(day, 0) != made.get(day, 0)):
                reason = f"usage by {grain} has {kept.get(day, 0)} on {_date(day)}, the ledger {made.get(day, 0)}"
                yield Flaw(account_id, 0, "", reason)
        for span_ms, grain in _SPANS.items():
            spent = tables.spend.by_day(account_id, span_ms)
            for day in sorted(day for day in {*spent, *made} if spent.get(day, 0) != made.get(day, 0)):
                reason = (
                    f"spending by {grain} is {spent.get(day, 0)} on {_date(day)}, the ledger has {made.get(day, 0)}"
                )
                yield Flaw(account_id, 0, "", reason)


def _owner_flaws(tables: Tables) -> Iterator[Flaw]:
    """What projects and keys spent, against the sums of usage."""
    owners: tuple[UsageBy, ...] = ("project", "key")
    for owner in owners:
        for one in tables.usage.sums(owner, from_ms=0, to_ms=_FOREVER_MS, mode="live"):
            for span_ms, grain in _SPANS.items():
                spent = sum(tables.spend.by_day(one.group, span_ms).values())
                if spent != one.charge:
                    reason = f"spending by {grain} of the {owner} {one.group} is {spent}, its usage cost {one.charge}"
                    yield Flaw("", 0, "", reason)


def _call_flaws(tables: Tables, charged: _ByDay) -> Iterator[Flaw]:
    """The calls that are still kept against the ledger, by day, and against the counters of budgets."""
    by_day: _ByDay = defaultdict(int)
    counted: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for call in tables.requests.charged():
        charge = call.charge
        if charge is None or call.mode != "live":
            continue
        by_day[call.account_id, call.time_ms - call.time_ms % DAY_MS] += charge.amount
        for place in charge.budgets:
            counted[place][0] += charge.amount
            counted[place][1] += charge.overrun
    oldest_ms = min((day for _, day in by_day), default=_FOREVER_MS)
    # Calls expire, the ledger does not: before the oldest call kept there is nothing to compare with.
    all_kept = oldest_ms <= min((day for (_, day), amount in charged.items() if amount), default=_FOREVER_MS)
    for (account_id, day), amount in sorted(charged.items()):
        if day >= oldest_ms and by_day.get((account_id, day), 0) != amount:
            reason = f"calls of {_date(day)} cost {by_day.get((account_id, day), 0)}, the ledger has {amount}"
            yield Flaw(account_id, 0, "", reason)
    for place, amount in sorted(by_day.items()):
        if amount and place not in charged:
            yield Flaw(place[0], 0, "", f"calls of {_date(place[1])} cost {amount}, the ledger has nothing")
    yield from _counter_flaws(tables, counted, -_FOREVER_MS if all_kept else oldest_ms)


def _counter_flaws(tables: Tables, counted: dict[tuple[str, int], list[int]], known_from_ms: int) -> Iterator[Flaw]:
    counters = {(one.budget_id, one.starts_at_ms): one for one in tables.budgets.every_counter()}
    for place in sorted({*counters, *counted}):
        counter, (spent, overrun) = counters.get(place), counted.get(place, [0, 0])
        kept = (0, 0) if counter is None else (counter.spent - counter.opening, counter.overrun)
        more = place[1] < known_from_ms and kept[0] >= spent and kept[1] >= overrun
        if more or kept == (spent, overrun):
            continue
        reason = f"the counter of {place[0]} from {_date(place[1])} has {kept[0]} ({kept[1]} of it overrun), its calls"
        yield Flaw("", 0, "", f"{reason} {spent} ({overrun})")


def _line(entry: Entry) -> Line:
    transfer = entry.transfer
    return Line(
        time_ms=transfer.time_ms, kind=transfer.kind, amount=transfer.amount, id=transfer.id, reason=transfer.reason
    )


def _month(text: str) -> int:
    written = _MONTH.fullmatch(text)
    try:
        if written is not None:
            year, month = int(written[1]), int(written[2])
            if year >= 1970:
                return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
    except ValueError:  # as 2026-13
        pass
    raise BadRequest(f"month: {text[:20]!r} is no month; write YYYY-MM", param="month")


def _date(day_ms: int) -> str:
    return datetime.fromtimestamp(day_ms // 1000, UTC).strftime("%Y-%m-%d")
