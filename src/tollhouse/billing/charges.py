"""A charge: usage times price, line by line, each rounded half-even to one nano-dollar.

A charge is a pure function of the usage record and the price row, so it can be made again at any time and must come out
the same.
"""

from itertools import compress

from msgspec import Struct
from msgspec.structs import astuple

from tollhouse.billing.prices import MILLION, TOKEN_BUCKETS, UNITS, Price, Rates, divide_half_even
from tollhouse.core.amount import format_usd
from tollhouse.core.usage import Usage


class ChargeLine(Struct, frozen=True):
    """`rate` is nano-USD per `per` (1_000_000 for tokens, 1 for units); `charge` is nano-USD."""

    bucket: str
    quantity: int
    rate: int
    per: int
    charge: int
    price_id: str

    def as_json(self) -> dict[str, object]:
        return {
            "bucket": self.bucket,
            "quantity": self.quantity,
            "price_usd": format_usd(self.rate),
            "per": self.per,
            "charge_nusd": self.charge,
            "price_id": self.price_id,
        }


def lines(price: Price, usage: Usage) -> list[ChargeLine]:
    """One line for each bucket that was used and has a price, in the order of the buckets.

    Raises ValueError for usage below zero: whoever normalises usage lets none through, and no call may earn money.
    """
    rates = price.rates(usage.tokens_in())
    made = []
    for bucket in TOKEN_BUCKETS:
        quantity = _counted(usage, bucket)
        if quantity and rates.per_million:
            rate = rates.per_million[bucket]
            charge = divide_half_even(quantity * rate, MILLION)
            made.append(ChargeLine(bucket, quantity, rate, MILLION, charge, price.id))
    for bucket in UNITS:
        quantity = _counted(usage, bucket)
        if quantity and bucket in rates.per_unit:
            rate = rates.per_unit[bucket]
            made.append(ChargeLine(bucket, quantity, rate, 1, quantity * rate, price.id))
    return made


def total(price: Price, usage: Usage) -> int:
    """The charge in nano-USD: the sum of its lines, without making them. Raises as `lines`."""
    rates = price.rates(usage.tokens_in()) if len(price.tiers) > 1 else price.tiers[0]
    quantities = astuple(usage)
    charge = 0
    for quantity, (rate, per) in compress(zip(quantities, rates.columns, strict=True), quantities):
        if quantity < 0:
            raise ValueError(f"usage below zero: {usage}")
        exact, rest = divmod(quantity * rate, per)
        charge += divide_half_even(quantity * rate, per) if rest else exact
    return charge


def worst(price: Price, tokens_in: int, tokens_out: int, units: Usage) -> int:
    """The most a call can be charged that uses at most so many tokens and units, in nano-USD.

    units: how many requests, images, seconds and characters at most; its tokens are not looked at.
    """
    if len(price.tiers) == 1:
        return _worst(price.tiers[0], tokens_in, tokens_out, units)
    return max([_worst(rates, tokens_in, tokens_out, units) for rates in price.reachable(tokens_in)])


def _worst(rates: Rates, tokens_in: int, tokens_out: int, units: Usage) -> int:
    """Every token in the dearest bucket, and half a nano-dollar for each line that may have been rounded up, on each
    side.

    Where all rates are whole nano-dollars a token, as nearly every price in use, the bound is met exactly by a call
    that uses all it may: nothing is held in vain.
    """
    charge = 0
    for tokens, (rate, rounded) in ((tokens_in, rates.dearest_in), (tokens_out, rates.dearest_out)):
        charge += (2 * tokens * rate + min(rounded, tokens) * MILLION) // (2 * MILLION)
    if rates.per_unit:
        for bucket, rate in rates.per_unit.items():
            charge += getattr(units, bucket) * rate
    return charge


def _counted(usage: Usage, bucket: str) -> int:
    quantity: int = getattr(usage, bucket)
    if quantity < 0:
        raise ValueError(f"usage below zero: {bucket} {quantity}")
    return quantity
