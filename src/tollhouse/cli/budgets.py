"""tollhouse budgets: so much money, in such a window, on an account, a project or a key."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from tollhouse.cli.asking import confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.options import AccountOption, After, Limit, ProjectOption, Yes
from tollhouse.cli.terminal import columns, show, show_rows

app = App(name="budgets", help="Spending limits by window.")


@app.command(name="set")
def put(
    *,
    amount: Annotated[str, Parameter(help="US dollars; 0 refuses every call", allow_leading_hyphen=True)],
    window: Annotated[Literal["total", "day", "week", "month"], Parameter(help="when it begins anew")],
    account: AccountOption = None,
    project: ProjectOption = None,
    key: Annotated[str | None, Parameter(help="a key, by id or unique name")] = None,
    zone: Annotated[str | None, Parameter(help="a time zone such as Europe/Berlin; absent: the account's")] = None,
    model: Annotated[str | None, Parameter(help="count only calls to this model")] = None,
    soft: Annotated[tuple[int, ...], Parameter(help="a percentage at which people are told; may be repeated")] = (),
    system: Annotated[
        bool, Parameter(negative=(), help="the operator's own: owners cannot raise or remove it")
    ] = False,
    webhook: Annotated[
        str | None, Parameter(help="https://... is told by a signed POST; slack://..., discord://... in a chat")
    ] = None,
    mail: Annotated[str | None, Parameter(help="a mail address that is told besides the account's owners")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Set a budget; one of the same place, window and model is replaced. A new webhook's secret is shown this once."""
    given = {
        "amount_usd": amount,
        "window": window,
        "account": account,
        "project": project,
        "key": key,
        "zone": zone,
        "model": model,
        "soft": list(soft),
        "system": system,
        "webhook": webhook,
        "mail": mail,
    }
    budget = call(at, "budgets.set", body=given)
    words = f"Set {budget['id']}: {budget['amount_usd']} USD a {budget['window']} on the {budget['level']}"
    if budget["secret"]:
        words += f"\n\nIts webhook is signed with\n\n{budget['secret']}\n\nThis is shown once: store it now."
    show(at, budget, words)


@app.command(name="list")
def list_all(
    *, account: AccountOption = None, limit: Limit = None, after: After = None, at: CommonOptions = DEFAULT_OPTIONS
) -> None:
    """Budgets, newest first."""
    answer = call(at, "budgets.list", body={"account": account, "limit": limit, "after": after})
    shown = columns(
        *("id", "level", "of_id", "amount_usd", "used_usd", "held_usd", "remaining_usd", "window", "resets_at", "model")
    )
    show_rows(at, answer, shown, empty="There is no budget")


@app.command
def remove(budget: str, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let a budget bind no more."""
    confirm(at, f"Remove {budget}? What it stands on may spend without it from the next call on.", yes=yes)
    show(at, call(at, "budgets.remove", budget), f"Removed {budget}")
