"""The price lists: which row holds for a model at an instant, and what an account pays by.

Rows are never edited: a new price is a new row with a later `effective_from`, so every past charge finds its own.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from tollhouse.billing.prices import MILLION, BadPrice, Price, read_price, scaled


class Terms(Struct, frozen=True):
    """What an account pays by. A model without a row in its list is sold by the default list."""

    price_list: str = "default"
    multiplier_ppm: int = MILLION


class PriceLists:
    """All rows, to be asked for one. Immutable: new rows make new lists."""

    def __init__(self, rows: Iterable[Price]) -> None:
        """Of rows of one list, model and instant the last one holds."""
        by_model: dict[tuple[str, str], dict[int, Price]] = {}
        for row in rows:
            by_model.setdefault((row.price_list, row.model), {})[row.effective_from_ms] = row
        self._rows = {
            place: tuple(dated[since] for since in sorted(dated, reverse=True)) for place, dated in by_model.items()
        }
        self._multiplied: dict[tuple[str, int], Price] = {}

    def find(self, model: str, at_ms: int, terms: Terms | None = None) -> Price | None:
        """The row in force at an instant, at what the account pays; None: the model has no price then."""
        if terms is None:
            return self._row("default", model, at_ms)
        row = self._row(terms.price_list, model, at_ms) or self._row("default", model, at_ms)
        if row is None or terms.multiplier_ppm == MILLION:
            return row
        place = row.id, terms.multiplier_ppm
        found = self._multiplied.get(place)
        if found is None:
            found = self._multiplied[place] = scaled(row, terms.multiplier_ppm)
        return found

    def _row(self, price_list: str, model: str, at_ms: int) -> Price | None:
        for row in self._rows.get((price_list, model), ()):
            if row.effective_from_ms <= at_ms:
                return row
        return None


def read_list(
    written: Mapping[str, Mapping[str, object]], ids: Mapping[str, str], price_list: str, effective_from_ms: int
) -> tuple[list[Price], dict[str, BadPrice]]:
    """Read a whole list: the rows that can be read, and what is wrong with the others, by model.

    ids: the id that each model's row is to have. A row that cannot be read harms no other.
    """
    rows: list[Price] = []
    bad: dict[str, BadPrice] = {}
    for model, row in written.items():
        try:
            rows.append(
                read_price(row, id=ids[model], model=model, price_list=price_list, effective_from_ms=effective_from_ms)
            )
        except BadPrice as error:
            bad[model] = error
    return rows, bad
