"""/api/v1/codes"""

from msgspec import Struct, structs

from tollhouse.core.amount import format_usd
from tollhouse.core.code import Code
from tollhouse.edge.admin.credits import Credit, credit_object
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import moment_ms, written
from tollhouse.edge.admin.objects import Page, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, Asked, Paging, Route
from tollhouse.office import codes


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


async def create(desk: Desk, asked: Asked[NewCodes]) -> Page[NewCodeObject]:
    given = asked.given
    made = await codes.create(
        desk.office,
        asked.actor,
        given.amount_usd,
        count=given.count,
        note=given.note,
        expires_at_ms=None if given.expires is None else moment_ms(given.expires, "expires", asked.now_ms),
    )
    return Page(data=tuple(NewCodeObject(**structs.asdict(code_object(one.code)), secret=one.secret) for one in made))


async def every(desk: Desk, asked: Asked[Paging]) -> Page[CodeObject]:
    found = await codes.list_page(desk.office, asked.actor, after=asked.given.after, count=asked.given.limit)
    return page_object(found, code_object)


async def redeem(desk: Desk, asked: Asked[Redemption]) -> Credit:
    return credit_object(await codes.redeem(desk.office, asked.actor, asked.given.code, asked.given.account))


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


_PATH = "/api/v1/codes"
ROUTES = (
    Route("codes.list", "GET", _PATH, every, PLATFORM, "Redeem codes, newest first", Page[CodeObject], Paging),
    Route("codes.create", "POST", _PATH, create, PLATFORM, "Make codes", Page[NewCodeObject], NewCodes, status=201),
    Route("codes.redeem", "POST", _PATH + "/redeem", redeem, ACCOUNT, "Turn a code into money", Credit, Redemption),
)
