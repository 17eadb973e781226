"""tollhouse credits: money that people put in or give back."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Limit, Reason
from tollhouse.cli.place import HERE, Place
from tollhouse.cli.terminal import columns, show, show_rows

app = App(name="credits", help="Money that is granted or given back.")


@app.command
def grant(
    account: str,
    usd: Annotated[str, Parameter(help="US dollars, such as 25 or 0.50")],
    *,
    reason: Reason = None,
    expires: Annotated[str | None, Parameter(help="30d, a date, or a time; absent: never")] = None,
    at: Place = HERE,
) -> None:
    """Give an account money."""
    given = {"account": account, "amount_usd": usd, "reason": reason, "expires": expires}
    entry = call(at, "credits.grant", given=given)
    show(at, entry, f"Granted {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")


@app.command(name="list")
def every(*, account: AccountOption = None, limit: Limit = None, after: After = None, at: Place = HERE) -> None:
    """Everything that moved an account's money but charges, newest first."""
    answer = call(at, "credits.list", given={"account": account, "limit": limit, "after": after})
    shown = columns("id", "kind", "amount_usd", "balance_usd", "reason", "created_at")
    show_rows(at, answer, shown, empty="Nothing was put in yet")


@app.command
def refund(request_id: str, *, reason: Reason = None, at: Place = HERE) -> None:
    """Give back what a call was charged, once."""
    entry = call(at, "credits.refund", given={"request_id": request_id, "reason": reason})
    show(at, entry, f"Gave back {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")
