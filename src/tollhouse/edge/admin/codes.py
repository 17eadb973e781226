"""/api/v1/codes"""

from msgspec import Struct, structs

from tollhouse.core.code import Code, CodeFields
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.credits import CreditObject, credit_object
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, route
from tollhouse.services import codes
from tollhouse.services.given.codes import NewCodes, Redemption
from tollhouse.services.given.paging import Paging


class CodeObject(CodeFields, frozen=True, tag_field="object", tag="code"):
    """`redeemed_by`: the account that got its money; null: nobody yet."""

    id: str
    last4: str
    amount_usd: str
    note: str | None  # type: ignore[assignment]
    created_at: str | None
    expires_at: str | None
    redeemed_at: str | None
    redeemed_by: str | None


class NewCodeObject(CodeObject, frozen=True, tag_field="object", tag="code"):
    """A code with its text: shown this once."""

    secret: str


@route("codes.list", "GET /api/v1/codes", PLATFORM, "Redeem codes, newest first")
async def list_all(context: AdminContext, request: AdminRequest[Paging]) -> PageObject[CodeObject]:
    return page_object(await codes.list_page(context.services, request.actor, **request.given), code_object)


@route("codes.create", "POST /api/v1/codes", PLATFORM, "Make codes", status=201)
async def create(context: AdminContext, request: AdminRequest[NewCodes]) -> PageObject[NewCodeObject]:
    made = await codes.create(context.services, request.actor, **request.given)
    return PageObject(
        data=tuple(NewCodeObject(**structs.asdict(code_object(one.code)), secret=one.secret) for one in made)
    )


class PreviewedCodeObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="code_preview"):
    """What redeeming it would put in."""

    last4: str
    amount_usd: str
    expires_at: str | None


@route("codes.preview", "POST /api/v1/codes/preview", ACCOUNT, "What a code is worth; it stays good")
async def preview(context: AdminContext, request: AdminRequest[Redemption]) -> PreviewedCodeObject:
    return fill(PreviewedCodeObject, await codes.preview(context.services, request.actor, **request.given))


@route("codes.redeem", "POST /api/v1/codes/redeem", ACCOUNT, "Turn a code into money")
async def redeem(context: AdminContext, request: AdminRequest[Redemption]) -> CreditObject:
    return credit_object(await codes.redeem(context.services, request.actor, **request.given))


def code_object(code: Code) -> CodeObject:
    return fill(CodeObject, code, note=code.note or None)
