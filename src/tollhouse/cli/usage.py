"""tollhouse usage: what was used and what it cost, grouped."""

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, ProjectOption
from tollhouse.cli.terminal import columns, show_rows
from tollhouse.edge.admin.usage import as_csv


def usage(
    *,
    account: AccountOption = None,
    project: ProjectOption = None,
    by: Literal["model", "key", "project", "day", "tag"] = "model",
    start: Annotated[
        str | None, Parameter(name="--from", help="a date, a time, or 7d: so long ago; default: 30 days before --to")
    ] = None,
    end: Annotated[
        str | None, Parameter(name="--to", help="a date, a time, or 1d: so long ago; exclusive; default: now")
    ] = None,
    to_csv: Annotated[bool, Parameter(name="--csv", negative=(), help="comma-separated values")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Calls, tokens and charges, summed by model, key, project, day or tag."""
    given = {"account": account, "project": project, "by": by, "from": start, "to": end}
    answer = call(at, "usage.list", body=given)
    if to_csv and not at.json:
        sys.stdout.write(as_csv(answer["data"], by))
        return
    shown = [(by, lambda row: row["group"]), *columns("calls", "failed", "charge_usd", "usage")]
    show_rows(at, answer, shown, empty="Nothing was used in this time")
