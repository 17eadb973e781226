"""tollhouse usage: what was used, grouped."""

import csv
import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption
from tollhouse.cli.place import HERE, Place
from tollhouse.cli.terminal import columns, show_rows
from tollhouse.core.usage import BUCKETS


def usage(
    *,
    account: AccountOption = None,
    by: Literal["model", "key", "project", "day", "tag"] = "model",
    start: Annotated[str | None, Parameter(name="--from", help="a date or time; default: 30 days ago")] = None,
    end: Annotated[str | None, Parameter(name="--to", help="a date or time, exclusive; default: now")] = None,
    as_csv: Annotated[bool, Parameter(name="--csv", negative=(), help="comma-separated values")] = False,
    at: Place = HERE,
) -> None:
    """Calls and tokens, summed by model, key, project, day or tag."""
    answer = call(at, "usage.list", given={"account": account, "by": by, "from": start, "to": end})
    if as_csv and not at.json:
        writer = csv.writer(sys.stdout)
        writer.writerow([by, "calls", "failed", *BUCKETS])
        for row in answer["data"]:
            writer.writerow(
                [_plain(row["group"]), row["calls"], row["failed"], *(row["usage"].get(name, 0) for name in BUCKETS)]
            )
        return
    shown = [(by, lambda row: row["group"]), *columns("calls", "failed", "usage")]
    show_rows(at, answer, shown, empty="Nothing was used in this time")


def _plain(text: str) -> str:
    """A spreadsheet must not take a model's or a tag's name for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
