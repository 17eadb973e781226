"""tollhouse codes: money on a slip of text, shown once and good once."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Amount, Limit
from tollhouse.cli.terminal import as_json, columns, show, show_rows

app = App(name="codes", help="Redeem codes: money on a slip of text, good once.")


@app.command
def create(
    *,
    amount: Amount,
    count: Annotated[int | None, Parameter(help="how many; default: one")] = None,
    expires: Annotated[str | None, Parameter(help="30d, a date, or a time; absent: never")] = None,
    note: Annotated[str | None, Parameter(help="what they are for")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Make codes. They are shown this once: only their digests are kept."""
    given = {"amount_usd": amount, "count": count, "expires": expires, "note": note}
    answer = call(at, "codes.create", body=given)
    if at.json:
        print(as_json(answer))
        return
    for code in answer["data"]:
        print(code["secret"])


@app.command(name="list")
def list_all(*, limit: Limit = None, after: After = None, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Codes, newest first, redeemed ones included."""
    answer = call(at, "codes.list", body={"limit": limit, "after": after})
    shown = columns("id", "last4", "amount_usd", "note", "expires_at", "redeemed_at", "redeemed_by")
    show_rows(at, answer, shown, empty="There is no code yet")


@app.command
def redeem(code: str, *, account: AccountOption = None, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Put a code's money into an account."""
    entry = call(at, "codes.redeem", body={"code": code, "account": account})
    show(at, entry, f"Put in {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")
