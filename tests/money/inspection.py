"""The comparison after each step: memory, disk and what callers were told, each against the model; and the promises of
docs/money.md, each by itself."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, select

from tests.money.checker import Checker, Live
from tests.money.platform_under_test import OPERATOR
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.amount import format_usd
from tollhouse.core.usage import BUCKETS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services.ledger import verify
from tollhouse.store.requests import SqlUsageRecordRepository
from tollhouse.store.schema import account_money, budget_counters, ledger
from tollhouse.store.usage_schema import account_usage, spend_sums, usage

CounterId = tuple[str, int]
"""An account and 0, or a budget and the start of its window."""


class Differs(AssertionError):
    """The platform and the model do not say the same, or a promise is broken."""


def check(checker: Checker, *, disk: bool = True) -> None:
    """disk: look at the database as well, which takes some milliseconds. Raises Differs."""
    checker.steps += 1
    flaws = [*_tasks(checker), *_memory(checker), *_promise(checker)]
    if disk:
        flaws += _disk(checker)
        flaws += [str(flaw) for flaw in checker.run(verify(checker.platform_under_test.services, OPERATOR)).flaws]
        if checker.calm:
            flaws += _made_again(checker)
    for live in checker.over:
        flaws += _told(checker, live)
    if flaws:
        raise Differs("\n".join(flaws))


def _tasks(checker: Checker) -> Iterator[str]:
    for live in checker.over:
        if live.task.done() and not live.task.cancelled() and live.ending != "killed":
            error = live.task.exception()
            if error is not None:
                yield f"{live.call.id} ended with {error!r}"
        elif live.ending != "killed" and not live.task.done():
            yield f"{live.call.id} has ended for the model, {live.ending}, and goes on in the platform"
    for live in checker.live:
        if live.task.done():
            yield f"{live.call.id} has ended in the platform, and goes on for the model"
    if checker.calm and checker.platform_under_test.platform.deferred_commits:
        yield "a charge is still to be written, and none for the model"
    inside = checker.platform_under_test.limits.inside
    if inside != len(checker.live) and not checker.stalled:
        yield f"{inside} calls are inside by the limits, {len(checker.live)} by the model"


def counters_of(counters: SpendingCounters) -> dict[CounterId, SpendingCounter]:
    """Every counter there is, without asking for one, which would make it."""
    found = {(counter.id, 0): counter for counter in counters._money.values()}
    for standing in counters._budgets.values():
        found |= {(counter.id, counter.starts_at_ms): counter for counter in standing.counters.values()}
    return found


def _memory(checker: Checker) -> Iterator[str]:
    books = checker.books
    found = counters_of(checker.platform_under_test.services.counters)
    wanted = {(account_id, 0): counter for account_id, counter in books.money.items()}
    wanted |= {place: counter for place, counter in books.windows.items() if books.budgets[place[0]].alive}
    for place in {*found, *wanted}:
        platform, model = found.get(place), wanted.get(place)
        if platform is None:
            # A window that nobody has asked for yet, or one of long ago that memory need not hold.
            assert model is not None
            now = books.budgets[place[0]].starts_ms(checker.now_ms) == place[1]
            if model.held or (now and model.spent and checker.calm):
                yield f"{place} is missing in memory: {model}"
            continue
        figures = platform.spent, platform.overrun, platform.held
        if figures != ((0, 0, 0) if model is None else (model.spent, model.overrun, model.held)):
            yield f"{place} spent, overrun, held: {figures}, for the model {model}"
        if model is not None and platform.limit != model.limit:
            yield f"{place} limit: {platform.limit}, for the model {model.limit}"


def _promise(checker: Checker) -> Iterator[str]:
    """spent - overrun + held <= limit, but for what people have taken away from below what was spent already."""
    for place, counter in counters_of(checker.platform_under_test.services.counters).items():
        excess = 0 if counter.limit is None else max(0, counter.spent - counter.overrun + counter.held - counter.limit)
        if checker.by_people:
            checker.tolerated[place] = excess
        elif excess > checker.tolerated.get(place, 0):
            yield f"{place} is overdrawn by {excess}: {counter}"
    checker.by_people = False


def _made_again(checker: Checker) -> Iterator[str]:
    """Nothing is in flight: memory is what a restart would make of the disk."""
    loaded = counters_of(checker.run(checker.platform_under_test.store.load_counters(checker.now_ms)))
    for place, counter in counters_of(checker.platform_under_test.services.counters).items():
        again = loaded.get(place)
        if again is None:
            if counter.spent and place[1] <= checker.now_ms < (counter.resets_at_ms or checker.now_ms + 1):
                yield f"{place} would be lost by a restart: {counter}"
        elif (again.limit, again.spent, again.overrun, again.held) != (
            counter.limit,
            counter.spent,
            counter.overrun,
            0,
        ):
            yield f"{place} is {counter}, a restart would make it {again}"


def _disk(checker: Checker) -> list[str]:
    return checker.run(
        checker.platform_under_test.store.readers.read(lambda connection: list(_on_disk(checker, connection)))
    )


def _on_disk(checker: Checker, connection: Connection) -> Iterator[str]:
    books = checker.books
    entries: dict[str, Counter[Any]] = {account_id: Counter() for account_id in books.accounts}
    for row in connection.execute(select(ledger)).mappings():
        entries[row["account_id"]][row["kind"], row["amount"], row["request_id"]] += 1
    money = {row["account_id"]: row for row in connection.execute(select(account_money)).mappings()}
    for account in books.accounts.values():
        wanted = Counter(account.entries)
        for entry in (entries[account.id] - wanted) + (wanted - entries[account.id]):
            yield f"{account.id} {entry}: {entries[account.id][entry]} in the ledger, {wanted[entry]} in the model"
        standing = money.get(account.id)
        names = ("put_in", "spent", "overrun", "balance")
        kept = (0, 0, 0, 0) if standing is None else tuple(standing[name] for name in names)
        balance = sum(amount for _, amount, _ in account.entries)
        if kept != (account.put_in, account.spent, account.overrun, balance):
            yield f"{account.id} put in, spent, overrun, balance: {kept}, for the model {account}"
    counters = {
        (row["budget_id"], row["starts_at_ms"]): [row["opening"], row["spent"], row["overrun"]]
        for row in connection.execute(select(budget_counters)).mappings()
    }
    for place in {*counters, *books.counters}:
        if counters.get(place, [0, 0, 0]) != books.counters.get(place, [0, 0, 0]):
            yield f"the counter of {place}: {counters.get(place)}, for the model {books.counters.get(place)}"
    records = {one.id: one for one in SqlUsageRecordRepository(connection).page(before=None, limit=100_000)}
    yield from _records(checker, records)
    yield from _sums(checker, connection)


def _records(checker: Checker, records: dict[str, UsageRecord]) -> Iterator[str]:
    books = checker.books
    endings = {live.call.id: live.ending for live in (*checker.over, *checker.stalled)}
    for request in {*records, *books.written}:
        record, call = records.get(request), books.written.get(request)
        if record is None or call is None:
            yield f"{request} stands {'in the model' if record is None else 'on the disk'} only"
            continue
        charge = None if record.charge is None else (record.charge.amount, record.charge.overrun)
        if charge != (None if call.charged is None else (call.charged, call.overrun)):
            yield f"{request} charge, overrun: {charge}, for the model {call}"
        used = {bucket: getattr(record.usage, bucket) for bucket in BUCKETS if getattr(record.usage, bucket)}
        if used != {bucket: figure for bucket, figure in call.used.items() if figure}:
            yield f"{request} used {used}, for the model {call.used}"
        late = record.ending == "commit_failed" and endings[request] in ("finished", "incomplete")
        if not late and record.ending != endings[request]:
            yield f"{request} ended {record.ending}, for the model {endings[request]}"


def _sums(checker: Checker, connection: Connection) -> Iterator[str]:
    """The roll-ups: of usage by key, of usage by account, of what was spent."""
    figures, books = ("calls", "charge", *BUCKETS), checker.books
    groups = ("span_ms", "account_id", "start_ms", "project_id", "key_id", "model", "mode")
    of_accounts = ("account_id", "span_ms", "start_ms", "model")
    yield from _compared("usage", _summed(connection, usage, groups, figures), books.usage)
    yield from _compared(
        "usage of accounts", _summed(connection, account_usage, of_accounts, figures), books.account_usage
    )
    spent = {
        (row["object_id"], row["span_ms"], row["start_ms"], row["model"]): row["charge"]
        for row in connection.execute(select(spend_sums)).mappings()
    }
    yield from _compared("spending", Counter(spent), books.spend)


def _summed(
    connection: Connection, table: Table, groups: tuple[str, ...], figures: tuple[str, ...]
) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for row in connection.execute(select(table)).mappings():
        for name in figures:
            found[(*(row[group] for group in groups), name)] += row[name]
    return found


def _compared(what: str, found: Counter[tuple[Any, ...]], wanted: Counter[tuple[Any, ...]]) -> Iterator[str]:
    for group in {*found, *wanted}:
        if found[group] != wanted[group]:
            yield f"sums of {what} {group}: {found[group]}, for the model {wanted[group]}"


def _told(checker: Checker, live: Live) -> Iterator[str]:
    """An answer that looks whole is in the ledger, and says what it cost."""
    client, call = live.client, live.call
    done = client.data.endswith(b"data: [DONE]\n\n") if call.stream else client.status == 200
    whole = client.ended and done
    if whole != live.whole:
        yield f"{call.id} looks {'whole' if whole else 'broken'} to its caller, who should have seen the other"
    if not whole:
        return
    if call.id not in checker.books.written:
        yield f"{call.id} was answered and is not written down"
    told = _charge_told(live)
    if told != format_usd(call.charged or 0):
        yield f"{call.id}: its caller was told {told} USD, the model says {call.charged} nano-USD"
    cap = client.header(b"x-tollhouse-output-cap").decode()
    if cap != ("" if call.added_cap is None else str(call.added_cap)):
        yield f"{call.id}: its caller was told of the output cap {cap!r}, the model says {call.added_cap}"


def _charge_told(live: Live) -> str | None:
    if not live.call.stream:
        return live.client.header(b"x-tollhouse-charge-usd").decode()
    for line in reversed(live.client.data.split(b"\n")):
        if line.startswith(b"data: {") and b'"tollhouse"' in line:
            told: str = json.loads(line[6:])["tollhouse"]["charge_usd"]
            return told
    return None
