"""What the usage explorer shows, as comma-separated values: a row for each span of time and group."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tollhouse.core.amount import format_usd
from tollhouse.core.escaping import cell
from tollhouse.core.usage import BUCKETS
from tollhouse.services.usage_series import Explored

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which spreadsheets know UTF-8


def as_csv(explored: Explored, by: str, names: Mapping[str, str]) -> str:
    """names: of the groups. Nothing that a spreadsheet takes for a formula begins a cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["from", "to", by, "id", "calls", "failed", "charge_usd", *BUCKETS])
    zone = ZoneInfo(explored.cut.zone)
    columns = [(names[one.total.group], one.total.group, one) for one in explored.groups]
    if explored.other is not None:
        columns.append(("Other", "", explored.other))
    for place, (start_ms, end_ms) in enumerate(zip(explored.cut.edges, explored.cut.edges[1:], strict=False)):
        for name, group, series in columns:
            one = series.spans[place]
            if one.calls:
                told = (one.calls, one.failed, format_usd(one.charge), *(getattr(one.usage, name) for name in BUCKETS))
                writer.writerow([_at(start_ms, zone), _at(end_ms, zone), cell(name), cell(group), *told])
    return _MARK + text.getvalue()


def _at(time_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time_ms // 1_000, UTC).astimezone(zone).isoformat()
