"""Accounts: who pays. An account is never deleted; suspending it stops all its keys."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct, structs

from tollhouse.billing.budgets import Budget
from tollhouse.billing.price_list import DEFAULT
from tollhouse.core.account import Account, AccountFields, Project
from tollhouse.core.audit import Actor, AuditRow
from tollhouse.core.catalogue import Plan
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.money import Money
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.accounts import AccountChange, NewAccount
from tollhouse.services.given.paging import Paging
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

DEFAULT_PROJECT = "default"


_CHANGES: Final[Mapping[str, tuple[str, Callable[[Any], object]]]] = {
    "credit_limit_usd": ("credit_limit", fields.credit_limit),
    "multiplier": ("multiplier_ppm", fields.multiplier),
    "groups": ("groups", fields.groups),
    "email": ("email", fields.email),
    "zone": ("zone", fields.zone),
}
"""What is given, the field of the record that it changes, and what reads it."""


@WithFieldsOf(NewAccount)
async def create(services: ServiceContext, actor: Actor, given: NewAccount) -> Account:
    """A new account with its project `default`. Without a credit limit the plan's holds, and the plan's
    `system_hard_limit_usd` becomes a budget of the operator's on it. Names need not be unique.

    Raises BadRequest, ScopeMissing.
    """
    reach.require_operator(actor, "create accounts")
    made = _opening(services, given)
    row = audit.entry(services, actor, "account.create", made.account.id, account_id=made.account.id)

    def transaction(tables: SqlRepositories) -> Account:
        add(tables, made, row)
        return made.account

    return await services.rows.change(transaction, lambda _: follow(services, made))


class Opening(Struct, frozen=True):
    """An account that is to be, with all that it begins with."""

    account: Account
    project: Project
    ceiling: Budget | None


def opening(services: ServiceContext, *, name: str, email: str) -> Opening:
    """Of somebody who opens it by themselves: on the default plan. Raises BadRequest."""
    return _opening(services, NewAccount(name=name, email=email))


def _opening(services: ServiceContext, given: NewAccount) -> Opening:
    chosen = fields.plan(given.plan, services.catalogue)
    limit_usd = chosen.credit_limit_usd if given.credit_limit_usd is None else given.credit_limit_usd
    now_ms = services.clock.now_ms()
    account = Account(
        id=services.new_id("acc"),
        credit_limit=fields.credit_limit(limit_usd),
        created_at_ms=now_ms,
        **fields.kept(
            AccountFields,
            given,
            name=fields.name(given.name),
            email=None if given.email is None else fields.email(given.email),
            plan=chosen.id,
            zone=fields.zone(given.zone),
        ),
    )
    project = Project(id=services.new_id("proj"), account_id=account.id, name=DEFAULT_PROJECT, created_at_ms=now_ms)
    return Opening(account, project, _ceiling(services, account, chosen))


def add(tables: SqlRepositories, made: Opening, row: AuditRow) -> None:
    """Within a transaction."""
    tables.accounts.add(made.account)
    tables.projects.add(made.project)
    tables.audit.add(audit.changed(row, None, made.account))
    if made.ceiling is not None:
        tables.budgets.add(made.ceiling)


def follow(services: ServiceContext, made: Opening) -> None:
    """On the loop, once it is durable."""
    services.directory.put_account(made.account)
    services.directory.put_project(made.project)
    services.counters.put_money(made.account.id, made.account.credit_limit)
    if made.ceiling is not None:
        services.counters.put_budget(made.ceiling, made.account.created_at_ms)


@WithFieldsOf(Paging)
async def list_page(services: ServiceContext, actor: Actor, given: Paging) -> Page[Account]:
    """All accounts, newest first; of a bounded actor, his own."""
    return await read_page(services, given, lambda tables: tables.accounts.page, account_id=actor.account_id)


async def show(services: ServiceContext, actor: Actor, reference: str) -> Account:
    """By id or unique name. Raises PathNotFound, BadRequest."""
    return reach.account(services, actor, reference)


async def suspend(services: ServiceContext, actor: Actor, reference: str, reason: str | None = None) -> Account:
    """Stop every key of the account from the next request on. Suspended again, only its reason changes, if given."""
    reach.require_operator(actor, "suspend accounts")
    return await _turn(services, actor, reference, "account.suspend", state="suspended", reason=fields.reason(reason))


async def resume(services: ServiceContext, actor: Actor, reference: str, reason: str | None = None) -> Account:
    """Let a suspended account go on; nothing happens to an active one."""
    reach.require_operator(actor, "resume accounts")
    return await _turn(services, actor, reference, "account.resume", state="active", reason=fields.reason(reason))


@WithFieldsOf(AccountChange)
async def change(services: ServiceContext, actor: Actor, reference: str, given: AccountChange) -> Account:
    """What is given changes, all at once, from the next call on; what is None stays.

    credit_limit_usd: how far the account may spend beyond what was put in, or `unlimited`. price_list, multiplier: by
    which list it buys, and how many times its prices it pays (`1.2`). groups: of models, besides those of its plan.
    zone: of the windows of budgets that are set from now on without one of their own; those that stand keep theirs.
    Raises PathNotFound, BadRequest, ScopeMissing.
    """
    reach.require_operator(actor, "change an account's terms")
    return await _change(services, actor, reference, given)


async def set_zone(services: ServiceContext, actor: Actor, reference: str, zone: str) -> Account:
    """What an account changes of its terms by itself. Raises PathNotFound, BadRequest."""
    return await _change(services, actor, reference, AccountChange(zone=zone))


async def _change(services: ServiceContext, actor: Actor, reference: str, given: AccountChange) -> Account:
    account_id = reach.account(services, actor, reference).id
    price_list = given.price_list
    changed = {
        field: read(value) for name, (field, read) in _CHANGES.items() if (value := getattr(given, name)) is not None
    }
    if not changed and price_list is None:
        raise BadRequest(
            "nothing is given to change: name a credit limit, a price list, a multiplier, groups, an address or a zone"
        )
    row = audit.entry(services, actor, "account.set", account_id, account_id=account_id)

    def transaction(tables: SqlRepositories) -> tuple[Account, Money]:
        before = tables.accounts.get(account_id)
        if before is None:
            raise PathNotFound(Phrase("no account %(account)s", account=account_id))
        account = structs.replace(before, **changed)
        if price_list is not None:
            known = {DEFAULT} | {row.price_list for row in tables.prices.rows()}
            account = structs.replace(account, price_list=fields.price_list(price_list, known))
        if account != before:
            tables.accounts.save(account)
            tables.audit.add(audit.changed(row, before, account))
        return account, tables.ledger.money(account_id)

    def follow(done: tuple[Account, Money]) -> None:
        account, money = done
        services.directory.put_account(account)
        services.counters.put_money(account_id, money.limit(account.credit_limit), money.spent)

    return (await services.rows.change(transaction, follow))[0]


async def set_credit_limit(services: ServiceContext, actor: Actor, reference: str, usd: str) -> Account:
    """`change`, of the credit limit alone."""
    return await change(services, actor, reference, credit_limit_usd=usd)


def _ceiling(services: ServiceContext, account: Account, plan: Plan) -> Budget | None:
    if plan.system_hard_limit_usd is None:
        return None
    return Budget(
        id=services.new_id("bud"),
        account_id=account.id,
        level="account",
        object_id=account.id,
        amount=fields.amount(plan.system_hard_limit_usd, "system_hard_limit_usd", zero=True),
        kind="month",
        system=True,
        created_at_ms=account.created_at_ms,
    )


async def _turn(
    services: ServiceContext, actor: Actor, reference: str, action: str, *, state: str, reason: str | None
) -> Account:
    account_id = reach.account(services, actor, reference).id
    told = {} if state == "suspended" or reason is None else {"reason": reason}
    row = audit.entry(services, actor, action, account_id, account_id=account_id, after=told)

    def transaction(tables: SqlRepositories) -> Account:
        before = tables.accounts.get(account_id)
        if before is None:
            raise PathNotFound(Phrase("no account %(account)s", account=account_id))
        # Why an account is active is of interest to the audit only.
        kept = before.state_reason if reason is None else reason
        account = structs.replace(before, state=state, state_reason=kept if state == "suspended" else None)
        if account != before:
            tables.accounts.save(account)
            tables.audit.add(audit.changed(row, before, account))
        return account

    return await services.rows.change(transaction, services.directory.put_account)
