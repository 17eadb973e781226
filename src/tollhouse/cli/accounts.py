"""tollhouse accounts: who pays."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli.asking import confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import After, Limit, Reason, Yes
from tollhouse.cli.terminal import columns, show, show_fields, show_rows

app = App(name="accounts", help="Accounts: who pays.")

_Zone = Annotated[
    str | None, Parameter(help="in which its budgets begin anew that name none, such as Europe/Berlin; default: UTC")
]
_COLUMNS = columns("id", "name", "email", "plan", "state", "credit_limit_usd", "created_at")
_FIELDS = (
    *("id", "name", "email", "plan", "state", "state_reason", "credit_limit_usd"),
    *("price_list", "multiplier", "groups", "zone", "created_at"),
)


@app.command
def create(
    name: str,
    *,
    email: Annotated[str | None, Parameter(help="where its owner is reached")] = None,
    plan: Annotated[str | None, Parameter(help="a plan of platform.toml; default: `default`")] = None,
    credit_limit: Annotated[
        str | None,
        Parameter(help="USD it may owe, or unlimited; default: as the plan says", allow_leading_hyphen=True),
    ] = None,
    zone: _Zone = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Open an account, with its project `default`."""
    given = {"name": name, "email": email, "plan": plan, "credit_limit_usd": credit_limit, "zone": zone}
    account = call(at, "accounts.create", body=given)
    show(at, account, f"Opened account {account['name']}: {account['id']}")


@app.command(name="list")
def list_all(*, limit: Limit = None, after: After = None, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Accounts, newest first."""
    answer = call(at, "accounts.list", body={"limit": limit, "after": after})
    show_rows(at, answer, _COLUMNS, empty="There is no account yet: tollhouse accounts create NAME")


@app.command(name="show")
def one(account: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """One account, by id or unique name."""
    show_fields(at, call(at, "accounts.show", account), _FIELDS)


@app.command(name="set")
def change(
    account: str,
    *,
    credit_limit: Annotated[
        str | None, Parameter(help="USD it may owe, or unlimited", allow_leading_hyphen=True)
    ] = None,
    price_list: Annotated[str | None, Parameter(help="by which list of prices it buys")] = None,
    multiplier: Annotated[str | None, Parameter(help="how many times its prices it pays, such as 1.2")] = None,
    group: Annotated[tuple[str, ...] | None, Parameter(help="a group of models open to it; may be repeated")] = None,
    email: Annotated[str | None, Parameter(help="where its owner is reached")] = None,
    zone: _Zone = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Change an account's terms, from the next call on; what is not named stays."""
    given = {
        "credit_limit_usd": credit_limit,
        "price_list": price_list,
        "multiplier": multiplier,
        "groups": None if group is None else list(group),
        "email": email,
        "zone": zone,
    }
    show_fields(at, call(at, "accounts.set", account, body=given), _FIELDS)


@app.command
def suspend(account: str, *, reason: Reason = None, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Refuse every call of an account from the next request on, until it is resumed."""
    confirm(at, f"Suspend {account}? All its keys stop working at once.", yes=yes)
    answer = call(at, "accounts.suspend", account, body={"reason": reason})
    show(at, answer, f"Suspended account {answer['name']}")


@app.command
def resume(account: str, *, reason: Reason = None, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let a suspended account call again."""
    answer = call(at, "accounts.resume", account, body={"reason": reason})
    show(at, answer, f"Resumed account {answer['name']}")
