"""Credit: money that people put in, give back or set right. Each is one entry of the ledger with its row of audit.

A refund gives a call's money back to the account. What was used stays used: reports and budgets go on counting it.
"""

from tollhouse.billing.ledger import Entry, Transfer, refundable
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.services import audit, fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.paging import LIMIT
from tollhouse.services.money import Posted, follow, post
from tollhouse.services.pages import Page, limit, page, parse_cursor
from tollhouse.services.ports import Repositories


async def grant(
    services: ServiceContext,
    actor: Actor,
    account: str,
    amount_usd: str,
    *,
    reason: str | None = None,
    expires_at_ms: int | None = None,
) -> Entry:
    """Give an account money. Raises PathNotFound, BadRequest, ScopeMissing, Conflict."""
    reach.require_operator(actor, "give credit")
    now_ms = services.clock.now_ms()
    transfer = Transfer(
        id=services.new_id("txn"),
        account_id=reach.account(services, actor, account).id,
        kind="grant",
        amount=fields.amount(amount_usd, "amount_usd"),
        time_ms=now_ms,
        reason=fields.reason(reason),
        actor_id=actor.id,
        expires_at_ms=fields.expiry(expires_at_ms, now_ms),
    )
    return await _give(services, actor, "credits.grant", transfer)


async def adjust(services: ServiceContext, actor: Actor, account: str, amount_usd: str, *, reason: str) -> Entry:
    """Set an account right, by more or, with a minus before the amount, by less; the reason is kept for ever.

    Raises PathNotFound, BadRequest, ScopeMissing, Conflict.
    """
    reach.require_operator(actor, "adjust an account")
    why = fields.reason(reason)
    if why is None:
        raise BadRequest("reason: an adjustment says why", param="reason")
    amount = _signed(amount_usd)
    transfer = Transfer(
        id=services.new_id("txn"),
        account_id=reach.account(services, actor, account).id,
        kind="adjustment",
        amount=amount,
        time_ms=services.clock.now_ms(),
        reason=why,
        actor_id=actor.id,
    )
    return await _give(services, actor, "credits.adjust", transfer)


async def refund(
    services: ServiceContext, actor: Actor, request_id: str, *, usd: str | None = None, reason: str | None = None
) -> Entry:
    """Give back what a call was charged, or a part of it. A call is refunded once: asking again for the same gives the
    entry there is.

    Raises PathNotFound for a call that was never charged, BadRequest for more than it was, Conflict for another amount
    than was refunded, ScopeMissing.
    """
    reach.require_operator(actor, "refund a call")
    asked = None if usd is None else fields.amount(usd, "amount_usd")
    why, txn, now_ms = fields.reason(reason), services.new_id("txn"), services.clock.now_ms()
    row = audit.entry(services, actor, "credits.refund", txn)

    def transaction(tables: Repositories) -> Posted:
        entries = tables.ledger.of_request(request_id)
        if not entries:
            raise PathNotFound(f"no call {reach.shown(request_id)} was charged")
        account_id = entries[0].transfer.account_id
        if (done := next((one for one in entries if one.transfer.kind == "refund"), None)) is not None:
            if asked not in (None, done.transfer.amount):
                raise Conflict(f"the call was refunded already, by {format_usd(done.transfer.amount)} USD")
            return Posted(done, tables.ledger.money(account_id))
        maximum = refundable(entry.transfer for entry in entries)
        amount = maximum if asked is None else asked
        if not 0 < amount <= maximum:
            raise BadRequest(f"amount_usd: the call was charged {format_usd(maximum)} USD", param="amount_usd")
        charged = next(entry.transfer.id for entry in entries if entry.transfer.kind == "charge")
        transfer = Transfer(
            id=txn,
            account_id=account_id,
            kind="refund",
            amount=amount,
            time_ms=now_ms,
            request_id=request_id,
            refers_to=charged,
            reason=why,
            actor_id=actor.id,
        )
        posted = post(tables, transfer)
        tables.audit.add(audit.posted(row, transfer))
        return posted

    return (await services.rows.change(transaction, follow(services))).entry


async def list_page(
    services: ServiceContext, actor: Actor, account: str | None = None, *, after: str | None = None, count: int = LIMIT
) -> Page[Entry]:
    """Everything that moved an account's money but charges, newest first. Raises PathNotFound, BadRequest."""
    account_id, before, asked = reach.account_or_own(services, actor, account).id, parse_cursor(after), limit(count) + 1
    found = await services.rows.read(lambda tables: tables.ledger.non_charges(account_id, before=before, limit=asked))
    return page(found, count, lambda entry: (entry.transfer.time_ms, entry.transfer.id))


def _signed(usd: str) -> int:
    amount = fields.amount(usd.removeprefix("-"), "amount_usd")
    return -amount if usd.startswith("-") else amount


async def _give(services: ServiceContext, actor: Actor, action: str, transfer: Transfer) -> Entry:
    row = audit.entry(services, actor, action, transfer.id)

    def transaction(tables: Repositories) -> Posted:
        posted = post(tables, transfer)
        tables.audit.add(audit.posted(row, transfer))
        return posted

    return (await services.rows.change(transaction, follow(services))).entry
