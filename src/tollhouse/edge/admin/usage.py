"""/api/v1/usage"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from tollhouse.core.escaping import cell
from tollhouse.core.usage import BUCKETS
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import ago_ms
from tollhouse.edge.admin.objects import Page, UsageObject, usage_object
from tollhouse.edge.admin.route import OWN, Asked, Route
from tollhouse.office import usage


class UsageAsked(Struct, frozen=True, kw_only=True):
    by: Literal["model", "key", "project", "day", "tag"] = "model"
    start: str | None = field(default=None, name="from")  # a date, a time with its offset, or 7d: so long ago
    end: str | None = field(default=None, name="to")  # exclusive; absent: now
    account: str | None = None
    project: str | None = None
    key: str | None = None
    mode: Literal["live", "test"] | None = None
    format: Literal["json", "csv"] = "json"


async def report(desk: Desk, asked: Asked[UsageAsked]) -> Page[UsageObject]:
    given = asked.given
    sums = await usage.report(
        desk.office,
        asked.actor,
        by=given.by,
        from_ms=None if given.start is None else ago_ms(given.start, "from", asked.now_ms),
        to_ms=None if given.end is None else ago_ms(given.end, "to", asked.now_ms),
        account=given.account,
        project=given.project,
        key=asked.own_key_id or given.key,
        mode=given.mode,
    )
    return Page(data=tuple(usage_object(given.by, one) for one in sums))


def as_csv(rows: Iterable[Mapping[str, Any]], by: str) -> str:
    """A header row, then a row a group, by RFC 4180; `rows` as `UsageObject` in JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([by, "calls", "failed", "charge_usd", *BUCKETS])
    for row in rows:
        used = [row["usage"].get(bucket, 0) for bucket in BUCKETS]
        writer.writerow([cell(row["group"]), row["calls"], row["failed"], row["charge_usd"], *used])
    return text.getvalue()


def _page_as_csv(given: UsageAsked, page: Page[UsageObject]) -> str:
    return as_csv(msgspec.to_builtins(page)["data"], given.by)


ROUTES = (
    Route(
        "usage.list",
        "GET",
        "/api/v1/usage",
        report,
        OWN,
        "Calls, tokens and charges, summed; as CSV with format=csv or Accept: text/csv",
        Page[UsageObject],
        UsageAsked,
        as_csv=_page_as_csv,
    ),
)
