"""/api/v1/ledger"""

from msgspec import Struct, field

from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import fill
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import ledger
from tollhouse.services.given.statements import StatementQuery
from tollhouse.services.statement_csv import StatementRow, as_csv


class FlawObject(Struct, frozen=True, kw_only=True):
    """`sequence`: of the entry in its account's chain; `transfer_id` is empty where the flaw is of no single entry."""

    account_id: str
    sequence: int
    transfer_id: str
    reason: str


class VerificationObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="ledger_verification"):
    """What was looked at, and everything that does not agree."""

    ok: bool
    accounts: int
    entries: int
    flaws: tuple[FlawObject, ...]


class LineObject(Struct, frozen=True, kw_only=True):
    """`amount_usd`: what it added to the balance. `kind` charge: all calls of a day of UTC; any other: one entry."""

    time: str | None
    kind: str
    amount_usd: str
    id: str | None
    reason: str | None


class StatementObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="statement"):
    """Opening and lines make closing. `sequence` and `hash`: where the account's chain of entries stands today."""

    account_id: str
    start: str | None = field(name="from")
    end: str | None = field(name="to")  # exclusive
    opening_usd: str
    lines: tuple[LineObject, ...]
    closing_usd: str
    sequence: int
    hash: str


@route("ledger.verify", "GET /api/v1/ledger/verify", PLATFORM, "Does everything still agree?")
async def verify(context: AdminContext, request: AdminRequest[NoParameters]) -> VerificationObject:
    found = await ledger.verify(context.services, request.actor)
    flaws = tuple(fill(FlawObject, flaw) for flaw in found.flaws)
    return VerificationObject(ok=not flaws, accounts=found.accounts, entries=found.entries, flaws=flaws)


def _as_csv(query: StatementQuery, answer: StatementObject) -> str:
    lines = (
        StatementRow(
            time=line.time or "", kind=line.kind, amount_usd=line.amount_usd, id=line.id or "", reason=line.reason or ""
        )
        for line in answer.lines
    )
    return as_csv(
        StatementRow(time=answer.start or "", kind="opening", amount_usd=answer.opening_usd),
        lines,
        StatementRow(time=answer.end or "", kind="closing", amount_usd=answer.closing_usd),
    )


@route(
    "ledger.statement",
    "GET /api/v1/ledger/statement",
    ACCOUNT,
    "A month's bill; as CSV with Accept: text/csv",
    as_csv=_as_csv,
)
async def statement(context: AdminContext, request: AdminRequest[StatementQuery]) -> StatementObject:
    found = await ledger.statement(context.services, request.actor, **request.given)
    return fill(
        StatementObject,
        found,
        start=written(found.from_ms),
        end=written(found.to_ms),
        lines=tuple(fill(LineObject, line) for line in found.lines),
        hash=found.hash.hex(),
    )
