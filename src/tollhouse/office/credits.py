"""Credit: money that people put in, give back or set right. Each is one entry of the ledger with its row of audit.

A refund gives a call's money back to the account. What was used stays used: reports and budgets go on counting it.
"""

from tollhouse.billing.ledger import Entry, Transfer, refundable
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.office import audit, fields, reach
from tollhouse.office.money import Posted, follow, post
from tollhouse.office.office import Office
from tollhouse.office.pages import LIMIT, Page, limit, page, place
from tollhouse.office.ports import Tables


async def grant(
    office: Office,
    actor: Actor,
    account: str,
    usd: str,
    *,
    reason: str | None = None,
    expires_at_ms: int | None = None,
) -> Entry:
    """Give an account money. Raises PathNotFound, BadRequest, ScopeMissing, Conflict."""
    reach.require_operator(actor, "give credit")
    now_ms = office.clock.now_ms()
    transfer = Transfer(
        id=office.new_id("txn"),
        account_id=reach.account(office, actor, account).id,
        kind="grant",
        amount=fields.amount(usd, "amount_usd"),
        time_ms=now_ms,
        reason=fields.reason(reason),
        actor_id=actor.id,
        expires_at_ms=fields.expiry(expires_at_ms, now_ms),
    )
    return await _give(office, actor, "credits.grant", transfer)


async def adjust(office: Office, actor: Actor, account: str, usd: str, *, reason: str) -> Entry:
    """Set an account right, by more or, with a minus before the amount, by less; the reason is kept for ever.

    Raises PathNotFound, BadRequest, ScopeMissing, Conflict.
    """
    reach.require_operator(actor, "adjust an account")
    why = fields.reason(reason)
    if why is None:
        raise BadRequest("reason: an adjustment says why", param="reason")
    amount = _signed(usd)
    transfer = Transfer(
        id=office.new_id("txn"),
        account_id=reach.account(office, actor, account).id,
        kind="adjustment",
        amount=amount,
        time_ms=office.clock.now_ms(),
        reason=why,
        actor_id=actor.id,
    )
    return await _give(office, actor, "credits.adjust", transfer)


async def refund(
    office: Office, actor: Actor, request_id: str, *, usd: str | None = None, reason: str | None = None
) -> Entry:
    """Give back what a call was charged, or a part of it. A call is refunded once: asking again for the same gives the
    entry there is.

    Raises PathNotFound for a call that was never charged, BadRequest for more than it was, Conflict for another amount
    than was refunded, ScopeMissing.
    """
    reach.require_operator(actor, "refund a call")
    asked = None if usd is None else fields.amount(usd, "amount_usd")
    why, txn, now_ms = fields.reason(reason), office.new_id("txn"), office.clock.now_ms()
    row = audit.entry(office, actor, "credits.refund", txn)

    def deed(tables: Tables) -> Posted:
        entries = tables.ledger.of_request(request_id)
        if not entries:
            raise PathNotFound(f"no call {reach.shown(request_id)} was charged")
        account_id = entries[0].transfer.account_id
        if (done := next((one for one in entries if one.transfer.kind == "refund"), None)) is not None:
            if asked not in (None, done.transfer.amount):
                raise Conflict(f"the call was refunded already, by {format_usd(done.transfer.amount)} USD")
            return Posted(done, tables.ledger.money(account_id))
        most = refundable(entry.transfer for entry in entries)
        amount = most if asked is None else asked
        if not 0 < amount <= most:
            raise BadRequest(f"amount_usd: the call was charged {format_usd(most)} USD", param="amount_usd")
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

    return (await office.rows.change(deed, follow(office))).entry


async def list_page(
    office: Office, actor: Actor, account: str | None = None, *, after: str | None = None, count: int = LIMIT
) -> Page[Entry]:
    """Everything that moved an account's money but charges, newest first. Raises PathNotFound, BadRequest."""
    account_id, before, asked = reach.account_or_own(office, actor, account).id, place(after), limit(count) + 1
    found = await office.rows.read(lambda tables: tables.ledger.deeds(account_id, before=before, limit=asked))
    return page(found, count, lambda entry: (entry.transfer.time_ms, entry.transfer.id))


def _signed(usd: str) -> int:
    amount = fields.amount(usd.removeprefix("-"), "amount_usd")
    return -amount if usd.startswith("-") else amount


async def _give(office: Office, actor: Actor, action: str, transfer: Transfer) -> Entry:
    row = audit.entry(office, actor, action, transfer.id)

    def deed(tables: Tables) -> Posted:
        posted = post(tables, transfer)
        tables.audit.add(audit.posted(row, transfer))
        return posted

    return (await office.rows.change(deed, follow(office))).entry
