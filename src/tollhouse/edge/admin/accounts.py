"""/api/v1/accounts"""

from msgspec import Struct

from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import AccountObject, PageObject, account_object, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, NoParameters, Paging, Reason, route
from tollhouse.services import accounts


class NewAccount(Struct, frozen=True, kw_only=True):
    name: str
    email: str | None = None
    plan: str = "default"
    credit_limit_usd: str | None = None  # decimal USD or `unlimited`; absent: as the plan says
    zone: str = "UTC"  # in which budgets begin anew that name none


class AccountChange(Struct, frozen=True, kw_only=True):
    """What is absent stays as it is."""

    credit_limit_usd: str | None = None  # decimal USD or `unlimited`
    price_list: str | None = None  # by which list it buys
    multiplier: str | None = None  # how many times its prices it pays: `1.2`
    groups: tuple[str, ...] | None = None  # of models open to it, besides those of its plan
    email: str | None = None
    zone: str | None = None


@route("accounts.list", "GET /api/v1/accounts", ACCOUNT, "Accounts, newest first")
async def list_all(context: AdminContext, request: AdminRequest[Paging]) -> PageObject[AccountObject]:
    found = await accounts.list_page(
        context.services, request.actor, after=request.body.after, count=request.body.limit
    )
    return page_object(found, account_object)


@route("accounts.create", "POST /api/v1/accounts", PLATFORM, "Open an account", status=201)
async def create(context: AdminContext, request: AdminRequest[NewAccount]) -> AccountObject:
    body = request.body
    account = await accounts.create(
        context.services,
        request.actor,
        name=body.name,
        email=body.email,
        plan=body.plan,
        credit_limit_usd=body.credit_limit_usd,
        zone=body.zone,
    )
    return account_object(account)


@route("accounts.show", "GET /api/v1/accounts/{id}", ACCOUNT, "One account")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> AccountObject:
    return account_object(await accounts.show(context.services, request.actor, request.id))


@route("accounts.set", "POST /api/v1/accounts/{id}", PLATFORM, "Change its terms")
async def change(context: AdminContext, request: AdminRequest[AccountChange]) -> AccountObject:
    body = request.body
    account = await accounts.change(
        context.services,
        request.actor,
        request.id,
        credit_limit_usd=body.credit_limit_usd,
        price_list=body.price_list,
        multiplier=body.multiplier,
        groups=body.groups,
        email=body.email,
        zone=body.zone,
    )
    return account_object(account)


@route("accounts.suspend", "POST /api/v1/accounts/{id}/suspend", PLATFORM, "Stop its keys")
async def suspend(context: AdminContext, request: AdminRequest[Reason]) -> AccountObject:
    return account_object(await accounts.suspend(context.services, request.actor, request.id, request.body.reason))


@route("accounts.resume", "POST /api/v1/accounts/{id}/resume", PLATFORM, "Let it go on")
async def resume(context: AdminContext, request: AdminRequest[Reason]) -> AccountObject:
    return account_object(await accounts.resume(context.services, request.actor, request.id, request.body.reason))
