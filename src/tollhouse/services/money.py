"""A transfer, posted: its entry in the ledger, and the account's money after it. Grants, refunds and codes share it."""

from collections.abc import Callable
from typing import NamedTuple

from tollhouse.billing.ledger import Entry, Transfer
from tollhouse.core.amount import MOST
from tollhouse.core.failure import Conflict
from tollhouse.core.money import Money
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories


class Posted(NamedTuple):
    entry: Entry
    money: Money


def post(tables: SqlRepositories, transfer: Transfer) -> Posted:
    """Within an action. Raises Conflict where the account would have more than can be counted."""
    if abs(tables.ledger.money(transfer.account_id).put_in + transfer.amount) > MOST:
        raise Conflict("the account would hold more than this platform counts: at most 9000000000 USD")
    entry = tables.ledger.append(transfer)
    return Posted(entry, tables.ledger.money(transfer.account_id))


def follow(services: ServiceContext) -> Callable[[Posted], None]:
    """After the action: calls are paid from the money as it stands now."""

    def put(posted: Posted) -> None:
        money = posted.money
        account = services.directory.accounts[money.account_id]
        services.counters.put_money(account.id, money.limit(account.credit_limit), money.spent)
        ends_at_ms = posted.entry.transfer.expires_at_ms
        if ends_at_ms is not None and services.expiring is not None:
            services.expiring[account.id] = min(ends_at_ms, services.expiring.get(account.id, ends_at_ms))

    return put
