"""tollhouse codes: money on a slip of text, shown once and good once."""

from cyclopts import App

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import as_json, columns, show, show_rows
from tollhouse.services.given.codes import NewCodes, Redemption
from tollhouse.services.given.paging import Paging

app = App(name="codes", help="Redeem codes: money on a slip of text, good once.")


@app.command
@takes(NewCodes)
def create(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Make codes. They are shown this once: only their digests are kept."""
    answer = call(at, "codes.create", body=given)
    if at.json:
        print(as_json(answer))
        return
    for code in answer["data"]:
        print(code["secret"])


@app.command(name="list")
@takes(Paging)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Codes, newest first, redeemed ones included."""
    answer = call(at, "codes.list", body=given)
    shown = columns("id", "last4", "amount_usd", "note", "expires_at", "redeemed_at", "redeemed_by")
    show_rows(at, answer, shown, empty="There is no code yet")


@app.command
@takes(Redemption, "code")
def preview(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Say what a code is worth. It stays good."""
    code = call(at, "codes.preview", body=given)
    until = f" until {code['expires_at']}" if code["expires_at"] else ""
    show(at, code, f"The code ending in {code['last4']} puts in {code['amount_usd']} USD{until}")


@app.command
@takes(Redemption, "code")
def redeem(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Put a code's money into an account."""
    entry = call(at, "codes.redeem", body=given)
    show(at, entry, f"Put in {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")
