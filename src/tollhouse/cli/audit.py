"""tollhouse audit: who changed what."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show_rows
from tollhouse.cli.trouble import Misuse
from tollhouse.services.audit_csv import as_csv
from tollhouse.services.given.audit import AuditQuery

app = App(name="audit", help="Who changed what.")


@app.command(name="list")
@takes(AuditQuery)
def list_all(
    given: Given,
    *,
    to_csv: Annotated[bool, Parameter(name="--csv", negative=(), help="comma-separated values")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Changes, newest first."""
    if to_csv and at.json:
        raise Misuse("--csv and --json are two forms of the same answer: choose one")
    answer = call(at, "audit.list", body=given)
    if to_csv:
        sys.stdout.write(as_csv(answer["data"]))
        return
    shown = [*columns("time"), ("who", _who), *columns("action", "object_id", "before", "after")]
    show_rows(at, answer, shown, empty="Nothing was changed yet")


def _who(row: Answer) -> str:
    actor = row["actor"]
    return f"{actor['kind']} {actor['id']}"
