"""tollhouse models price: price lists, and files of prices that become one."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.previews import show_preview
from tollhouse.cli.terminal import Answer, cell_text, columns, show, show_rows
from tollhouse.cli.trouble import Misuse
from tollhouse.services.given.paging import Paging
from tollhouse.services.given.prices import Activation, PreviewQuery, PriceListQuery, PriceQuery
from tollhouse.services.public_models import PublicModel, as_price, find, read

app = App(name="price", help="Price lists, and files of prices that become one.")


@app.command(name="list")
@takes(PriceQuery, "model")
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Prices in force and scheduled, of one model or of all (USD per million tokens, or per unit)."""
    answer = call(at, "prices.list", body=given)
    shown = [*columns("list", "model", "state", "effective_from"), ("price", lambda row: told(row["price"]))]
    show_rows(at, answer, [*shown, *columns("managed_by", "id")], empty="There is no price")


@app.command
@takes(Paging)
def drafts(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Files of prices that were imported, newest first."""
    answer = call(at, "price_drafts.list", body=given)
    shown = columns("id", "list", "models", "state", "created_at", "effective_from")
    show_rows(at, answer, shown, empty="None was imported yet: tollhouse models price import FILE")


@app.command(name="import")
@takes(PriceListQuery)
def bring(
    file: Path | None = None,
    *,
    given: Given,
    public: Annotated[
        bool,
        Parameter(negative=(), help="instead of a file: the makers' list prices of your models; compare them first"),
    ] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Take a file of prices (CSV or JSON) as a draft. Every mistake is told with its line, and then none is taken."""
    if public == (file is not None):
        raise Misuse("name a file, or say --public")
    data = _public_prices(at) if file is None else _read(file)
    draft = call(at, "price_drafts.import", body=given, file=data)
    if not at.json:
        _warn(draft)
    lines = [
        f"{draft['id']}: {draft['models']} models for list {draft['list']}, not in force yet.",
        f"See what would change: tollhouse models price preview {draft['id']}",
    ]
    if not draft["owned_by_file"]:
        lines.append(f"Put it in force:       tollhouse models price activate {draft['id']} --at TIME")
    show(at, draft, "\n".join(lines))


@app.command(name="show")
def one(draft: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """What a draft would change: of each of its models the price now, and the new one."""
    answer = call(at, "price_drafts.show", draft)
    if not at.json:
        _warn(answer)
    shown = [
        *columns("model"),
        ("now", lambda row: "not in this list" if row["before"] is None else told(row["before"])),
        (
            "new",
            lambda row: "the same" if row["before"] == row["after"] else told(row["after"]) if row["after"] else "-",
        ),
    ]
    show_rows(at, answer if at.json else {"data": answer["changes"]}, shown, empty="It names no model")


@app.command
@takes(PreviewQuery)
def preview(draft: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Charge the calls of the last days again by a draft, and show the difference per account and model."""
    if not at.json:
        _warn(call(at, "price_drafts.show", draft))
    shown = ("charged_usd", "would_be_usd", "difference_usd", "cost_usd")
    show_preview(at, "price_drafts.preview", draft, shown, given)


@app.command
@takes(Activation)
def activate(draft: str, given: Given, *, yes: Yes = False, options: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Put a draft in force from an instant on, without a restart. Calls admitted before it keep their price."""
    confirm(options, f"Sell by {draft} from {given.get('at', 'now')} on?", yes=yes)
    done = call(options, "price_drafts.activate", draft, body=given)
    show(
        options,
        done,
        f"List {done['list']}: {done['models']} prices are in force from {cell_text(done['effective_from'])} on",
    )


def told(price: Answer) -> str:
    """A price on one line."""
    if not price:
        return "-"
    parts = [f"{name} {amount}" for name, amount in price.items() if name not in ("tiers", "service_tiers")]
    for tier in price.get("tiers", ()):
        rest = " ".join(f"{name} {amount}" for name, amount in tier.items() if name != "above_input_tokens")
        parts.append(f"above {tier['above_input_tokens']}: {rest}")
    parts += [f"{name}: {told(tier)}" for name, tier in price.get("service_tiers", {}).items()]
    return ", ".join(parts)


def _warn(draft: Answer) -> None:
    for warning in draft["warnings"]:
        print(f"Warning: {cell_text(warning)}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise Misuse(f"there is no file {file}", code="no_such_file") from None
    except OSError as error:
        raise Misuse(f"{file} cannot be read: {error.strerror}", code="unreadable_file") from error


def _public_prices(at: CommonOptions) -> bytes:
    """A file of the list prices of those models of the platform that the catalogue of public models knows."""
    known = read()
    prices: dict[str, Any] = {}
    for model in call(at, "models.list")["data"]:
        row = _public(known, model)
        if row is not None and row.price:
            prices[model["id"]] = as_price(row)
    if not prices:
        raise Misuse("the catalogue of public models knows none of your models: `tollhouse models list --public`")
    return msgspec.json.encode(prices)


def _public(known: Any, model: Answer) -> PublicModel | None:
    """By the model's own name, else by what its first provider calls it."""
    names = [model["id"], *(offer["model"] for offer in model["offers"])]
    return next((row for row in (find(known, name) for name in names) if row is not None), None)
