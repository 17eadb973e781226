"""/api/v1/accounts"""

from typing import Literal

from tollhouse.billing.prices import write_multiplier
from tollhouse.core.account import Account, AccountFields
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import accounts
from tollhouse.services.given.accounts import AccountChange, AccountZone, NewAccount
from tollhouse.services.given.paging import Paging, Reason


class AccountObject(AccountFields, frozen=True, tag_field="object", tag="account"):
    id: str
    state: Literal["active", "suspended"]
    state_reason: str | None
    credit_limit_usd: str
    price_list: str  # by which it buys
    multiplier: str  # how many times its prices it pays
    groups: tuple[str, ...]  # of models open to it, besides those of its plan
    created_at: str | None


@route("accounts.list", "GET /api/v1/accounts", ACCOUNT, "Accounts, newest first")
async def list_all(context: AdminContext, request: AdminRequest[Paging]) -> PageObject[AccountObject]:
    return page_object(await accounts.list_page(context.services, request.actor, **request.given), account_object)


@route("accounts.create", "POST /api/v1/accounts", PLATFORM, "Open an account", status=201)
async def create(context: AdminContext, request: AdminRequest[NewAccount]) -> AccountObject:
    return account_object(await accounts.create(context.services, request.actor, **request.given))


@route("accounts.show", "GET /api/v1/accounts/{id}", ACCOUNT, "One account")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> AccountObject:
    return account_object(await accounts.show(context.services, request.actor, request.id))


@route("accounts.set", "POST /api/v1/accounts/{id}", PLATFORM, "Change its terms")
async def change(context: AdminContext, request: AdminRequest[AccountChange]) -> AccountObject:
    return account_object(await accounts.change(context.services, request.actor, request.id, **request.given))


@route("accounts.zone", "POST /api/v1/accounts/{id}/zone", ACCOUNT, "Set its time zone")
async def set_zone(context: AdminContext, request: AdminRequest[AccountZone]) -> AccountObject:
    zone = request.body.zone or ""
    return account_object(await accounts.set_zone(context.services, request.actor, request.id, zone))


@route("accounts.suspend", "POST /api/v1/accounts/{id}/suspend", PLATFORM, "Stop its keys")
async def suspend(context: AdminContext, request: AdminRequest[Reason]) -> AccountObject:
    return account_object(await accounts.suspend(context.services, request.actor, request.id, request.body.reason))


@route("accounts.resume", "POST /api/v1/accounts/{id}/resume", PLATFORM, "Let it go on")
async def resume(context: AdminContext, request: AdminRequest[Reason]) -> AccountObject:
    return account_object(await accounts.resume(context.services, request.actor, request.id, request.body.reason))


def account_object(account: Account) -> AccountObject:
    limit = "unlimited" if account.credit_limit is None else format_usd(account.credit_limit)
    return fill(AccountObject, account, credit_limit_usd=limit, multiplier=write_multiplier(account.multiplier_ppm))
