"""/console/usage: what was spent and used over time, by model, key, member, operation and other groups."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args
from urllib.parse import urlencode

from msgspec import Struct

from tollhouse.console.call_formats import DIALECT_TITLES
from tollhouse.console.local_time import instant_ms, written
from tollhouse.console.route import Answer, Download, Shown, page
from tollhouse.console.usage_csv import series_rows
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Overloaded, PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS, HOUR_MS, UNKNOWN, Metric, UsageSum
from tollhouse.formats import dialects
from tollhouse.services import keys, people, projects, usage_series
from tollhouse.services.choices import OPERATIONS
from tollhouse.services.usage_series import Explored, GroupedBy, Series, UsageAsked, measured
from tollhouse.services.usage_series_csv import as_csv
from tollhouse.services.usage_spans import WIDTHS, today_ms

_ASKED: Final = ("dialect", "operation")
"""What old sums do not tell apart, and every call does."""
_DAYS: Final[Mapping[str, int]] = {"7d": 7, "30d": 30, "90d": 90, "1y": 365}
SPANS: Final = ("1h", "24h", *_DAYS)
_FILTERS: Final = ("model", "key", "project", "dialect", "operation")
_KEPT: Final = ("metric", "by", "every", *_FILTERS, "mode", "span", "from", "to")
"""What an address of this page says; the rest is dropped."""
_LINKED: Final = ("model", "key", "client", *_ASKED)
"""Groups by which the list of requests can be filtered."""


class ChartRow(Struct, frozen=True):
    """One span of time: `figures` of the groups in their order, then of the rest and of the period before."""

    start_ms: int
    end_ms: int
    figures: tuple[int, ...]
    total: int
    link: str


class RankedRow(Struct, frozen=True):
    name: str
    used: UsageSum
    link: str


@page("GET /console/usage", may="usage.series")
async def explorer(visit: Visit) -> Answer:
    asked, explored, trouble = _asked(visit), None, None
    try:
        explored = await usage_series.explore(visit.context.services, visit.actor, read_query(visit))
    except (BadRequest, PathNotFound, Overloaded) as failure:
        trouble = failure
    values = {
        "asked": asked,
        "metrics": get_args(Metric),
        "groups": get_args(GroupedBy),
        "everys": tuple(WIDTHS),
        "spans": SPANS,
        "trouble": trouble,
        "explored": explored,
        "with_address": lambda **changed: _address(asked | changed),
        **await _choices(visit),
        **({} if explored is None else await _shown(visit, asked, explored)),
    }
    return Shown("usage.html", values, 200 if trouble is None else trouble.status)


@page("GET /console/usage.csv", may="usage.series")
async def download(visit: Visit) -> Answer:
    query = read_query(visit)
    explored = await usage_series.explore(visit.context.services, visit.actor, query)
    names = await _names(visit, query.by, [one.total.group for one in explored.groups])
    return Download("usage.csv", as_csv(query.by, series_rows(explored, names)))


def read_query(visit: Visit) -> UsageAsked:
    """What the address asks for. Raises BadRequest."""
    asked, zone, now_ms = _asked(visit), visit.zone, visit.now_ms
    span = asked["span"]
    given: dict[str, Any] = {name: asked[name] for name in ("by", "metric", "mode")}
    given |= {name: asked[name] or None for name in (*_FILTERS, "every")}
    if asked["from"] or asked["to"]:
        given["to_ms"] = instant_ms(asked["to"], "to", zone, end=True) if asked["to"] else None
        if asked["from"]:
            given["from_ms"] = instant_ms(asked["from"], "from", zone)
    elif span == "1h":
        given |= {"from_ms": now_ms - HOUR_MS, "every": asked["every"] or "minute"}
    elif span == "24h":
        given["from_ms"] = now_ms - DAY_MS
    elif span in _DAYS:
        given["from_ms"] = today_ms(now_ms, zone, days_ago=_DAYS[span] - 1)
        given["every"] = asked["every"] or ("week" if span == "1y" else "day")
    else:
        raise BadRequest(Phrase("%(param)s: there are %(known)s", param="span", known=", ".join(SPANS)), param="span")
    return UsageAsked(**given)


def _asked(visit: Visit) -> dict[str, str]:
    usual = {"metric": "spend", "by": "model", "mode": "live"}
    asked = {name: visit.asked(name) or usual.get(name, "") for name in _KEPT}
    if not asked["span"] and not asked["from"] and not asked["to"]:
        asked["span"] = "7d"
    return asked


def _address(asked: Mapping[str, str], path: str = "/console/usage") -> str:
    return f"{path}?{urlencode({name: asked[name] for name in _KEPT if asked.get(name)})}"


async def _choices(visit: Visit) -> dict[str, object]:
    services = visit.context.services
    return {
        "key_choices": (await keys.list_page(services, visit.actor, limit=100)).records,
        "project_choices": (await projects.list_page(services, visit.actor, limit=100)).records,
        "model_choices": sorted(services.catalogue.models),
        "dialect_choices": {name: DIALECT_TITLES.get(name, name) for name in sorted(dialects())},
        "operation_choices": OPERATIONS,
    }


async def _shown(visit: Visit, asked: Mapping[str, str], explored: Explored) -> dict[str, object]:
    metric, by, over = _metric(asked["metric"]), asked["by"], explored.cut
    columns = [*explored.groups, *([explored.other] if explored.other else [])]
    before = explored.before
    names = await _names(visit, by, [one.group for one in explored.ranking])
    rows = [
        ChartRow(
            start_ms,
            over.edges[place + 1],
            (*(measured(metric, one.spans[place]) for one in columns), *_of(metric, before, place)),
            measured(metric, explored.whole.spans[place]),
            _dearest(asked, start_ms, over.edges[place + 1]) if explored.whole.spans[place].calls else "",
        )
        for place, start_ms in enumerate(over.edges[:-1])
    ]
    return {
        "columns": [names[one.total.group] if one is not explored.other else None for one in columns],
        "column_totals": [measured(metric, one.total) for one in columns],
        "rows": rows,
        "ranking": [
            RankedRow(names[one.group], one, _dearest(asked, over.from_ms, over.to_ms, one.group))
            for one in explored.ranking
        ],
        "largest": max((measured(metric, one) for one in explored.ranking), default=0),
        "measured": lambda one: measured(metric, one),
        "whole": explored.whole.total,
        "before": None if before is None else before.total,
        "csv_address": _address(asked, "/console/usage.csv"),
        "every": over.every,
        "has_zone": by != "tag",
        "latest_ms": over.edges[-1],
        "written": written,
    }


def _of(metric: Metric, series: Series | None, place: int) -> tuple[int, ...]:
    return () if series is None else (measured(metric, series.spans[place]),)


def _dearest(asked: Mapping[str, str], from_ms: int, to_ms: int, group: str | None = None) -> str:
    """The dearest requests of a span, of one group where one is named."""
    query = {"order": "dearest", "from": written(from_ms), "to": written(to_ms), "mode": asked["mode"]}
    query |= {name: asked[name] for name in _FILTERS if asked[name]}
    if group is not None and asked["by"] in _LINKED:
        query[asked["by"]] = group
    query = {name: value for name, value in query.items() if name not in _ASKED or value != UNKNOWN}
    return f"/console/requests?{urlencode(query)}"


async def _names(visit: Visit, by: str, groups: Sequence[str]) -> dict[str, str]:
    """What people call these groups: addresses of mail only for whoever may see the members."""
    directory = visit.context.services.directory
    if by == "member" and any(groups) and visit.account is not None and visit.may("people.list"):
        members = await people.list_all(visit.context.services, visit.actor, account=visit.account.id)
        known = {one.id: one.email for one in members}
    elif by == "key":
        known = {group: directory.keys[group].name for group in groups if group in directory.keys}
    elif by == "project":
        known = {group: directory.projects[group].name for group in groups if group in directory.projects}
    elif by == "dialect":
        known = dict(DIALECT_TITLES)
    elif by == "operation":
        known = {group: group.replace("_", " ") for group in groups}
    else:
        known = {}
    return {group: known.get(group, group) for group in groups}


def _metric(name: str) -> Metric:
    return "spend" if name == "spend" else "requests" if name == "requests" else "tokens"
