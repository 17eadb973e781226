"""Somebody of the platform looks at the pages of an account, as its members see them: told in the audit of both."""

from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.session import Session
from tollhouse.services import audit, reach
from tollhouse.services.context import ServiceContext


async def begin(services: ServiceContext, actor: Actor, session: Session, reference: str) -> Account:
    """From now on the session sees this account. Raises PathNotFound, BadRequest, ScopeMissing."""
    reach.require_operator(actor, "look at the pages of an account")
    account = reach.account(services, actor, reference)
    row = audit.entry(services, actor, "account.act_as", account.id, account_id=account.id)
    await services.rows.change(
        lambda tables: tables.audit.add(row), lambda _: services.sessions.look_at(session, account.id)
    )
    return account


async def end(services: ServiceContext, actor: Actor, session: Session) -> str | None:
    """Look no more; the id of the account that was looked at."""
    account_id = services.sessions.looks_at(session)
    services.sessions.look_at(session, None)
    if account_id is not None:
        row = audit.entry(services, actor, "account.act_as_end", account_id, account_id=account_id)
        await services.rows.change(lambda tables: tables.audit.add(row))
    return account_id
