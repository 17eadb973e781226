"""Grants whose time is over: what is left of them goes back to the platform, an entry of the ledger for each.

Calls are paid from what ends first, so a call in flight stands on the grant as far as it reaches: what is held for it
stays until it is settled, and what it leaves is taken the next time. A grant that was used up ends without an entry.
"""

from typing import NamedTuple

from tollhouse.billing import holds
from tollhouse.billing.credit_lots import CreditLots, after, due, spend
from tollhouse.billing.grants import credit_lots as laid_out
from tollhouse.billing.ledger import Entry, Transfer
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Failure
from tollhouse.core.money import Money
from tollhouse.core.roll_up import FOREVER_MS
from tollhouse.services import audit, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.money import post
from tollhouse.store.tables import SqlRepositories


class _Ended(NamedTuple):
    """`next_ms`: when the account has to be looked at again; None: it has no more grants that end."""

    entries: tuple[Entry, ...]
    money: Money
    next_ms: int | None


async def post_due(services: ServiceContext, actor: Actor) -> tuple[Entry, ...]:
    """End every grant whose time is over: for a timer, and at the start. Once done there is nothing left to do, so
    asking twice, or again after a crash, posts nothing twice.

    Raises ScopeMissing, Overloaded: what was not posted then is posted the next time.
    """
    reach.require_operator(actor, "end grants")
    now_ms = services.clock.now_ms()
    expiring = await _expiring(services)
    entries: list[Entry] = []
    for account_id in [one for one, ends_at_ms in expiring.items() if ends_at_ms <= now_ms]:
        entries += await _end(services, actor, account_id, now_ms)
    return tuple(entries)


async def _expiring(services: ServiceContext) -> dict[str, int]:
    """Which accounts have grants that end, and when the next one does. Looked up once, among the changes, so that no
    grant slips in between."""
    if services.expiring is None:

        def found(expiring: dict[str, int]) -> None:
            services.expiring = expiring

        return await services.rows.change(lambda tables: tables.ledger.expiring(), found)
    return services.expiring


async def _end(services: ServiceContext, actor: Actor, account_id: str, now_ms: int) -> tuple[Entry, ...]:
    """Of one account. Meanwhile the money is held, so that no call is let in on it."""
    credit_lots = await services.rows.read(lambda tables: _credit_lots(tables, tables.ledger.money(account_id)))
    counter = services.counters.money(account_id)
    maximum = {lot.id: lot.left for lot in due(spend(credit_lots, counter.held), now_ms)}
    try:
        reserved = holds.hold((counter,), sum(maximum.values()))
    except holds.InsufficientFunds:  # calls have spent it since it was counted: the next time
        return ()
    txns = {lot_id: services.new_id("txn") for lot_id in maximum}
    rows = {lot_id: audit.entry(services, actor, "credits.expire", txn) for lot_id, txn in txns.items()}

    def transaction(tables: SqlRepositories) -> _Ended:
        credit_lots = _credit_lots(tables, tables.ledger.money(account_id, lock=True))
        entries = []
        for lot in due(credit_lots, now_ms):
            amount = min(lot.left, maximum.get(lot.id, 0))
            if amount:
                transfer = Transfer(
                    id=txns[lot.id],
                    account_id=account_id,
                    kind="expiry",
                    amount=-amount,
                    time_ms=now_ms,
                    refers_to=lot.id,
                    actor_id=actor.id,
                )
                entries.append(post(tables, transfer).entry)
                tables.audit.add(audit.posted(rows[lot.id], transfer))
        rest = after(credit_lots, (entry.transfer for entry in entries))
        return _Ended(tuple(entries), tables.ledger.money(account_id), _next_ms(rest))

    def follow(ended: _Ended) -> None:
        limit = ended.money.limit(services.directory.accounts[account_id].credit_limit)
        services.counters.put_money(account_id, limit, ended.money.spent)
        holds.release(reserved)
        assert services.expiring is not None
        services.expiring.pop(account_id, None)
        if ended.next_ms is not None:
            services.expiring[account_id] = ended.next_ms

    try:
        return (await services.rows.change(transaction, follow)).entries
    except (Failure, ValueError):  # nothing was posted; where the caller is cancelled instead, `follow` still comes
        holds.release(reserved)
        raise


def _credit_lots(tables: SqlRepositories, money: Money) -> CreditLots:
    return laid_out(tables.ledger.non_charges_within(money.account_id, 0, FOREVER_MS), money.balance)


def _next_ms(credit_lots: CreditLots) -> int | None:
    return min((lot.expires_at_ms for lot in credit_lots.lots if lot.expires_at_ms is not None), default=None)
