"""What things cost: a price row read into rates, with every bucket's rate settled once.

A price is written as decimal USD per million tokens (`input`, `cache_read`, ... `image_out`) or per unit
(`per_request`, `per_image`, `per_second`, `per_character`, `per_search`). A rate is the same as an integer: nano-USD
per million tokens, or per unit.

A bucket without a price of its own takes its parent's, never zero: what is cached, heard or seen costs as `input`,
what is reasoned, spoken or drawn as `output`, and `output` as `input`. A row that prices units and no tokens prices by
the unit alone, and only calls that use such a unit. Above an input size another tier may hold: each entry of `tiers` is
a row of its own, for calls whose whole input is larger than its `above_input_tokens`; what it does not say of units
stays as in the first. Each entry of `service_tiers` is a whole price, tiers and all, for calls that ask the provider to
bill by it (`service_tier = "priority"`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from msgspec import Struct, structs

from tollhouse.core.amount import NANO_PER_USD, BadAmount, format_usd, parse_usd
from tollhouse.core.failure import ModelNotPriced
from tollhouse.core.phrase import Phrase
from tollhouse.core.price import PriceRow
from tollhouse.core.spelling import nearest
from tollhouse.core.usage import BUCKETS, TOKENS_MAX, Usage

MILLION: Final = 1_000_000
INTO: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in")
OUT: Final = ("output", "reasoning", "audio_out", "image_out")
UNITS: Final[Mapping[str, str]] = {
    "requests": "per_request",
    "images": "per_image",
    "seconds": "per_second",
    "characters": "per_character",
    "searches": "per_search",
}
TOKEN_BUCKETS: Final = tuple(bucket for bucket in BUCKETS if bucket not in UNITS)
PARENT: Final[Mapping[str, str]] = {
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
_CHEAP: Final = NANO_PER_USD // 1_000
_DEAR: Final = 10_000 * NANO_PER_USD
"""US dollars for a million tokens beyond which a price is rather one of another unit: makers ask 0.005 to 600."""

PRICE_KEYS: Final = (*TOKEN_BUCKETS, *UNITS.values())
"""Every amount that a price can name."""
_KNOWN: Final = frozenset(PRICE_KEYS)
_ELSEWHERE: Final = (
    (re.compile(r"cache.*(?:writ|creat)", re.IGNORECASE), "cache_write_5m"),
    (re.compile(r"cache", re.IGNORECASE), "cache_read"),
    (re.compile(r"reason|think", re.IGNORECASE), "reasoning"),
    (re.compile(r"^(?:prompt|input|in)(?![a-z]*_?audio|[a-z]*_?image)", re.IGNORECASE), "input"),
    (re.compile(r"^(?:completion|output|out)(?![a-z]*_?audio|[a-z]*_?image)", re.IGNORECASE), "output"),
)
"""What amounts are called in other price lists."""
_SERVICE_TIER: Final = re.compile(r"[a-z][a-z0-9_.-]{0,31}")


class Dearest(NamedTuple):
    """Of some buckets: the highest rate of any token, and how many of them have a rate that may be rounded, because it
    is no whole number of nano-dollars a token."""

    rate: int
    rounded: int


class Rates(Struct, frozen=True, dict=True):
    """Nano-USD per million tokens of each bucket (all, or none), and per unit of those that have a price.

    `above_input_tokens`: the input size these rates begin at, exclusive.
    """

    per_million: dict[str, int]
    per_unit: dict[str, int]
    above_input_tokens: int = 0

    @cached_property
    def dearest_in(self) -> Dearest:
        return self._dearest(INTO)

    @cached_property
    def dearest_out(self) -> Dearest:
        return self._dearest(OUT)

    @cached_property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """Of each bucket, in their order: its rate (0: none), and for how many of it."""
        rates = {**self.per_million, **self.per_unit}
        return tuple((rates.get(bucket, 0), 1 if bucket in UNITS else MILLION) for bucket in BUCKETS)

    def _dearest(self, buckets: tuple[str, ...]) -> Dearest:
        rates = [self.per_million[bucket] for bucket in buckets] if self.per_million else [0]
        return Dearest(max(rates), sum(1 for rate in rates if rate % MILLION))


class Price(Struct, frozen=True, kw_only=True):
    """One row of a price list for a model. `tiers` ascend; the first begins at 0. Without any, the row says that the
    model is not in the list (any more).

    `multiplier_ppm`: by what the row's rates have been multiplied, in millionths (1_200_000 is 1.2). The row's id and
    the multiplier together make a past charge again.
    """

    id: str  # price_...
    model: str
    price_list: str = "default"
    effective_from_ms: int = 0
    tiers: tuple[Rates, ...]
    multiplier_ppm: int = MILLION
    written: Mapping[str, object] = {}  # what the row was read from
    service_tiers: Mapping[str, "Price"] = {}  # the id of each is the row's, `:` and its name

    def served(self, tier: str) -> "Price | None":
        """What a call pays that asks for a service tier ("": for none); None: that tier is not sold."""
        return self.service_tiers.get(tier) if tier else self

    def rates(self, tokens_in: int) -> Rates:
        """The tier of a call, by its whole input."""
        tier = self.tiers[0]
        for candidate in self.tiers[1:]:
            if tokens_in > candidate.above_input_tokens:
                tier = candidate
        return tier

    def reachable(self, tokens_in_max: int) -> Sequence[Rates]:
        """Every tier that a call with at most so much input may fall into."""
        if len(self.tiers) == 1:
            return self.tiers
        return self.tiers[:1] + tuple(tier for tier in self.tiers[1:] if tier.above_input_tokens < tokens_in_max)


class BadPrice(ValueError):
    """A price cannot be read. `field` is the one to blame, as `tiers[0].input`; the message says what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


