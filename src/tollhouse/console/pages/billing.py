"""/console/billing: the money of an account, codes that add to it, and what each month was made of."""

from datetime import UTC, datetime

from tollhouse.console.months import months_since
from tollhouse.console.route import Answer, Download, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.amount import format_usd
from tollhouse.core.code import Code
from tollhouse.core.failure import BadRequest, Failure, RateLimited
from tollhouse.core.instant import rfc3339
from tollhouse.services import balance, codes, ledger, usage
from tollhouse.services.ledger import Statement
from tollhouse.services.statement_csv import StatementRow, as_csv

_CODE_MAX = 100


@page("GET /console/billing", may="credits.show")
async def overview(visit: Visit) -> Answer:
    return await _overview(visit, visit.shown_account)


@page("POST /console/billing/redeem", may="codes.redeem")
async def redeem(visit: Visit) -> Answer:
    """First what a code is worth; with `do=redeem` it is redeemed."""
    account = visit.shown_account
    services, text = visit.context.services, visit.given("code")
    try:
        if not text or len(text) > _CODE_MAX:
            raise BadRequest("code: write the code as it was given to you", param="code")
        if visit.given("do") != "redeem":
            return await _overview(visit, account, code=await codes.preview(services, visit.actor, code=text))
        await codes.redeem(services, visit.actor, code=text)
    except (BadRequest, RateLimited) as trouble:
        return await _overview(visit, account, trouble)
    return Elsewhere("/console/billing")


@page("GET /console/billing/statement", may="ledger.statement")
async def statement(visit: Visit) -> Answer:
    account = visit.shown_account
    services = visit.context.services
    found = await ledger.statement(services, visit.actor, month=visit.asked("month") or None)
    models = await usage.report(
        services, visit.actor, by="model", from_ms=found.from_ms, to_ms=found.to_ms, mode="live"
    )
    return Shown(
        "statement.html",
        {
            "account": account,
            "statement": found,
            "month": _month(found),
            "kinds": _by_kind(found),
            "models": sorted((one for one in models if one.charge), key=lambda one: -one.charge),
        },
    )


@page("GET /console/billing/statement.csv", may="ledger.statement")
async def statement_csv(visit: Visit) -> Answer:
    found = await ledger.statement(visit.context.services, visit.actor, month=visit.asked("month") or None)
    lines = [
        StatementRow(
            time=rfc3339(one.time_ms),
            kind=one.kind,
            amount_usd=format_usd(one.amount),
            id=one.id or "",
            reason=one.reason or "",
        )
        for one in found.lines
    ]
    content = as_csv(
        StatementRow(time=rfc3339(found.from_ms), kind="opening", amount_usd=format_usd(found.opening)),
        lines,
        StatementRow(time=rfc3339(found.to_ms), kind="closing", amount_usd=format_usd(found.closing)),
    )
    return Download(f"statement-{_month(found)}.csv", content)


async def _overview(visit: Visit, account: Account, trouble: Failure | None = None, code: Code | None = None) -> Shown:
    found = await balance.show(visit.context.services, visit.actor, account=account.id)
    return Shown(
        "billing.html",
        {
            "account": account,
            "money": found,
            "months": months_since(account.created_at_ms, visit.now_ms),
            "now_ms": visit.now_ms,
            "code": code,
            "typed": visit.given("code"),
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


def _by_kind(found: Statement) -> list[tuple[str, int, int]]:
    """Of each kind of line: how many there are, and their sum."""
    kinds: dict[str, list[int]] = {}
    for one in found.lines:
        kinds.setdefault(one.kind, []).append(one.amount)
    return [(kind, len(amounts), sum(amounts)) for kind, amounts in kinds.items()]


def _month(found: Statement) -> str:
    return datetime.fromtimestamp(found.from_ms / 1_000, UTC).strftime("%Y-%m")
