"""What things cost: a price row read into rates, with every bucket's rate settled once.

A price is written as decimal USD per million tokens (`input`, `cache_read`, ... `image_out`) or per unit
(`per_request`, `per_image`, `per_second`, `per_character`). A rate is the same as an integer: nano-USD per million
tokens, or per unit.

A bucket without a price of its own takes its parent's, never zero: what is cached, heard or seen costs as `input`,
what is reasoned, spoken or drawn as `output`, and `output` as `input`. A row that prices units and no tokens prices by
the unit alone. Above an input size another tier may hold: `tiers` gives rows of their own, each for calls whose whole
input is larger than `above_input_tokens`.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tollhouse.core.amount import BadAmount, parse_usd
from tollhouse.core.usage import Usage

MILLION: Final = 1_000_000
TOKEN_BUCKETS: Final = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_in",
    "audio_out",
    "image_in",
    "image_out",
)
UNITS: Final[Mapping[str, str]] = {
    "requests": "per_request",
    "images": "per_image",
    "seconds": "per_second",
    "characters": "per_character",
}
_PARENT: Final[Mapping[str, str]] = {
    "cache_read": "input",
    "cache_write_5m": "input",
    "cache_write_1h": "input",
    "audio_in": "input",
    "image_in": "input",
    "output": "input",
    "reasoning": "output",
    "audio_out": "output",
    "image_out": "output",
}


class Rates(Struct, frozen=True):
    """Nano-USD for each bucket, per million tokens or per unit. `above_input_tokens`: the tier these rates begin at."""

    per_million: dict[str, int]
    per_unit: dict[str, int]
    above_input_tokens: int = 0

    def dearest_in(self) -> int:
        """The highest rate any input token can be charged at."""
        return max(self.per_million[bucket] for bucket in TOKEN_BUCKETS if not _is_output(bucket))

    def dearest_out(self) -> int:
        return max(self.per_million[bucket] for bucket in TOKEN_BUCKETS if _is_output(bucket))


class Price(Struct, frozen=True, kw_only=True):
    """One effective row of a price list for a model. `tiers` in ascending order; the first begins at 0."""

    id: str  # price_...
    model: str
    effective_from_ms: int
    tiers: tuple[Rates, ...]

    def rates(self, usage: Usage) -> Rates:
        """The tier of a call, by its whole input."""
        size = usage.tokens_in()
        tier = self.tiers[0]
        for candidate in self.tiers[1:]:
            if size > candidate.above_input_tokens:
                tier = candidate
        return tier


class BadPrice(ValueError):
    """A price row cannot be read; the message names the field and what is wrong with it."""


def read_rates(written: Mapping[str, str], above_input_tokens: int = 0) -> Rates:
    """Settle each bucket's rate. Raises BadPrice for an unknown field, an amount that is none, an empty row."""
    known = {*TOKEN_BUCKETS, *UNITS.values()}
    amounts: dict[str, int] = {}
    for field, text in written.items():
        if field not in known:
            raise BadPrice(f"{field!r} is no price; known are {', '.join(sorted(known))}")
        try:
            amounts[field] = parse_usd(text)
        except BadAmount as error:
            raise BadPrice(f"{field}: {error}") from None
    if not amounts:
        raise BadPrice('a price names at least one amount, such as input = "2.50"')
    by_tokens = any(bucket in amounts for bucket in TOKEN_BUCKETS)
    if by_tokens and "input" not in amounts:
        raise BadPrice("a price by tokens names input, from which the others that are not named take theirs")
    per_million = {bucket: _settled(bucket, amounts) if by_tokens else 0 for bucket in TOKEN_BUCKETS}
    per_unit = {bucket: amounts.get(field, 0) for bucket, field in UNITS.items()}
    return Rates(per_million, per_unit, above_input_tokens)


def scaled(rates: Rates, multiplier_ppm: int) -> Rates:
    """The rates of an account that pays a multiple (in millionths: 1_200_000 is 1.2), each rounded half-even once.

    What is shown, explained and charged all start from these, so that they agree to the nano-dollar.
    """
    if multiplier_ppm == MILLION:
        return rates
    return Rates(
        {bucket: divide_half_even(rate * multiplier_ppm, MILLION) for bucket, rate in rates.per_million.items()},
        {bucket: divide_half_even(rate * multiplier_ppm, MILLION) for bucket, rate in rates.per_unit.items()},
        rates.above_input_tokens,
    )


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer division that rounds to the nearest, and a tie to the even neighbour. Both must be non-negative."""
    quotient, rest = divmod(numerator, denominator)
    twice = rest * 2
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def _settled(bucket: str, amounts: Mapping[str, int]) -> int:
    while bucket not in amounts:
        bucket = _PARENT[bucket]
    return amounts[bucket]


def _is_output(bucket: str) -> bool:
    return bucket in ("output", "reasoning", "audio_out", "image_out")
