"""/api/v1/usage"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from tollhouse.core.escaping import cell
from tollhouse.core.usage import BUCKETS
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import ago_ms
from tollhouse.edge.admin.objects import PageObject, UsageObject, usage_object
from tollhouse.edge.admin.route import OWN, AdminRequest, route
from tollhouse.services import usage


class AdminUsageQuery(Struct, frozen=True, kw_only=True):
    by: Literal["model", "key", "project", "day", "tag"] = "model"
    start: str | None = field(default=None, name="from")  # a date, a time with its offset, or 7d: so long ago
    end: str | None = field(default=None, name="to")  # exclusive; absent: now
    account: str | None = None
    project: str | None = None
    key: str | None = None
    mode: Literal["live", "test"] | None = None
    format: Literal["json", "csv"] = "json"


def as_csv(rows: Iterable[Mapping[str, Any]], by: str) -> str:
    """A header row, then a row a group, by RFC 4180; `rows` as `UsageObject` in JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([by, "calls", "failed", "charge_usd", *BUCKETS])
    for row in rows:
        used = [row["usage"].get(bucket, 0) for bucket in BUCKETS]
        writer.writerow([cell(row["group"]), row["calls"], row["failed"], row["charge_usd"], *used])
    return text.getvalue()


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
    body = request.body
    sums = await usage.report(
        context.services,
        request.actor,
        by=body.by,
        from_ms=None if body.start is None else ago_ms(body.start, "from", request.now_ms),
        to_ms=None if body.end is None else ago_ms(body.end, "to", request.now_ms),
        account=body.account,
        project=body.project,
        key=request.own_key_id or body.key,
        mode=body.mode,
    )
    return PageObject(data=tuple(usage_object(body.by, one) for one in sums))
