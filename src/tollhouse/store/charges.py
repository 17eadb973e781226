"""What calls cost, written with their records: entries of the ledger, the money of accounts, the counters of budgets.

Every call waits for this, so it costs three statements a batch, and the bytes that a hash covers are spelled out for
charges alone; a test holds them to `billing.ledger.canonical`. The end of an account's chain is read once and then
remembered by the driver, which forgets it when anything is undone. Where another process has written the chain
meanwhile, its primary key refuses the batch; the next try reads the end again, and keeps it to itself until its commit.
"""

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from tollhouse.billing.ledger import FIRST, TRANSFER_RULES, VERSION
from tollhouse.core.charge import Charge
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.driver import ROWS_AT_ONCE, Driver, Insertion
from tollhouse.store.schema import account_money, budget_counters, ledger

Head = tuple[int, int, bytes]
"""Sequence, balance and hash of an account's last entry."""

_NONE: Final[Head] = (0, 0, FIRST)
_SAME: Final = {"counter": f"'{TRANSFER_RULES['charge'].counter}'"} | dict.fromkeys(
    ("refers_to", "reason", "actor_id", "expires_at_ms"), "NULL"
)
_VERSION: Final = f"{len(VERSION)}:{VERSION}"
_REMEMBERED_MAX: Final = 100_000
_NOTHING: Final = (0, 0)

_INSERT = Insertion(ledger, same=_SAME)
_ADD_MONEY = Insertion(
    account_money,
    "ON CONFLICT (account_id) DO UPDATE SET spent = account_money.spent + excluded.spent,"
    " overrun = account_money.overrun + excluded.overrun, balance = excluded.balance, sequence = excluded.sequence,"
    " hash = excluded.hash",
)
_ADD_COUNTERS = Insertion(
    budget_counters,
    "ON CONFLICT (budget_id, starts_at_ms) DO UPDATE SET spent = budget_counters.spent + excluded.spent,"
    " overrun = budget_counters.overrun + excluded.overrun",
)


def enter(driver: Driver, batch: Sequence[UsageRecord]) -> None:
    """Charge the calls of a batch that are to be charged. Test mode is free."""
    calls = [call for call in batch if call.charge is not None and call.mode == "live"]
    if not calls:
        return
    heads = _heads(driver, {call.account_id for call in calls})
    entries: list[tuple[object, ...]] = []
    spent: dict[str, int] = defaultdict(int)
    overrun: dict[str, int] = defaultdict(int)
    counters: dict[tuple[str, int], tuple[int, int]] = {}
    for call in calls:
        charge, account_id = call.charge, call.account_id
        assert charge is not None
        amount, over = charge.amount, charge.overrun
        txn = f"txn_{call.id[4:]}"
        head = _append(heads[account_id], entries, call, charge, txn, "charge", over - amount)
        if over:
            head = _append(head, entries, call, charge, f"{txn}_overrun", "overrun", -over)
            overrun[account_id] += over
        heads[account_id] = head
        spent[account_id] += amount
        for place in charge.budgets:
            before = counters.get(place, _NOTHING)
            counters[place] = before[0] + amount, before[1] + over
    driver.insert(_INSERT, entries)
    # Sorted, so that two processes that add to the same rows lock them in the same order.
    driver.insert(
        _ADD_MONEY,
        [
            (account_id, 0, spent[account_id], overrun[account_id], balance, sequence, digest)
            for account_id in sorted(spent)
            for sequence, balance, digest in (heads[account_id],)
        ],
    )
    driver.insert(_ADD_COUNTERS, [(*place, 0, *counters[place]) for place in sorted(counters)])


def _append(
    head: Head,
    entries: list[tuple[object, ...]],
    call: UsageRecord,
    charge: Charge,
    txn: str,
    kind: str,
    amount: int,
) -> Head:
    """Add the row of an entry that follows `head`; the answer is where the chain ends then."""
    sequence, balance, previous = head
    sequence, balance = sequence + 1, balance + amount
    account_id, request_id, time_ms = call.account_id, call.id, call.time_ms
    price_id, multiplier = charge.price_id, charge.multiplier_ppm
    # Ids hold one byte a character, so that lengths can be counted before they are encoded.
    nth, left, moved, time, times = f"{sequence}", f"{balance}", f"{amount}", f"{time_ms}", f"{multiplier}"
    price = "-" if price_id is None else f"{len(price_id)}:{price_id}"
    canonical = (
        f"{_VERSION},{len(account_id)}:{account_id},{len(nth)}:{nth},{len(left)}:{left},"
        f"{len(txn)}:{txn},{len(kind)}:{kind},{len(moved)}:{moved},{len(time)}:{time},"
        f"{len(request_id)}:{request_id},{price},{len(times)}:{times},-,-,-,-,"
    )
    digest = sha256(previous + canonical.encode()).digest()
    entries.append(
        (
            account_id,
            sequence,
            txn,
            kind,
            amount,
            balance,
            time_ms,
            request_id,
            price_id,
            multiplier,
            previous,
            digest,
        )
    )
    return sequence, balance, digest


def _heads(driver: Driver, accounts: set[str]) -> dict[str, Head]:
    """The ends of the chains, by account; more than those asked for."""
    heads: dict[str, Head] = driver.remembered.setdefault("heads", {})
    unknown = sorted(account for account in accounts if account not in heads)
    if unknown and len(heads) > _REMEMBERED_MAX:
        heads.clear()
        unknown = sorted(accounts)
    for at in range(0, len(unknown), ROWS_AT_ONCE):
        part = unknown[at : at + ROWS_AT_ONCE]
        marks = ", ".join("?" * len(part))
        found = driver.ask(
            f"SELECT account_id, sequence, balance, hash FROM account_money WHERE account_id IN ({marks})"  # noqa: S608
            f" ORDER BY account_id {driver.until_commit}",
            part,
        )
        heads.update(dict.fromkeys(part, _NONE))
        heads.update((row[0], (row[1], row[2], bytes(row[3]))) for row in found)
    return heads
