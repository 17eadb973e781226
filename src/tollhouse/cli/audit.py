"""tollhouse audit: who changed what."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Limit
from tollhouse.cli.terminal import Answer, columns, show_rows

app = App(name="audit", help="Who changed what.")


@app.command(name="list")
def list_all(
    *,
    account: AccountOption = None,
    changed: Annotated[str | None, Parameter(name="--object", help="only changes of this id")] = None,
    limit: Limit = None,
    after: After = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Changes, newest first."""
    given = {"account": account, "object": changed, "limit": limit, "after": after}
    shown = [*columns("time"), ("who", _who), *columns("action", "object_id", "before", "after")]
    show_rows(at, call(at, "audit.list", body=given), shown, empty="Nothing was changed yet")


def _who(row: Answer) -> str:
    actor = row["actor"]
    return f"{actor['kind']} {actor['id']}"
