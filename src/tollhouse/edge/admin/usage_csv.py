"""Usage as comma-separated values: of the control API, and of a command that has got it as JSON."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from tollhouse.core.escaping import cell
from tollhouse.core.usage import BUCKETS


def as_csv(rows: Iterable[Mapping[str, Any]], by: str) -> str:
    """A header row, then a row a group, by RFC 4180; `rows` as `UsageObject` in JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([by, "calls", "failed", "charge_usd", *BUCKETS])
    for row in rows:
        used = [row["usage"].get(bucket, 0) for bucket in BUCKETS]
        writer.writerow([cell(row["group"]), row["calls"], row["failed"], row["charge_usd"], *used])
    return text.getvalue()