def gratis(model: str) -> Price:
    """What a model costs whose configuration says `free = true`: nothing, by decision and not by omission."""
    return Price(id="free", model=model, tiers=(Rates(dict.fromkeys(TOKEN_BUCKETS, 0), {"requests": 0}),))


def demand(price: Price | None, model: str, units: Usage) -> Price:
    """The price of a call, or a refusal: whatever nobody has priced is not sold.

    units: the units the call is going to use, tokens aside; `requests` is 1 for every call. Raises ModelNotPriced.
    """
    if price is None:
        raise ModelNotPriced(
            f"The model {model} has no price here, so it cannot be called. Its operator has to set one."
        )
    for tier in price.tiers:
        if not tier.per_million and not any(getattr(units, bucket) for bucket in tier.per_unit):
            raise ModelNotPriced(f"The model {model} has no price for calls of this kind: its price is {_named(tier)}.")
    return price


def read_price(
    written: Mapping[str, object],
    *,
    id: str,  # noqa: A002 - the row's own word for it
    model: str,
    price_list: str = "default",
    effective_from_ms: int = 0,
) -> Price:
    """Read a row as configuration and rows hold it: decimal USD by field, and `tiers`, if any. Raises BadPrice."""
    first = read_rates({field: text for field, text in written.items() if field not in ("tiers", "service_tiers")})
    tiers = [first]
    further = written.get("tiers", ())
    if not isinstance(further, list | tuple):
        raise BadPrice("tiers", Phrase("write a list of tables, each with above_input_tokens and prices"))
    for place, row in enumerate(further):
        tiers.append(_read_tier(f"tiers[{place}]", row, tiers[-1]))
    return Price(
        id=id,
        model=model,
        price_list=price_list,
        effective_from_ms=effective_from_ms,
        tiers=tuple(tiers),
        written=dict(written),
        service_tiers=_read_service_tiers(
            written.get("service_tiers", {}), first, model=model, row=(id, price_list, effective_from_ms)
        ),
    )


