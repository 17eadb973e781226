"""tollhouse models: what can be called, and what it costs."""

from typing import Annotated

from cyclopts import App, Parameter

from tollhouse.cli import prices
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.previews import show_preview
from tollhouse.cli.terminal import Answer, columns, show_rows
from tollhouse.services.given.prices import MarginQuery

app = App(name="models", help="Models, what serves them, and what they cost.")
app.command(prices.app)


@app.command(name="list")
def list_all(
    *,
    public: Annotated[
        bool, Parameter(negative=(), help="what well-known makers ask for theirs, as of a day: compare before selling")
    ] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Models with offers and prices (USD per million tokens, or per unit)."""
    if public:
        shown = columns("id", "maker", "kind", "context_tokens", "max_output_tokens", "price", "checked")
        show_rows(at, call(at, "public_models.list"), shown, empty="There is none")
        return
    answer = call(at, "models.list")
    shown = [
        *columns("id"),
        ("offers", _offers),
        ("price", _price),
        *columns("context_tokens", "aliases", "retires_at"),
    ]
    if any(model["below_cost"] for model in answer["data"]):
        shown.append(("below cost", lambda model: "; ".join(model["below_cost"])))
    show_rows(at, answer, shown, empty="There is no model yet: name some in platform.toml")


@app.command
@takes(MarginQuery)
def margins(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """What the calls of the last days were charged, and what their providers took."""
    show_preview(at, "margins.list", "", ("charged_usd", "cost_usd"), given)


def _offers(model: Answer) -> str:
    return ", ".join(f"{offer['provider']}/{offer['model']}" for offer in model["offers"])


def _price(model: Answer) -> str:
    return "free" if model["free"] else prices.told(model["price"])
