"""The audit as comma-separated values. Nothing that a spreadsheet takes for a formula begins a cell that somebody
wrote."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from tollhouse.core.escaping import cell

_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which spreadsheets know UTF-8
_COLUMNS: Final = ("time", "actor_kind", "actor_id", "address", "action", "object_id", "before", "after")


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """rows: as the control API has them in JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in rows:
        actor = row["actor"]
        told = (actor["kind"], actor["id"], actor["address"], row["action"], row["object_id"])
        changes = (msgspec.json.encode(row[name]).decode() if row[name] else "" for name in ("before", "after"))
        writer.writerow([row["time"], *(cell(one or "") for one in told), *map(cell, changes)])
    return _MARK + text.getvalue()
