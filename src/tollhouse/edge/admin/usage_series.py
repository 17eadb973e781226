"""/api/v1/usage/series: what the usage explorer shows."""

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from tollhouse.core.amount import format_usd
from tollhouse.core.roll_up import UsageSum
from tollhouse.core.usage import BUCKETS
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.route import OWN, AdminRequest, route
from tollhouse.edge.admin.usage import UsageObject, usage_object
from tollhouse.services import usage_series
from tollhouse.services.given.usage import UsageSeriesQuery
from tollhouse.services.usage_series import Series, UsageAsked
from tollhouse.services.usage_series_csv import OTHER, SeriesRow, as_csv


class UsageSpanObject(Struct, frozen=True, kw_only=True):
    """`usage` holds the buckets that are not zero."""

    calls: int
    failed: int
    charge_usd: str
    usage: dict[str, int]


class SeriesObject(Struct, frozen=True, kw_only=True):
    """A group over time: `spans` one after the other, as `edges` cuts the time. `group`: a model, the id of a key, a
    project or a person, `name=value`, or a client; empty: of all, or of what no person, no client is known of."""

    group: str
    total: UsageSpanObject
    spans: tuple[UsageSpanObject, ...]


class UsageSeriesObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="usage_series"):
    """`edges`: where each span begins, and where the last one ends. `data`: the largest groups; `other`: all the rest;
    `whole`: everything. `before`: everything, of as much time right before, up to the same moment of it; null where
    calls were read one by one. `ranking`: the largest groups, without time. `read_from`: since when all calls are in
    it, where they were too many."""

    by: str
    metric: str
    every: str
    zone: str
    edges: tuple[str, ...]
    data: tuple[SeriesObject, ...]
    other: SeriesObject | None
    whole: SeriesObject
    before: SeriesObject | None
    ranking: tuple[UsageObject, ...]
    read_from: str | None


def _as_csv(query: UsageSeriesQuery, answer: UsageSeriesObject) -> str:
    return as_csv(query.by, _rows(answer))


@route(
    "usage.series",
    "GET /api/v1/usage/series",
    OWN,
    "Usage over time, the largest groups told apart; as CSV with format=csv or Accept: text/csv",
    as_csv=_as_csv,
)
async def explore(context: AdminContext, request: AdminRequest[UsageSeriesQuery]) -> UsageSeriesObject:
    given = request.given
    del given["format"]
    asked = UsageAsked(**given)
    found = await usage_series.explore(context.services, request.actor, asked)
    return UsageSeriesObject(
        by=asked.by,
        metric=asked.metric,
        every=found.cut.every,
        zone=found.cut.zone,
        edges=tuple(written(edge) or "" for edge in found.cut.edges),
        data=tuple(_series(one) for one in found.groups),
        other=None if found.other is None else _series(found.other),
        whole=_series(found.whole),
        before=None if found.before is None else _series(found.before),
        ranking=tuple(usage_object(asked.by, one) for one in found.ranking),
        read_from=written(found.read_from_ms),
    )


def _series(one: Series) -> SeriesObject:
    return SeriesObject(group=one.total.group, total=span_object(one.total), spans=tuple(map(span_object, one.spans)))


def span_object(one: UsageSum) -> UsageSpanObject:
    used = {name: getattr(one.usage, name) for name in BUCKETS if getattr(one.usage, name)}
    return UsageSpanObject(calls=one.calls, failed=one.failed, charge_usd=format_usd(one.charge), usage=used)


def _rows(answer: UsageSeriesObject) -> Iterator[SeriesRow]:
    columns = [(one.group, one.group, one) for one in answer.data]
    if answer.other is not None:
        columns.append((OTHER, "", answer.other))
    for place, (start, end) in enumerate(pairwise(answer.edges)):
        for name, group, series in columns:
            one = series.spans[place]
            if one.calls:
                yield SeriesRow(
                    start=start,
                    end=end,
                    name=name,
                    id=group,
                    calls=one.calls,
                    failed=one.failed,
                    charge_usd=one.charge_usd,
                    usage=one.usage,
                )
