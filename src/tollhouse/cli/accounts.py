"""tollhouse accounts: who pays."""

from cyclopts import App

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show, show_fields, show_rows
from tollhouse.services.given.accounts import AccountChange, NewAccount
from tollhouse.services.given.overview import FiguresQuery
from tollhouse.services.given.paging import Paging, Reason

app = App(name="accounts", help="Accounts: who pays.")

_COLUMNS = columns("id", "name", "email", "plan", "state", "credit_limit_usd", "created_at")
_FIELDS = (
    *("id", "name", "email", "plan", "state", "state_reason", "credit_limit_usd"),
    *("price_list", "multiplier", "groups", "zone", "created_at"),
)


@app.command
@takes(NewAccount, "name")
def create(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Open an account, with its project `default`."""
    account = call(at, "accounts.create", body=given)
    show(at, account, f"Opened account {account['name']}: {account['id']}")


@app.command(name="list")
@takes(Paging)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Accounts, newest first."""
    answer = call(at, "accounts.list", body=given)
    show_rows(at, answer, _COLUMNS, empty="There is no account yet: tollhouse accounts create NAME")


@app.command(name="show")
def one(account: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """One account, by id or unique name."""
    show_fields(at, call(at, "accounts.show", account), _FIELDS)


@app.command(name="set")
@takes(AccountChange)
def change(account: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Change an account's terms, from the next call on; what is not named stays."""
    show_fields(at, call(at, "accounts.set", account, body=given), _FIELDS)


@app.command
@takes(Reason)
def suspend(account: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Refuse every call of an account from the next request on, until it is resumed."""
    confirm(at, f"Suspend {account}? All its keys stop working at once.", yes=yes)
    answer = call(at, "accounts.suspend", account, body=given)
    show(at, answer, f"Suspended account {answer['name']}")


@app.command
@takes(Reason)
def resume(account: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let a suspended account call again."""
    answer = call(at, "accounts.resume", account, body=given)
    show(at, answer, f"Resumed account {answer['name']}")


@app.command
@takes(FiguresQuery)
def figures(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """What accounts have left, spent and cost: live calls of the last 30 days."""
    shown = columns(
        *("name", "left_usd", "spent_usd", "cost_usd", "margin_usd", "calls", "failed", "last_used_at", "account_id")
    )
    show_rows(at, call(at, "accounts.figures", body=given), shown, empty="There is no account yet")


@app.command
def overview(account: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """An account at a glance, as its people see it: what is left, spent today and this month, what failed."""
    answer = call(at, "accounts.overview", body={"account": account})
    told = {**answer, **{f"{name}_usd": answer[name]["charge_usd"] for name in ("today", "month")}}
    told["failures"] = {one["code"]: one["count"] for one in answer["failures"]}
    told["budgets"] = {one["id"]: f"{one['used_usd']} of {one['amount_usd']} USD" for one in answer["budgets"]}
    names = ("account_id", "available_usd", "held_usd", "lasts_until", "today_usd", "month_usd", "failures", "budgets")
    show_fields(at, answer if at.json else told, names)
