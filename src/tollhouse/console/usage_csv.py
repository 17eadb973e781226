"""What the usage explorer shows, as rows of a file: times of the account's zone, groups by their names."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from tollhouse.core.amount import format_usd
from tollhouse.core.usage import BUCKETS
from tollhouse.services.usage_series import Explored
from tollhouse.services.usage_series_csv import OTHER, SeriesRow


def series_rows(explored: Explored, names: Mapping[str, str]) -> Iterator[SeriesRow]:
    """Of spans in which something was used. names: of the groups."""
    zone = ZoneInfo(explored.cut.zone)
    columns = [(names[one.total.group], one.total.group, one) for one in explored.groups]
    if explored.other is not None:
        columns.append((OTHER, "", explored.other))
    for place, (start_ms, end_ms) in enumerate(pairwise(explored.cut.edges)):
        for name, group, series in columns:
            one = series.spans[place]
            if one.calls:
                yield SeriesRow(
                    start=_at(start_ms, zone),
                    end=_at(end_ms, zone),
                    name=name,
                    id=group,
                    calls=one.calls,
                    failed=one.failed,
                    charge_usd=format_usd(one.charge),
                    usage={bucket: getattr(one.usage, bucket) for bucket in BUCKETS},
                )


def _at(time_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time_ms // 1_000, UTC).astimezone(zone).isoformat()
