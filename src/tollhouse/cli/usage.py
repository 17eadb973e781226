"""tollhouse usage: what was used and what it cost, grouped."""

import sys
from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show_rows
from tollhouse.edge.admin.usage_csv import as_csv
from tollhouse.services.given.usage import AdminUsageQuery


@takes(AdminUsageQuery)
def usage(
    given: Given,
    *,
    to_csv: Annotated[bool, Parameter(name="--csv", negative=(), help="comma-separated values")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Calls, tokens and charges, summed by model, key, project, day or tag."""
    answer = call(at, "usage.list", body=given)
    by = str(given.get("by", "model"))
    if to_csv and not at.json:
        sys.stdout.write(as_csv(answer["data"], by))
        return
    shown = [(by, lambda row: row["group"]), *columns("calls", "failed", "charge_usd", "usage")]
    show_rows(at, answer, shown, empty="Nothing was used in this time")
