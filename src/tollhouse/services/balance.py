"""The money of an account: what may still be spent, and what is left of each sum that was put in."""

from typing import Final

from msgspec import Struct

from tollhouse.billing.grants import grants
from tollhouse.billing.holds import SpendingCounter
from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.credits import GrantQuery
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

SHOWN_MAX: Final = 100


class GrantLeft(Struct, frozen=True, kw_only=True):
    """A grant or a top-up. Nano-USD. `kind`: grant, top_up. `left`: what can still be spent of it."""

    id: str
    kind: str
    amount: int
    left: int
    reason: str | None
    created_at_ms: int
    expires_at_ms: int | None


class Balance(Struct, frozen=True, kw_only=True):
    """Nano-USD. `balance`: what was put in less what was charged; negative: what is owed. `available`: with the credit
    limit, less what is held; None: nothing binds. `grants`: the newest first."""

    account: Account
    balance: int
    held: int
    available: int | None
    grants: tuple[GrantLeft, ...]


@WithFieldsOf(GrantQuery)
async def show(services: ServiceContext, actor: Actor, given: GrantQuery) -> Balance:
    """Raises PathNotFound, BadRequest, Overloaded."""
    account = reach.account_or_own(services, actor, given.account)
    now_ms = services.clock.now_ms()

    def question(tables: SqlRepositories) -> tuple[int, list[GrantLeft]]:
        entries = tables.ledger.non_charges_within(account.id, 0, now_ms + 1)
        balance = tables.ledger.money(account.id).balance
        transfers = {entry.transfer.id: entry.transfer for entry in entries}
        found = []
        for one in grants(entries, balance)[: -SHOWN_MAX - 1 : -1]:
            is_over = one.expires_at_ms is not None and one.expires_at_ms <= now_ms
            found.append(
                GrantLeft(
                    id=one.id,
                    kind=transfers[one.id].kind,
                    amount=one.amount,
                    left=0 if is_over else one.amount - one.used,
                    reason=transfers[one.id].reason,
                    created_at_ms=one.effective_at_ms,
                    expires_at_ms=one.expires_at_ms,
                )
            )
        return balance, found

    balance, found = await services.rows.read(question)
    counter: SpendingCounter = services.counters.money(account.id)
    return Balance(
        account=account,
        balance=balance,
        held=counter.held,
        available=None if counter.limit is None else counter.limit - counter.spent - counter.held,
        grants=tuple(found),
    )
