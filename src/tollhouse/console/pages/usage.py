"""/console/usage: what was used and spent, by model, key, project, day or tag."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest
from tollhouse.core.roll_up import UsageBy, UsageSum
from tollhouse.services import usage

_SPANS: Final[Mapping[str, int]] = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
_GROUPS: tuple[UsageBy, ...] = ("model", "key", "project", "day", "tag")
_SHOWN = 6


@page("GET /console/usage", may="usage.report")
async def explorer(visit: Visit) -> Answer:
    services = visit.context.services
    by = visit.asked("by") or "model"
    span = visit.asked("span") or "7d"
    if by not in _GROUPS:
        raise BadRequest(f"by: there are {', '.join(_GROUPS)}", param="by")
    if span not in _SPANS:
        raise BadRequest(f"span: there are {', '.join(_SPANS)}", param="span")
    today = datetime.fromtimestamp(visit.now_ms / 1_000, UTC).date()
    first = today - timedelta(days=_SPANS[span] - 1)
    sums = await usage.report(
        services,
        visit.actor,
        by=by,
        from_ms=_start_ms(first),
        to_ms=_start_ms(today + timedelta(days=1)),
    )
    rows = sorted(sums, key=(lambda one: -int(one.group)) if by == "day" else (lambda one: -one.charge))
    return Shown(
        "usage.html",
        {
            "by": by,
            "span": span,
            "groups": _GROUPS,
            "spans": list(_SPANS),
            "rows": rows,
            "most": max((one.charge for one in rows), default=0),
            "total": sum(one.charge for one in rows),
            "calls": sum(one.calls for one in rows),
            "failed": sum(one.failed for one in rows),
            "names": {one.group: _name(visit, by, one) for one in rows},
        },
    )


def _name(visit: Visit, by: str, one: UsageSum) -> str:
    directory = visit.context.services.directory
    if by == "key" and one.group in directory.keys:
        return directory.keys[one.group].name
    if by == "project" and one.group in directory.projects:
        return directory.projects[one.group].name
    if by == "day":
        return datetime.fromtimestamp(int(one.group) / 1_000, UTC).strftime("%Y-%m-%d")
    return one.group


def _start_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000