def costs_nothing(written: Mapping[str, object]) -> bool:
    """Whether every amount of a price that can be read is zero: a call would be free, and nobody has said so."""
    parts = [part for part in written.values() if isinstance(part, Mapping | list | tuple)]
    rows = [row for part in parts for row in (part.values() if isinstance(part, Mapping) else part)]
    amounts = [text for field, text in written.items() if field in _KNOWN]
    return all(isinstance(text, str) and not text.strip("0.") for text in amounts) and all(map(costs_nothing, rows))


def read_row(row: PriceRow) -> Price:
    """What a stored row says, also where that is that the model has left the list. Raises BadPrice."""
    if not row.written:
        return Price(
            id=row.id, model=row.model, price_list=row.price_list, effective_from_ms=row.effective_from_ms, tiers=()
        )
    return read_price(
        row.written,
        id=row.id,
        model=row.model,
        price_list=row.price_list,
        effective_from_ms=row.effective_from_ms,
    )


def read_rates(written: Mapping[str, object]) -> Rates:
    """Settle each bucket's rate. Raises BadPrice for an unknown field, an amount that is none, an empty row."""
    amounts: dict[str, int] = {}
    for field, text in written.items():
        if field not in _KNOWN:
            raise BadPrice(field[:40], Phrase("no such price; %(cure)s", cure=nearest_amount(field)))
        if not isinstance(text, str):
            shown = str(text) if isinstance(text, int | float) and not isinstance(text, bool) else "2.50"
            raise BadPrice(
                field,
                Phrase(
                    'write the amount as text, such as "%(amount)s", so that not a digit of it is lost',
                    amount=shown[:40],
                ),
            )
        try:
            amounts[field] = parse_usd(text)
        except BadAmount as error:
            raise BadPrice(field, error.args[0]) from None
    if not amounts:
        raise BadPrice("", Phrase('a price names at least one amount, such as input = "2.50"'))
    by_tokens = any(bucket in amounts for bucket in TOKEN_BUCKETS)
    if by_tokens and "input" not in amounts:
        raise BadPrice("input", Phrase("a price by tokens names it: whatever is not named takes its price from there"))
    per_million = {bucket: _settled(bucket, amounts) for bucket in TOKEN_BUCKETS} if by_tokens else {}
    return Rates(per_million, {bucket: amounts[field] for bucket, field in UNITS.items() if field in amounts})


def nearest_amount(field: str, known: Sequence[str] = PRICE_KEYS) -> Phrase:
    """What to write instead of a field that names no amount here."""
    shown = field[:40]
    meant = next((name for pattern, name in _ELSEWHERE if pattern.search(shown)), None) or nearest(shown, known)
    if "token" not in shown:
        return Phrase("the nearest known one is %(near)s (known: %(known)s)", near=meant, known=", ".join(known))
    return Phrase(
        "the nearest known one is %(near)s (prices here are USD per million tokens, not per token) (known: %(known)s)",
        near=meant,
        known=", ".join(known),
    )


def unlikely(written: Mapping[str, object]) -> Iterator[str]:
    """What of a price was perhaps written per token, or per something else: `input = "0.0000025": ...`."""
    for bucket in TOKEN_BUCKETS:
        text = written.get(bucket)
        if not isinstance(text, str):
            continue
        amount = parse_usd(text)
        if 0 < amount < _CHEAP:
            yield (
                f'{bucket} = "{text}": so little for a million tokens? prices are per million; if this is per token, '
                f'write "{format_usd(amount * MILLION)}"'
            )
        elif amount > _DEAR:
            yield f'{bucket} = "{text}": so much for a million tokens? prices are US dollars per million'


def read_multiplier(text: str) -> int:
    """Read `1.2` as 1_200_000 millionths. Raises BadPrice for what is no number and for a seventh decimal."""
    try:
        amount = parse_usd(text)
    except BadAmount:
        raise BadPrice(
            "multiplier",
            Phrase("%(given)s is none: write digits with at most 6 decimals, such as 1.2", given=repr(text[:40])),
        ) from None
    multiplier_ppm, rest = divmod(amount * MILLION, NANO_PER_USD)
    if rest:
        raise BadPrice("multiplier", Phrase("%(given)s has more than 6 decimals", given=repr(text[:40])))
    return multiplier_ppm


