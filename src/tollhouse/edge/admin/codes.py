"""/api/v1/codes"""

from msgspec import Struct, structs

from tollhouse.core.amount import format_usd
from tollhouse.core.code import Code
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.credits import CreditObject, credit_object
from tollhouse.edge.admin.moments import moment_ms, written
from tollhouse.edge.admin.objects import PageObject, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, Paging, route
from tollhouse.services import codes


class CodeObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="code"):
    """`redeemed_by`: the account that got its money; null: nobody yet."""

    id: str
    last4: str
    amount_usd: str
    note: str | None
    created_at: str | None
    expires_at: str | None
    redeemed_at: str | None
    redeemed_by: str | None


class NewCodeObject(CodeObject, frozen=True, kw_only=True, tag_field="object", tag="code"):
    """A code with its text: shown this once."""

    secret: str


class NewCodes(Struct, frozen=True, kw_only=True):
    amount_usd: str  # of each
    count: int = 1
    expires: str | None = None  # 30d, a date, or a time; absent: never
    note: str = ""


class Redemption(Struct, frozen=True, kw_only=True):
    code: str  # as people type it: hyphens, blanks and capitals do not matter
    account: str | None = None  # absent: the caller's own


@route("codes.list", "GET /api/v1/codes", PLATFORM, "Redeem codes, newest first")
async def list_all(context: AdminContext, request: AdminRequest[Paging]) -> PageObject[CodeObject]:
    found = await codes.list_page(context.services, request.actor, after=request.body.after, count=request.body.limit)
    return page_object(found, code_object)


@route("codes.create", "POST /api/v1/codes", PLATFORM, "Make codes", status=201)
async def create(context: AdminContext, request: AdminRequest[NewCodes]) -> PageObject[NewCodeObject]:
    body = request.body
    made = await codes.create(
        context.services,
        request.actor,
        body.amount_usd,
        count=body.count,
        note=body.note,
        expires_at_ms=None if body.expires is None else moment_ms(body.expires, "expires", request.now_ms),
    )
    return PageObject(
        data=tuple(NewCodeObject(**structs.asdict(code_object(one.code)), secret=one.secret) for one in made)
    )


@route("codes.redeem", "POST /api/v1/codes/redeem", ACCOUNT, "Turn a code into money")
async def redeem(context: AdminContext, request: AdminRequest[Redemption]) -> CreditObject:
    return credit_object(await codes.redeem(context.services, request.actor, request.body.code, request.body.account))


def code_object(code: Code) -> CodeObject:
    return CodeObject(
        id=code.id,
        last4=code.last4,
        amount_usd=format_usd(code.amount),
        note=code.note or None,
        created_at=written(code.created_at_ms),
        expires_at=written(code.expires_at_ms),
        redeemed_at=written(code.redeemed_at_ms),
        redeemed_by=code.redeemed_by,
    )
