"""tollhouse credits: money that people put in or give back."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.asking import confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Amount, Limit, Reason, Yes
from tollhouse.cli.terminal import columns, show, show_rows

app = App(name="credits", help="Money that is granted or given back.")


@app.command
def grant(
    account: str,
    usd: Amount,
    *,
    reason: Reason = None,
    expires: Annotated[str | None, Parameter(help="30d, a date, or a time; absent: never")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Give an account money."""
    given = {"account": account, "amount_usd": usd, "reason": reason, "expires": expires}
    entry = call(at, "credits.grant", body=given)
    show(at, entry, f"Granted {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")


@app.command(name="list")
def list_all(
    *, account: AccountOption = None, limit: Limit = None, after: After = None, at: CommonOptions = DEFAULT_OPTIONS
) -> None:
    """Everything that moved an account's money but charges, newest first."""
    answer = call(at, "credits.list", body={"account": account, "limit": limit, "after": after})
    shown = columns("id", "kind", "amount_usd", "balance_usd", "reason", "created_at")
    show_rows(at, answer, shown, empty="Nothing was put in yet")


@app.command
def adjust(
    account: str,
    usd: Annotated[str, Parameter(help="US dollars; with a minus before it, so much less", allow_leading_hyphen=True)],
    *,
    reason: Annotated[str, Parameter(help="why; kept in the ledger for ever")],
    yes: Yes = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Set a balance right, up or down."""
    confirm(at, f"Change the balance of {account} by {usd} USD? This stays in the ledger.", yes=yes)
    entry = call(at, "credits.adjust", body={"account": account, "amount_usd": usd, "reason": reason})
    show(at, entry, f"Adjusted by {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")


@app.command
def expire(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End grants whose time is over now; the server does so once a minute."""
    answer = call(at, "credits.expire")
    shown = columns("id", "account_id", "amount_usd", "balance_usd", "created_at")
    show_rows(at, answer, shown, empty="No grant had to be ended")


@app.command
def refund(request_id: str, *, reason: Reason = None, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Give back what a call was charged, once."""
    confirm(at, f"Give back what {request_id} was charged? This stays in the ledger.", yes=yes)
    entry = call(at, "credits.refund", body={"request_id": request_id, "reason": reason})
    given = f"{entry['amount_usd']} USD; the balance"
    if entry["repeated"]:
        show(
            at,
            entry,
            f"Nothing was done: the call was refunded at {entry['created_at']}, {given} was then"
            f" {entry['balance_usd']} USD",
        )
    else:
        show(at, entry, f"Gave back {given} is {entry['balance_usd']} USD")