def write_multiplier(multiplier_ppm: int) -> str:
    """What `read_multiplier` reads."""
    return format_usd(multiplier_ppm * (NANO_PER_USD // MILLION))


def scaled(price: Price, multiplier_ppm: int) -> Price:
    """The price for an account that pays a multiple of the list, each rate rounded half-even once.

    What is shown, explained, held and charged all start from these rates, so that they agree to the nano-dollar.
    """
    if price.multiplier_ppm != MILLION:
        raise ValueError("a row is multiplied once: from a product its charges could not be made again")
    if multiplier_ppm == MILLION:
        return price

    def times(rates: Mapping[str, int]) -> dict[str, int]:
        return {bucket: divide_half_even(rate * multiplier_ppm, MILLION) for bucket, rate in rates.items()}

    tiers = tuple(Rates(times(tier.per_million), times(tier.per_unit), tier.above_input_tokens) for tier in price.tiers)
    served = {name: scaled(one, multiplier_ppm) for name, one in price.service_tiers.items()}
    return structs.replace(price, tiers=tiers, multiplier_ppm=multiplier_ppm, service_tiers=served)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer division that rounds to the nearest, and a tie to the even neighbour. `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = rest * 2
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def _read_tier(path: str, row: object, below: Rates) -> Rates:
    if not isinstance(row, Mapping):
        raise BadPrice(path, Phrase("write a table with above_input_tokens and prices"))
    above = row.get("above_input_tokens")
    if type(above) is not int or not below.above_input_tokens < above <= TOKENS_MAX:
        raise BadPrice(
            f"{path}.above_input_tokens",
            Phrase("write a whole number of tokens, more than %(below)s", below=below.above_input_tokens),
        )
    try:
        rates = read_rates({field: text for field, text in row.items() if field != "above_input_tokens"})
    except BadPrice as error:
        raise BadPrice(f"{path}.{error.field}".rstrip("."), error.reason) from None
    if bool(rates.per_million) != bool(below.per_million):
        raise BadPrice(f"{path}.input", Phrase("a tier names it where the first one does, and only there"))
    return Rates(rates.per_million, below.per_unit | rates.per_unit, above)


def _read_service_tiers(written: object, first: Rates, *, model: str, row: tuple[str, str, int]) -> dict[str, Price]:
    """Each is a price of its own; units that it does not name keep their price."""
    if not isinstance(written, Mapping):
        raise BadPrice("service_tiers", Phrase('write a table of prices, such as { priority = { input = "4.25" } }'))
    price_id, price_list, effective_from_ms = row
    found: dict[str, Price] = {}
    units = {UNITS[bucket]: format_usd(rate) for bucket, rate in first.per_unit.items()}
    for name, of_tier in written.items():
        path = f"service_tiers.{str(name)[:40]}"
        if not isinstance(name, str) or not _SERVICE_TIER.fullmatch(name):
            raise BadPrice(path, Phrase("name the tier as callers do, in small letters"))
        if not isinstance(of_tier, Mapping) or "service_tiers" in of_tier:
            raise BadPrice(path, Phrase('write a price, such as { input = "4.25", output = "17.00" }'))
        try:
            found[name] = read_price(
                {**units, **of_tier},
                id=f"{price_id}:{name}",
                model=model,
                price_list=price_list,
                effective_from_ms=effective_from_ms,
            )
        except BadPrice as error:
            raise BadPrice(f"{path}.{error.field}".rstrip("."), error.reason) from None
        if bool(found[name].tiers[0].per_million) != bool(first.per_million):
            raise BadPrice(
                f"{path}.input", Phrase("a service tier names it where the price itself does, and only there")
            )
    return found


def _settled(bucket: str, amounts: Mapping[str, int]) -> int:
    while bucket not in amounts:
        bucket = PARENT[bucket]
    return amounts[bucket]


def _named(tier: Rates) -> str:
    return " and ".join(UNITS[bucket] for bucket in tier.per_unit)
