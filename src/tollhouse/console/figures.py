"""Figures for people: money to the digits that matter, counts in thousands."""

from decimal import Decimal
from typing import Final

from tollhouse.core.amount import format_usd

_NANO: Final = 1_000_000_000
_DIGITS: Final = 3  # that matter, of an amount below a dollar


def usd(nano: int) -> str:
    """`$12.40`, `$0.00421`, `-$3.00`; never `2e-7`."""
    sign, amount = ("-" if nano < 0 else ""), Decimal(abs(nano)) / _NANO
    if amount == 0:
        return "$0.00"
    if amount >= 1:
        return f"{sign}${amount:,.2f}"
    places = max(2, -amount.adjusted() + _DIGITS - 1)
    text = f"{amount:.{min(places, 9)}f}"
    whole, _, part = text.partition(".")
    return f"{sign}${whole}.{part.rstrip('0').ljust(2, '0')}"


def exact_usd(nano: int) -> str:
    """All nine decimals that there are, for a title or a copy."""
    return f"{format_usd(nano)} USD"


def count(number: int) -> str:
    """`1,204`; `1.24 M` from a million on."""
    if abs(number) < 1_000_000:
        return f"{number:,}"
    for size, name in ((1_000_000_000, "G"), (1_000_000, "M")):
        if abs(number) >= size:
            return f"{number / size:.3g} {name}"
    return str(number)


def plain_usd(nano: int) -> str:
    """For a value that is typed in or copied: `12.4`."""
    return format_usd(nano)
