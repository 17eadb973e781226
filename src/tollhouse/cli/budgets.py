"""tollhouse budgets: so much money, in such a window, on an account, a project or a key."""

from cyclopts import App

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import columns, show, show_rows
from tollhouse.services.given.budgets import BudgetQuery, BudgetRehearsal, NewBudget

app = App(name="budgets", help="Spending limits by window.")


@app.command(name="set")
@takes(NewBudget)
def put(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Set a budget; one of the same place, window and model is replaced. A new webhook's secret is shown this once."""
    budget = call(at, "budgets.set", body=given)
    words = f"Set {budget['id']}: {budget['amount_usd']} USD a {budget['window']} on the {budget['level']}"
    if budget["secret"]:
        words += f"\n\nIts webhook is signed with\n\n{budget['secret']}\n\nThis is shown once: store it now."
    show(at, budget, words)


@app.command(name="list")
@takes(BudgetQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Budgets, newest first."""
    answer = call(at, "budgets.list", body=given)
    shown = columns(
        *("id", "level", "of_id", "amount_usd", "used_usd", "held_usd", "remaining_usd", "window", "resets_at", "model")
    )
    show_rows(at, answer, shown, empty="There is no budget")


@app.command
@takes(BudgetRehearsal)
def rehearse(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Say on which of the last 30 days such a budget would have been used up. Nothing changes."""
    answer = call(at, "budgets.rehearse", body=given)
    days = answer["reached_on"]
    words = f"{answer['amount_usd']} USD would have been used up on {len(days)} of the last {answer['days']} days"
    if days:
        words += f": {', '.join(days)}"
    show(at, answer, f"{words}. The most that one window spent is {answer['most_usd']} USD.")


@app.command
def remove(budget: str, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Let a budget bind no more."""
    confirm(at, f"Remove {budget}? What it stands on may spend without it from the next call on.", yes=yes)
    show(at, call(at, "budgets.remove", budget), f"Removed {budget}")
