"""A price as people read it: what an account pays, in the words of platform.toml."""

from tollhouse.billing.prices import MILLION, PARENT, UNITS, Price, Rates
from tollhouse.core.amount import format_usd
from tollhouse.core.price import Written


def quote(price: Price) -> Written:
    """As it was written, where that is what the account pays; else each amount times the multiplier, exactly as it is
    held and charged. Read again it gives the same rates."""
    if price.multiplier_ppm == MILLION and price.written:
        return dict(price.written)
    first, *further = price.tiers
    quoted: Written = dict(_amounts(first, {}))
    below = first
    tiers: list[dict[str, object]] = []
    for tier in further:
        tiers.append({"above_input_tokens": tier.above_input_tokens, **_amounts(tier, below.per_unit)})
        below = tier
    if tiers:
        quoted["tiers"] = tiers
    if price.service_tiers:
        quoted["service_tiers"] = {name: quote(served) for name, served in price.service_tiers.items()}
    return quoted


def _amounts(rates: Rates, units_below: dict[str, int]) -> dict[str, str]:
    """What differs from the price it would have without being named."""
    tokens = {
        bucket: format_usd(rate)
        for bucket, rate in rates.per_million.items()
        if bucket == "input" or rate != rates.per_million[PARENT[bucket]]
    }
    units = {
        UNITS[bucket]: format_usd(rate) for bucket, rate in rates.per_unit.items() if rate != units_below.get(bucket)
    }
    return tokens | units
