"""/api/v1/credits"""

from msgspec import Struct, structs

from tollhouse.billing.ledger import Entry
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import moment_ms, written
from tollhouse.edge.admin.objects import Page, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, Asked, Nothing, Paging, Route
from tollhouse.office import expiry
from tollhouse.office.credits import adjust as set_right
from tollhouse.office.credits import grant as give
from tollhouse.office.credits import list_page
from tollhouse.office.credits import refund as pay_back


class Credit(Struct, frozen=True, kw_only=True, tag_field="object", tag="credit"):
    """One entry of the ledger that is no charge. `balance_usd`: the account's after it. `repeated`: it was there before
    it was asked for."""

    id: str
    account_id: str
    kind: str
    amount_usd: str
    balance_usd: str
    request_id: str | None
    reason: str | None
    created_at: str | None
    expires_at: str | None
    repeated: bool = False


class Grant(Struct, frozen=True, kw_only=True):
    account: str  # id or unique name
    amount_usd: str
    reason: str | None = None
    expires: str | None = None  # 30d, a date, or a time


class Refund(Struct, frozen=True, kw_only=True):
    request_id: str
    amount_usd: str | None = None  # absent: all the call was charged
    reason: str | None = None


class Adjustment(Struct, frozen=True, kw_only=True):
    account: str  # id or unique name
    amount_usd: str  # with a minus before it: so much less
    reason: str  # kept for ever


class CreditsAsked(Paging, frozen=True, kw_only=True):
    account: str | None = None


async def grant(desk: Desk, asked: Asked[Grant]) -> Credit:
    given = asked.given
    expires = None if given.expires is None else moment_ms(given.expires, "expires", asked.now_ms)
    entry = await give(
        desk.office, asked.actor, given.account, given.amount_usd, reason=given.reason, expires_at_ms=expires
    )
    return credit_object(entry)


async def refund(desk: Desk, asked: Asked[Refund]) -> Credit:
    given = asked.given
    entry = await pay_back(desk.office, asked.actor, given.request_id, usd=given.amount_usd, reason=given.reason)
    return structs.replace(credit_object(entry), repeated=entry.transfer.time_ms < asked.now_ms)


async def adjust(desk: Desk, asked: Asked[Adjustment]) -> Credit:
    given = asked.given
    return credit_object(
        await set_right(desk.office, asked.actor, given.account, given.amount_usd, reason=given.reason)
    )


async def expire(desk: Desk, asked: Asked[Nothing]) -> Page[Credit]:
    """The server does so once a minute by itself."""
    return Page(data=tuple(map(credit_object, await expiry.post_due(desk.office, asked.actor))))


async def every(desk: Desk, asked: Asked[CreditsAsked]) -> Page[Credit]:
    given = asked.given
    found = await list_page(desk.office, asked.actor, given.account, after=given.after, count=given.limit)
    return page_object(found, credit_object)


def credit_object(entry: Entry) -> Credit:
    moved = entry.transfer
    return Credit(
        id=moved.id,
        account_id=moved.account_id,
        kind=moved.kind,
        amount_usd=format_usd(moved.amount),
        balance_usd=format_usd(entry.balance),
        request_id=moved.request_id,
        reason=moved.reason,
        created_at=written(moved.time_ms),
        expires_at=written(moved.expires_at_ms),
    )


_PATH = "/api/v1/credits"
ROUTES = (
    Route("credits.list", "GET", _PATH, every, ACCOUNT, "What moved an account's money", Page[Credit], CreditsAsked),
    Route("credits.grant", "POST", _PATH, grant, PLATFORM, "Give an account money", Credit, Grant, status=201),
    Route("credits.refund", "POST", "/api/v1/refunds", refund, PLATFORM, "Give a call's money back", Credit, Refund),
    Route(
        "credits.adjust",
        "POST",
        "/api/v1/adjustments",
        adjust,
        PLATFORM,
        "Set a balance right",
        Credit,
        Adjustment,
        status=201,
    ),
    Route("credits.expire", "POST", _PATH + "/expire", expire, PLATFORM, "End grants whose time is over", Page[Credit]),
)
