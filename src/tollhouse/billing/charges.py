"""A charge: usage times price, line by line, each rounded half-even to one nano-dollar.

A charge is a pure function of the usage record and the price row, so it can be made again at any time and must come out
the same.
"""

from msgspec import Struct

from tollhouse.billing.prices import MILLION, TOKEN_BUCKETS, UNITS, Price, Rates, divide_half_even
from tollhouse.core.amount import format_usd
from tollhouse.core.usage import Usage


class Line(Struct, frozen=True):
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


def lines(price: Price, usage: Usage) -> list[Line]:
    """One line for each bucket that was used, in the order of the buckets."""
    rates = price.rates(usage)
    made = []
    for bucket in TOKEN_BUCKETS:
        quantity = getattr(usage, bucket)
        if quantity:
            rate = rates.per_million[bucket]
            charge = divide_half_even(quantity * rate, MILLION)
            made.append(Line(bucket, quantity, rate, MILLION, charge, price.id))
    for bucket in UNITS:
        quantity = getattr(usage, bucket)
        if quantity and rates.per_unit[bucket]:
            rate = rates.per_unit[bucket]
            made.append(Line(bucket, quantity, rate, 1, quantity * rate, price.id))
    return made


def total(price: Price, usage: Usage) -> int:
    """The charge in nano-USD: the sum of its lines."""
    return sum(line.charge for line in lines(price, usage))


def worst(rates: Rates, tokens_in: int, tokens_out: int, units: Usage) -> int:
    """The most a call within these bounds can be charged: every token in the dearest bucket, each line rounded up.

    A call's lines round each on its own, so ten lines may round up where one sum would not; the bound adds one
    nano-dollar a bucket rather than count on luck.
    """
    into = -(-tokens_in * rates.dearest_in() // MILLION)
    out = -(-tokens_out * rates.dearest_out() // MILLION)
    by_unit: int = sum(getattr(units, bucket) * rates.per_unit[bucket] for bucket in UNITS)
    spare = sum(1 for bucket in TOKEN_BUCKETS if rates.per_million[bucket] % MILLION)
    return into + out + by_unit + spare
