"""tollhouse usage: what was used and what it cost, grouped."""

import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from cyclopts import App, Parameter
from msgspec import structs

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show_rows
from tollhouse.edge.admin.usage_csv import as_csv
from tollhouse.services.given.usage import AdminUsageQuery, UsageSeriesQuery
from tollhouse.services.usage_series_csv import OTHER, SeriesRow
from tollhouse.services.usage_series_csv import as_csv as series_as_csv

Csv = Annotated[bool, Parameter(name="--csv", negative=(), help="comma-separated values")]

app = App(name="usage", help="What was used and what it cost, grouped.")


@app.default
@takes(AdminUsageQuery)
def usage(
    given: Given,
    *,
    to_csv: Csv = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Calls, tokens and charges, summed by model, key, project, day, tag, dialect or operation."""
    answer = call(at, "usage.list", body=given)
    by = str(given.get("by", "model"))
    if to_csv and not at.json:
        sys.stdout.write(as_csv(answer["data"], by))
        return
    shown = [(by, lambda row: row["group"]), *columns("calls", "failed", "charge_usd", "usage")]
    show_rows(at, answer, shown, empty="Nothing was used in this time")


@app.command
@takes(UsageSeriesQuery)
def series(given: Given, *, to_csv: Csv = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """The same over time: the six largest groups and the rest by minute, hour, day or week, and the period before."""
    answer = call(at, "usage.series", body=given)
    rows = list(_rows(answer))
    if to_csv and not at.json:
        sys.stdout.write(series_as_csv(answer["by"], rows))
        return
    told = [{"from": one.start, answer["by"]: one.name, **structs.asdict(one)} for one in rows]
    shown = columns("from", answer["by"], "calls", "failed", "charge_usd")
    show_rows(at, answer if at.json else {"data": told}, shown, empty="Nothing was used in this time")
    if rows and not at.json:
        print(_together(answer))


def _rows(answer: Answer) -> Iterator[SeriesRow]:
    """A row for each span and group in which something was used."""
    others = [] if answer["other"] is None else [(OTHER, "", answer["other"])]
    groups = [(one["group"], one["group"], one) for one in answer["data"]]
    for place, (start, end) in enumerate(pairwise(answer["edges"])):
        for name, group, one in (*groups, *others):
            used = one["spans"][place]
            if used["calls"]:
                yield SeriesRow(start=start, end=end, name=name, id=group, **used)


def _together(answer: Answer) -> str:
    whole, before = answer["whole"]["total"], answer["before"]
    words = f"Together {whole['calls']} calls and {whole['charge_usd']} USD"
    if before is None:
        return f"{words}."
    return f"{words}; in the period before {before['total']['calls']} calls and {before['total']['charge_usd']} USD."
