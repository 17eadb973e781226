"""A statement as comma-separated values: opening, lines, closing. Nothing that a spreadsheet takes for a formula begins
a cell that somebody wrote."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tollhouse.core.escaping import cell

_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which spreadsheets know UTF-8


class StatementRow(Struct, frozen=True, kw_only=True):
    """Times as RFC 3339, amounts as decimal USD."""

    time: str
    kind: str
    amount_usd: str
    id: str = ""
    reason: str = ""


def as_csv(opening: StatementRow, lines: Iterable[StatementRow], closing: StatementRow) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["time", "kind", "amount_usd", "id", "reason"])
    for row in (opening, *lines, closing):
        writer.writerow([row.time, row.kind, row.amount_usd, cell(row.id), cell(row.reason)])
    return _MARK + text.getvalue()
