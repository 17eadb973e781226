"""The price lists: which row holds for a model at an instant, and what an account pays by.

Rows are never edited: a new price is a new row, so every past charge finds its own.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from tollhouse.billing.charges import total
from tollhouse.billing.prices import MILLION, Price, scaled
from tollhouse.core.account import Account
from tollhouse.core.charge import Charge
from tollhouse.core.usage import Usage

_FOR_EVER_MS = 2**63
DEFAULT = "default"
"""The list of whoever has no other; platform.toml writes it."""


class Terms(Struct, frozen=True):
    """What an account pays by. A model without a row in its list is sold by the default list."""

    price_list: str = DEFAULT
    multiplier_ppm: int = MILLION


def terms_of(account: Account) -> Terms:
    return Terms(account.price_list, account.multiplier_ppm)


def service_tier(charge: Charge | None) -> str:
    """The service tier that a call was charged by; empty: none."""
    return "" if charge is None or charge.price_id is None else charge.price_id.partition(":")[2]


class _InForce(Struct, frozen=True):
    """A price, and the instants between which no row of its lists begins."""

    price: Price
    from_ms: int
    until_ms: int


class PriceLists:
    """All rows, to be asked for one. Immutable: new rows make new lists."""

    def __init__(self, rows: Iterable[Price]) -> None:
        """Of rows of one list, model and instant the last one holds."""
        by_model: dict[tuple[str, str], dict[int, Price]] = {}
        self._by_id: dict[str, Price] = {}
        for row in rows:
            by_model.setdefault((row.price_list, row.model), {})[row.effective_from_ms] = row
            self._by_id[row.id] = row
        self._rows = {
            place: tuple(dated[since] for since in sorted(dated, reverse=True)) for place, dated in by_model.items()
        }
        self._multiplied: dict[tuple[str, int], Price] = {}
        self._in_force: dict[tuple[str, str, int], _InForce] = {}  # the last that was found, by model and terms

    def find(self, model: str, at_ms: int, terms: Terms | None = None) -> Price | None:
        """The row in force at an instant, at what the account pays; None: the model has no price then."""
        if terms is None:
            return self._row(DEFAULT, model, at_ms)
        return self.sold(model, at_ms, terms.price_list, terms.multiplier_ppm)

    def sold(self, model: str, at_ms: int, price_list: str, multiplier_ppm: int) -> Price | None:
        """The same by a list and a multiplier. On the path of every call: what was found holds until a price changes,
        and models without a price are not remembered."""
        place = model, price_list, multiplier_ppm
        known = self._in_force.get(place)
        if known is not None and known.from_ms <= at_ms < known.until_ms:
            return known.price
        row = self._row(price_list, model, at_ms) or self._row(DEFAULT, model, at_ms)
        if row is None:
            return None
        price = self._times(row, multiplier_ppm)
        instants = [
            row.effective_from_ms for name in (price_list, DEFAULT) for row in self._rows.get((name, model), ())
        ]
        from_ms = max(instant for instant in instants if instant <= at_ms)
        until_ms = min((instant for instant in instants if instant > at_ms), default=_FOR_EVER_MS)
        self._in_force[place] = _InForce(price, from_ms, until_ms)
        return price

    def charged_by(self, price_id: str, multiplier_ppm: int = MILLION) -> Price | None:
        """What a charge names: its row, or a service tier of it, at what the account paid. None: there is none."""
        row, tier = self._by_id.get(price_id), ""
        if row is None:
            row_id, _, tier = price_id.rpartition(":")
            row = self._by_id.get(row_id)
        return None if row is None else self._times(row, multiplier_ppm).served(tier)

    def again(self, charge: Charge, usage: Usage) -> int | None:
        """What a call costs by the row its charge names: the charge itself, or something is wrong. Nano-USD; None: the
        row is not there."""
        if charge.price_id is None:
            return 0
        price = self.charged_by(charge.price_id, charge.multiplier_ppm)
        return None if price is None else total(price, usage)

    def in_force(self, at_ms: int) -> Iterator[Price]:
        """The row in force of each model of each list."""
        for price_list, model in self._rows:
            row = self._row(price_list, model, at_ms)
            if row is not None:
                yield row

    def changes_after(self, at_ms: int) -> list[int]:
        """The instants to come at which any price changes."""
        instants = {row.effective_from_ms for rows in self._rows.values() for row in rows}
        return sorted(instant for instant in instants if instant > at_ms)

    def names(self) -> set[str]:
        """Every list that ever had a row; the default one may have none."""
        return {DEFAULT} | {price_list for price_list, _ in self._rows}

    def _row(self, price_list: str, model: str, at_ms: int) -> Price | None:
        for row in self._rows.get((price_list, model), ()):
            if row.effective_from_ms <= at_ms:
                return row if row.tiers else None
        return None

    def _times(self, row: Price, multiplier_ppm: int) -> Price:
        if multiplier_ppm == MILLION:
            return row
        place = row.id, multiplier_ppm
        found = self._multiplied.get(place)
        if found is None:
            found = self._multiplied[place] = scaled(row, multiplier_ppm)
        return found
