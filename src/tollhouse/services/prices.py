"""What platform.toml says a model costs, as dated rows of the default list that nobody edits.

The file owns what it prices: a row of it stands whatever a price file brought for the same model, also later. A model
that it prices no longer leaves the list, by a row that says so; its rows of the past stay, for the charges of the past.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tollhouse.billing.price_list import DEFAULT
from tollhouse.billing.prices import BadPrice, read_price
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import BadRequest
from tollhouse.core.ids import RANDOM_BYTES, make_id, time_of
from tollhouse.core.phrase import Phrase
from tollhouse.core.price import PriceRow, Written
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories


def check(catalogue: Catalogue) -> None:
    """Raises BadRequest naming the price or the cost that cannot be read."""
    for model in catalogue.models.values():
        if model.price:
            _check(f"models.{model.id}.price", model.price)
    for provider in catalogue.providers.values():
        for upstream, cost in provider.cost.items():
            _check(f"providers.{provider.id}.cost.{upstream}", cost)


def imported(services: ServiceContext) -> Mapping[str, tuple[str, ...]]:
    """The models that lists in force price without platform.toml, and in which lists: what the file has in the default
    list leaves it with the file's word."""
    models = services.catalogue.models
    found: dict[str, list[str]] = defaultdict(list)
    for row in services.prices.in_force(services.clock.now_ms()):
        if row.price_list != DEFAULT or row.model not in models or not models[row.model].price:
            found[row.model].append(row.price_list)
    return {model: tuple(sorted(lists)) for model, lists in found.items()}


def sold_by(lists: Sequence[str]) -> str:
    """What is odd about a model that only these lists price."""
    named = ", ".join(lists[:3]) + (", ..." if len(lists) > 3 else "")
    return (
        f"priced by the list{'s' * (len(lists) > 1)} {named} alone: calls of accounts that buy by another are refused"
    )


def write(services: ServiceContext, tables: SqlRepositories, models: Mapping[str, Model], now_ms: int) -> bool:
    """Make the default list say what the file does, from this instant on. Were any rows added?"""
    rows: dict[str, list[PriceRow]] = defaultdict(list)
    for row in tables.prices.rows(price_list=DEFAULT):
        rows[row.model].append(row)
    new = [
        added
        for model in sorted({*models, *rows})
        for added in _missing(
            services, model, dict(models[model].price) if model in models else {}, rows[model], now_ms
        )
    ]
    for row in new:
        tables.prices.add(row)
    return bool(new)


def new_row(
    services: ServiceContext,
    price_list: str,
    model: str,
    written: Written,
    effective_from_ms: int,
    before: Iterable[PriceRow],
    draft_id: str | None = None,
) -> PriceRow:
    """A row that is about to be added. Its id is later than that of every one before, also where the clock was set back
    and the process began anew: of one instant, the later id holds."""
    minted_ms = max((time_of(row.id) or 0 for row in before), default=0)
    return PriceRow(
        id=make_id("price", max(services.moment_ms(), minted_ms + 1), services.random.bytes(RANDOM_BYTES)),
        price_list=price_list,
        model=model,
        effective_from_ms=effective_from_ms,
        written=written,
        draft_id=draft_id,
    )


def _missing(
    services: ServiceContext, model: str, written: Written, rows: list[PriceRow], now_ms: int
) -> list[PriceRow]:
    """What has to be added to a model's rows (in their order) so that the file's word holds; of a model that the file
    does not price, so that no earlier word of the file does."""
    holding: dict[int, PriceRow] = {}  # by the instant from which a row holds; that of today from now on
    for row in rows:
        holding[max(row.effective_from_ms, now_ms)] = row

    def contradicts(row: PriceRow) -> bool:
        by_file = row.draft_id is None
        if not written:
            return by_file and bool(row.written)
        return not by_file or row.written != written

    instants = [since_ms for since_ms, row in holding.items() if contradicts(row)]
    if written and now_ms not in holding:
        instants.append(now_ms)
    return [new_row(services, DEFAULT, model, written, since_ms, rows) for since_ms in sorted(instants)]


def _check(where: str, written: Mapping[str, object]) -> None:
    try:
        read_price(written, id="", model="")
    except BadPrice as error:
        raise BadRequest(
            Phrase("%(where)s.%(error)s", where=where, error=error), param=f"{where}.{error.field}".rstrip(".")
        ) from None
