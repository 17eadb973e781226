"""tollhouse credits: money that people put in or give back."""

from cyclopts import App

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show, show_fields, show_rows
from tollhouse.services.given.credits import CreditQuery, GrantQuery, NewAdjustment, NewGrant, NewRefund

app = App(name="credits", help="Money that is granted or given back.")


@app.command
@takes(NewGrant, "account", "amount_usd")
def grant(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Give an account money."""
    entry = call(at, "credits.grant", body=given)
    show(at, entry, f"Granted {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")


@app.command(name="show")
@takes(GrantQuery)
def balance(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """What is left of an account's money, and of each grant."""
    names = ("account_id", "balance_usd", "credit_limit_usd", "held_usd", "available_usd", "grants")
    show_fields(at, call(at, "credits.show", body=given), names)


@app.command(name="list")
@takes(CreditQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Everything that moved an account's money but charges, newest first."""
    answer = call(at, "credits.list", body=given)
    shown = columns("id", "kind", "amount_usd", "balance_usd", "reason", "created_at")
    show_rows(at, answer, shown, empty="Nothing was put in yet")


@app.command
@takes(NewAdjustment, "account", "amount_usd")
def adjust(given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Set a balance right, up or down."""
    question = f"Change the balance of {given['account']} by {given['amount_usd']} USD? This stays in the ledger."
    confirm(at, question, yes=yes)
    entry = call(at, "credits.adjust", body=given)
    show(at, entry, f"Adjusted by {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")


@app.command
def expire(*, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End grants whose time is over now; the server does so once a minute."""
    answer = call(at, "credits.expire")
    shown = columns("id", "account_id", "amount_usd", "balance_usd", "created_at")
    show_rows(at, answer, shown, empty="No grant had to be ended")


@app.command
@takes(NewRefund, "request_id")
def refund(given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Give back what a call was charged, once."""
    confirm(at, f"Give back what {given['request_id']} was charged? This stays in the ledger.", yes=yes)
    entry = call(at, "credits.refund", body=given)
    moved = f"{entry['amount_usd']} USD; the balance"
    if entry["repeated"]:
        show(
            at,
            entry,
            f"Nothing was done: the call was refunded at {entry['created_at']}, {moved} was then"
            f" {entry['balance_usd']} USD",
        )
    else:
        show(at, entry, f"Gave back {moved} is {entry['balance_usd']} USD")
