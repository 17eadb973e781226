"""Credit: money that people put in, give back or set right. Each is one entry of the ledger with its row of audit.

A refund gives a call's money back to the account. What was used stays used: reports and budgets go on counting it.
"""

from collections.abc import Callable
from functools import partial

from tollhouse.billing.ledger import CreditFields, Entry, Transfer, refundable
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.credits import CreditQuery, NewAdjustment, NewGrantFields, NewRefund
from tollhouse.services.money import Posted, follow, post
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories


class GrantToMake(NewGrantFields, frozen=True):
    expires_at_ms: int | None = None


@WithFieldsOf(GrantToMake)
async def grant(services: ServiceContext, actor: Actor, given: GrantToMake) -> Entry:
    """Give an account money. Raises PathNotFound, BadRequest, ScopeMissing, Conflict."""
    reach.require_operator(actor, "give credit")
    now_ms = services.clock.now_ms()
    transfer = Transfer(
        id=services.new_id("txn"),
        account_id=reach.account(services, actor, given.account).id,
        kind="grant",
        amount=fields.amount(given.amount_usd, "amount_usd"),
        time_ms=now_ms,
        actor_id=actor.id,
        expires_at_ms=fields.expiry(given.expires_at_ms, now_ms),
        **fields.kept(CreditFields, given, reason=fields.reason(given.reason)),
    )
    return await _give(services, actor, "credits.grant", transfer)


@WithFieldsOf(NewAdjustment)
async def adjust(services: ServiceContext, actor: Actor, given: NewAdjustment) -> Entry:
    """Set an account right, by more or, with a minus before the amount, by less; the reason is kept for ever.

    Raises PathNotFound, BadRequest, ScopeMissing, Conflict.
    """
    reach.require_operator(actor, "adjust an account")
    why = fields.reason(given.reason)
    if why is None:
        raise BadRequest("reason: an adjustment says why", param="reason")
    amount = _signed(given.amount_usd)
    transfer = Transfer(
        id=services.new_id("txn"),
        account_id=reach.account(services, actor, given.account).id,
        kind="adjustment",
        amount=amount,
        time_ms=services.clock.now_ms(),
        actor_id=actor.id,
        **fields.kept(CreditFields, given, reason=why),
    )
    return await _give(services, actor, "credits.adjust", transfer)


@WithFieldsOf(NewRefund)
async def refund(services: ServiceContext, actor: Actor, given: NewRefund) -> Entry:
    """Give a call's charge back, as `refund_and` does."""
    return await refund_and(services, actor, given)


async def refund_and(
    services: ServiceContext,
    actor: Actor,
    given: NewRefund,
    also: Callable[[SqlRepositories, Entry], None] | None = None,
) -> Entry:
    """Give back what a call was charged, or a part of it. A call is refunded once: asking again for the same gives the
    entry there is. also: what is to be written in the same transaction, each time.

    Raises PathNotFound for a call that was never charged, BadRequest for more than it was, Conflict for another amount
    than was refunded, ScopeMissing.
    """
    reach.require_operator(actor, "refund a call")
    asked = None if given.amount_usd is None else fields.amount(given.amount_usd, "amount_usd")
    kept = fields.kept(CreditFields, given, reason=fields.reason(given.reason))
    request_id, txn, now_ms = given.request_id, services.new_id("txn"), services.clock.now_ms()
    row = audit.entry(services, actor, "credits.refund", txn)

    def transaction(tables: SqlRepositories) -> Posted:
        posted = booked(tables)
        if also is not None:
            also(tables, posted.entry)
        return posted

    def booked(tables: SqlRepositories) -> Posted:
        entries = tables.ledger.of_request(request_id)
        if not entries:
            raise PathNotFound(Phrase("no call %(request)s was charged", request=reach.shown(request_id)))
        account_id = entries[0].transfer.account_id
        if (done := next((one for one in entries if one.transfer.kind == "refund"), None)) is not None:
            if asked not in (None, done.transfer.amount):
                raise Conflict(
                    Phrase("the call was refunded already, by %(amount)s USD", amount=format_usd(done.transfer.amount))
                )
            return Posted(done, tables.ledger.money(account_id))
        maximum = refundable(entry.transfer for entry in entries)
        amount = maximum if asked is None else asked
        if not 0 < amount <= maximum:
            raise BadRequest(
                Phrase("amount_usd: the call was charged %(amount)s USD", amount=format_usd(maximum)),
                param="amount_usd",
            )
        charged = next(entry.transfer.id for entry in entries if entry.transfer.kind == "charge")
        transfer = Transfer(
            id=txn,
            account_id=account_id,
            kind="refund",
            amount=amount,
            time_ms=now_ms,
            request_id=request_id,
            refers_to=charged,
            actor_id=actor.id,
            **kept,
        )
        posted = post(tables, transfer)
        tables.audit.add(audit.posted(row, transfer))
        return posted

    return (await services.rows.change(transaction, follow(services))).entry


@WithFieldsOf(CreditQuery)
async def list_page(services: ServiceContext, actor: Actor, given: CreditQuery) -> Page[Entry]:
    """Everything that moved an account's money but charges, newest first. Raises PathNotFound, BadRequest."""
    account_id = reach.account_or_own(services, actor, given.account).id
    return await read_page(services, given, lambda tables: partial(tables.ledger.non_charges, account_id), _newest_by)


def _newest_by(entry: Entry) -> Cursor:
    return entry.transfer.time_ms, entry.transfer.id


def _signed(usd: str) -> int:
    amount = fields.amount(usd.removeprefix("-"), "amount_usd")
    return -amount if usd.startswith("-") else amount


async def _give(services: ServiceContext, actor: Actor, action: str, transfer: Transfer) -> Entry:
    row = audit.entry(services, actor, action, transfer.id)

    def transaction(tables: SqlRepositories) -> Posted:
        posted = post(tables, transfer)
        tables.audit.add(audit.posted(row, transfer))
        return posted

    return (await services.rows.change(transaction, follow(services))).entry
