"""tollhouse audit: who changed what."""

from cyclopts import App

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show_rows
from tollhouse.services.given.audit import AuditQuery

app = App(name="audit", help="Who changed what.")


@app.command(name="list")
@takes(AuditQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Changes, newest first."""
    shown = [*columns("time"), ("who", _who), *columns("action", "object_id", "before", "after")]
    show_rows(at, call(at, "audit.list", body=given), shown, empty="Nothing was changed yet")


def _who(row: Answer) -> str:
    actor = row["actor"]
    return f"{actor['kind']} {actor['id']}"
