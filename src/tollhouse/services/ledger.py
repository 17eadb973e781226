"""The ledger, read: what an account owes for a month, and whether everything still agrees with everything.

What calls cost stands in a statement by the day, from the sums of charges; each other entry stands for itself.
"""

import re
from datetime import UTC, datetime

from msgspec import Struct

from tollhouse.billing.ledger import Entry
from tollhouse.billing.windows import window
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import FOREVER_MS
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.verification import Verification, examine
from tollhouse.store.tables import SqlRepositories

YEAR_MAX = 9998  # the month after its last one is still a date
_VERIFYING_MS = 3_600_000
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)


class StatementLine(Struct, frozen=True, kw_only=True):
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
    lines: tuple[StatementLine, ...]
    closing: int
    sequence: int
    hash: bytes


async def statement(
    services: ServiceContext, actor: Actor, account: str | None = None, *, month: str | None = None
) -> Statement:
    """Of a month of UTC, written YYYY-MM; by default of this one. Raises BadRequest, PathNotFound."""
    account_id = reach.account_or_own(services, actor, account).id
    span = window("month", services.clock.now_ms() if month is None else _month(month))
    from_ms, to_ms = span.start_ms, span.end_ms or FOREVER_MS

    def question(tables: SqlRepositories) -> Statement:
        within = tables.spend.of_days(account_id, from_ms, to_ms)
        money = tables.ledger.money(account_id)
        opening = tables.ledger.put_in_before(account_id, from_ms) - tables.spend.total(account_id, from_ms)
        lines = [
            StatementLine(time_ms=day_ms, kind="charge", amount=-charge) for day_ms, charge in within.items() if charge
        ]
        lines += [_line(entry) for entry in tables.ledger.non_charges_within(account_id, from_ms, to_ms)]
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

    return await services.rows.read(question)


async def verify(services: ServiceContext, actor: Actor) -> Verification:
    """Check all there is, as it stands at one instant. No flaws: everything agrees. Raises ScopeMissing."""
    reach.require_operator(actor, "check the whole ledger")
    prices = services.prices
    return await services.rows.read(lambda tables: examine(tables, prices), _VERIFYING_MS)


def _line(entry: Entry) -> StatementLine:
    transfer = entry.transfer
    return StatementLine(
        time_ms=transfer.time_ms, kind=transfer.kind, amount=transfer.amount, id=transfer.id, reason=transfer.reason
    )


def _month(text: str) -> int:
    written = _MONTH.fullmatch(text)
    try:
        if written is not None:
            year, month = int(written[1]), int(written[2])
            if 1970 <= year <= YEAR_MAX:
                return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
    except ValueError:  # as 2026-13
        pass
    raise BadRequest(
        Phrase(
            "month: %(given)s is no month; write YYYY-MM, from 1970-01 to %(year)s-12",
            given=repr(text[:20]),
            year=YEAR_MAX,
        ),
        param="month",
    )
