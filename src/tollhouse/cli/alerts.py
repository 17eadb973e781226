"""tollhouse alerts: what people were told, and whether they can be reached."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Limit
from tollhouse.cli.terminal import columns, show_rows

app = App(name="alerts", help="What people were told, and whether they can be reached.")


@app.command(name="list")
def list_all(
    *, account: AccountOption = None, limit: Limit = None, after: After = None, at: CommonOptions = DEFAULT_OPTIONS
) -> None:
    """Alerts, newest first, a row for each way on which one leaves."""
    answer = call(at, "alerts.list", body={"account": account, "limit": limit, "after": after})
    shown = columns(
        *("type", "about", "threshold_percent", "channel", "address", "state", "attempts", "last_answer"),
        *("created_at", "next_try_at"),
    )
    show_rows(at, answer, shown, empty="Nobody was told of anything yet")


@app.command(name="test")
def try_out(
    *,
    budget: Annotated[str | None, Parameter(help="a budget: everybody whom it tells")] = None,
    webhook: Annotated[str | None, Parameter(help="an address that takes webhooks")] = None,
    mail: Annotated[str | None, Parameter(help="a mail address")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> int:
    """Send a test now and show the answer. Exit code 1 if one did not arrive."""
    answer = call(at, "alerts.test", body={"budget": budget, "webhook": webhook, "mail": mail})
    show_rows(at, answer, columns("channel", "address", "delivered", "status", "answer", "secret"), empty="")
    return 0 if all(row["delivered"] for row in answer["data"]) else 1
