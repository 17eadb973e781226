"""tollhouse models: what can be called."""

from cyclopts import App

from tollhouse.cli.control import call
from tollhouse.cli.place import HERE, Place
from tollhouse.cli.terminal import Answer, columns, show_rows

app = App(name="models", help="Models and what serves them.")


@app.command(name="list")
def every(*, at: Place = HERE) -> None:
    """Models with offers and prices (USD per million tokens, or per unit)."""
    shown = [*columns("id"), ("offers", _offers), *columns("price", "context_tokens", "aliases", "retires_at")]
    show_rows(at, call(at, "models.list"), shown, empty="There is no model yet: name some in platform.toml")


def _offers(model: Answer) -> str:
    return ", ".join(f"{offer['provider']}/{offer['model']}" for offer in model["offers"])
