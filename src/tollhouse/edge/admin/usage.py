"""/api/v1/usage"""

import msgspec
from msgspec import Struct

from tollhouse.core.amount import format_usd
from tollhouse.core.roll_up import UsageSum
from tollhouse.core.usage import BUCKETS
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject
from tollhouse.edge.admin.route import OWN, AdminRequest, route
from tollhouse.edge.admin.usage_csv import as_csv
from tollhouse.services import usage
from tollhouse.services.given.usage import AdminUsageQuery


class UsageObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="usage"):
    """What one group used; `usage` holds the buckets that are not zero."""

    by: str
    group: str
    calls: int
    failed: int
    charge_nusd: int
    charge_usd: str
    usage: dict[str, int]


def _page_as_csv(body: AdminUsageQuery, page: PageObject[UsageObject]) -> str:
    return as_csv(msgspec.to_builtins(page)["data"], body.by)


@route(
    "usage.list",
    "GET /api/v1/usage",
    OWN,
    "Calls, tokens and charges, summed; as CSV with format=csv or Accept: text/csv",
    as_csv=_page_as_csv,
)
async def report(context: AdminContext, request: AdminRequest[AdminUsageQuery]) -> PageObject[UsageObject]:
    given = request.given
    del given["format"]
    sums = await usage.report(context.services, request.actor, **given)
    return PageObject(data=tuple(usage_object(request.body.by, one) for one in sums))


def usage_object(by: str, row: UsageSum) -> UsageObject:
    group = (written(int(row.group)) or "")[:10] if by == "day" else row.group
    buckets = {name: getattr(row.usage, name) for name in BUCKETS if getattr(row.usage, name)}
    return UsageObject(
        by=by,
        group=group,
        calls=row.calls,
        failed=row.failed,
        charge_nusd=row.charge,
        charge_usd=format_usd(row.charge),
        usage=buckets,
    )
