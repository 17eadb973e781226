"""/api/v1/usage"""

from typing import Literal

from msgspec import Struct, field

from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import moment_ms
from tollhouse.edge.admin.objects import Page, UsageObject, usage_object
from tollhouse.edge.admin.route import OWN, Asked, Route
from tollhouse.office import usage


class UsageAsked(Struct, frozen=True, kw_only=True):
    by: Literal["model", "key", "project", "day", "tag"] = "model"
    start: str | None = field(default=None, name="from")  # a date or a time with its offset; absent: 30 days ago
    end: str | None = field(default=None, name="to")  # exclusive; absent: now
    account: str | None = None
    key: str | None = None
    mode: Literal["live", "test"] | None = None


async def report(desk: Desk, asked: Asked[UsageAsked]) -> Page[UsageObject]:
    given = asked.given
    sums = await usage.report(
        desk.office,
        asked.actor,
        by=given.by,
        from_ms=None if given.start is None else moment_ms(given.start, "from", asked.now_ms),
        to_ms=None if given.end is None else moment_ms(given.end, "to", asked.now_ms),
        account=given.account,
        key=asked.own_key_id or given.key,
        mode=given.mode,
    )
    return Page(data=tuple(usage_object(given.by, one) for one in sums))


ROUTES = (
    Route("usage.list", "GET", "/api/v1/usage", report, OWN, "Calls and tokens, summed", Page[UsageObject], UsageAsked),
)
