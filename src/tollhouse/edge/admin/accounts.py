"""/api/v1/accounts"""

from msgspec import Struct

from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.objects import AccountObject, Page, account_object, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, Asked, Nothing, Paging, Reason, Route
from tollhouse.office import accounts


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


async def create(desk: Desk, asked: Asked[NewAccount]) -> AccountObject:
    given = asked.given
    account = await accounts.create(
        desk.office,
        asked.actor,
        name=given.name,
        email=given.email,
        plan=given.plan,
        credit_limit_usd=given.credit_limit_usd,
        zone=given.zone,
    )
    return account_object(account)


async def every(desk: Desk, asked: Asked[Paging]) -> Page[AccountObject]:
    found = await accounts.list_page(desk.office, asked.actor, after=asked.given.after, count=asked.given.limit)
    return page_object(found, account_object)


async def show(desk: Desk, asked: Asked[Nothing]) -> AccountObject:
    return account_object(await accounts.show(desk.office, asked.actor, asked.id))


async def change(desk: Desk, asked: Asked[AccountChange]) -> AccountObject:
    given = asked.given
    account = await accounts.change(
        desk.office,
        asked.actor,
        asked.id,
        credit_limit_usd=given.credit_limit_usd,
        price_list=given.price_list,
        multiplier=given.multiplier,
        groups=given.groups,
        email=given.email,
        zone=given.zone,
    )
    return account_object(account)


async def suspend(desk: Desk, asked: Asked[Reason]) -> AccountObject:
    return account_object(await accounts.suspend(desk.office, asked.actor, asked.id, asked.given.reason))


async def resume(desk: Desk, asked: Asked[Reason]) -> AccountObject:
    return account_object(await accounts.resume(desk.office, asked.actor, asked.id, asked.given.reason))


_PATH = "/api/v1/accounts"
ROUTES = (
    Route("accounts.list", "GET", _PATH, every, ACCOUNT, "Accounts, newest first", Page[AccountObject], Paging),
    Route("accounts.create", "POST", _PATH, create, PLATFORM, "Open an account", AccountObject, NewAccount, status=201),
    Route("accounts.show", "GET", _PATH + "/{id}", show, ACCOUNT, "One account", AccountObject),
    Route("accounts.set", "POST", _PATH + "/{id}", change, PLATFORM, "Change its terms", AccountObject, AccountChange),
    Route(
        "accounts.suspend", "POST", _PATH + "/{id}/suspend", suspend, PLATFORM, "Stop its keys", AccountObject, Reason
    ),
    Route("accounts.resume", "POST", _PATH + "/{id}/resume", resume, PLATFORM, "Let it go on", AccountObject, Reason),
)
