"""What the usage explorer shows, as comma-separated values: a row for each span of time and group."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from tollhouse.core.escaping import cell
from tollhouse.core.usage import BUCKETS

OTHER: Final = "Other"
_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which spreadsheets know UTF-8


class SeriesRow(Struct, frozen=True, kw_only=True):
    """What one group used in one span, as it is written. `usage`: by bucket; those that are not there are 0."""

    start: str
    end: str
    name: str
    id: str
    calls: int
    failed: int
    charge_usd: str
    usage: Mapping[str, int]


def as_csv(by: str, rows: Iterable[SeriesRow]) -> str:
    """Nothing that a spreadsheet takes for a formula begins a cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["from", "to", by, "id", "calls", "failed", "charge_usd", *BUCKETS])
    for row in rows:
        used = [row.usage.get(bucket, 0) for bucket in BUCKETS]
        writer.writerow(
            [row.start, row.end, cell(row.name), cell(row.id), row.calls, row.failed, row.charge_usd, *used]
        )
    return _MARK + text.getvalue()
