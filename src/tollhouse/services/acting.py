"""Somebody of the platform looks at the pages of an account, as its members see them: told in the audit of both.

That is kept with the session: it outlives a restart, and each process that serves pages knows it.
"""

from msgspec import structs

from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.session import Session
from tollhouse.services import audit, reach
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories


async def begin(services: ServiceContext, actor: Actor, session: Session, reference: str) -> Account:
    """From now on the session sees this account. Raises PathNotFound, BadRequest, ScopeMissing."""
    reach.require_operator(actor, "look at the pages of an account")
    account = reach.account(services, actor, reference)
    await _look(services, actor, "account.act_as", account.id, structs.replace(session, looks_at=account.id))
    return account


async def end(services: ServiceContext, actor: Actor, session: Session) -> str | None:
    """Look no more; the id of the account that was looked at."""
    account_id = session.looks_at
    if account_id is not None:
        await _look(services, actor, "account.act_as_end", account_id, structs.replace(session, looks_at=None))
    return account_id


async def _look(services: ServiceContext, actor: Actor, action: str, account_id: str, after: Session) -> None:
    row = audit.entry(services, actor, action, account_id, account_id=account_id)

    def transaction(tables: SqlRepositories) -> bool:
        tables.audit.add(row)
        if tables.sessions.get(after.id) is None:
            return False  # it ended meanwhile
        tables.sessions.save(after)
        return True

    def follow(stands: bool) -> None:
        if stands:
            services.sessions.put(after)

    await services.rows.change(transaction, follow)
