"""/api/v1/credits"""

from msgspec import Struct, structs

from tollhouse.billing.ledger import CreditFields, Entry
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import balance, expiry
from tollhouse.services import credits as credit
from tollhouse.services.given.credits import CreditQuery, GrantQuery, NewAdjustment, NewGrant, NewRefund


class CreditObject(CreditFields, frozen=True, tag_field="object", tag="credit"):
    """One entry of the ledger that is no charge. `balance_usd`: the account's after it. `repeated`: it was there before
    it was asked for."""

    id: str
    account_id: str
    kind: str
    amount_usd: str
    balance_usd: str
    request_id: str | None
    created_at: str | None
    expires_at: str | None
    repeated: bool = False


class GrantObject(Struct, frozen=True, kw_only=True):
    """A grant or a top-up; `left_usd` can still be spent of it."""

    id: str
    kind: str
    amount_usd: str
    left_usd: str
    reason: str | None
    created_at: str | None
    expires_at: str | None


class BalanceObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="balance"):
    """`available_usd`: the balance with the credit limit, less what is held for calls under way; null: nothing binds.
    `credit_limit_usd`: null: unlimited."""

    account_id: str
    balance_usd: str
    credit_limit_usd: str | None
    held_usd: str
    available_usd: str | None
    grants: tuple[GrantObject, ...]


@route("credits.show", "GET /api/v1/balance", ACCOUNT, "What is left of an account's money, and of each grant")
async def show(context: AdminContext, request: AdminRequest[GrantQuery]) -> BalanceObject:
    found = await balance.show(context.services, request.actor, **request.given)
    limit = found.account.credit_limit
    return fill(
        BalanceObject,
        found,
        account_id=found.account.id,
        credit_limit_usd=None if limit is None else format_usd(limit),
        available_usd=None if found.available is None else format_usd(found.available),
        grants=tuple(fill(GrantObject, one) for one in found.grants),
    )


@route("credits.list", "GET /api/v1/credits", ACCOUNT, "What moved an account's money")
async def list_all(context: AdminContext, request: AdminRequest[CreditQuery]) -> PageObject[CreditObject]:
    return page_object(await credit.list_page(context.services, request.actor, **request.given), credit_object)


@route("credits.grant", "POST /api/v1/credits", PLATFORM, "Give an account money", status=201)
async def grant(context: AdminContext, request: AdminRequest[NewGrant]) -> CreditObject:
    return credit_object(await credit.grant(context.services, request.actor, **request.given))


@route("credits.refund", "POST /api/v1/refunds", PLATFORM, "Give a call's money back")
async def refund(context: AdminContext, request: AdminRequest[NewRefund]) -> CreditObject:
    entry = await credit.refund(context.services, request.actor, **request.given)
    return structs.replace(credit_object(entry), repeated=entry.transfer.time_ms < request.now_ms)


@route("credits.adjust", "POST /api/v1/adjustments", PLATFORM, "Set a balance right", status=201)
async def adjust(context: AdminContext, request: AdminRequest[NewAdjustment]) -> CreditObject:
    return credit_object(await credit.adjust(context.services, request.actor, **request.given))


@route("credits.expire", "POST /api/v1/credits/expire", PLATFORM, "End grants whose time is over")
async def expire(context: AdminContext, request: AdminRequest[NoParameters]) -> PageObject[CreditObject]:
    """The server does so once a minute by itself."""
    return PageObject(data=tuple(map(credit_object, await expiry.post_due(context.services, request.actor))))


def credit_object(entry: Entry) -> CreditObject:
    moved = entry.transfer
    return fill(
        CreditObject,
        moved,
        created_at=written(moved.time_ms),
        balance_usd=format_usd(entry.balance),
        repeated=False,
    )
