"""tollhouse alerts: what people were told, and whether they can be reached."""

from cyclopts import App

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show_rows
from tollhouse.services.given.alerts import AlertQuery, AlertTest

app = App(name="alerts", help="What people were told, and whether they can be reached.")


@app.command(name="list")
@takes(AlertQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Alerts, newest first, a row for each way on which one leaves."""
    answer = call(at, "alerts.list", body=given)
    shown = columns(
        *("type", "about", "threshold_percent", "channel", "address", "state", "attempts", "last_answer"),
        *("created_at", "next_try_at"),
    )
    show_rows(at, answer, shown, empty="Nobody was told of anything yet")


@app.command(name="test")
@takes(AlertTest)
def try_out(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> int:
    """Send a test now and show the answer. Exit code 1 if one did not arrive."""
    answer = call(at, "alerts.test", body=given)
    show_rows(at, answer, columns("channel", "address", "delivered", "status", "answer", "secret"), empty="")
    return 0 if all(row["delivered"] for row in answer["data"]) else 1
