"""Money: integer nano-USD (10^-9 USD), written by people as decimal USD.

An amount is an `int`. `parse_usd` is the only door from text, `format_usd` the only door to it. Neither rounds.
"""

import re
from typing import NewType

from tollhouse.core.phrase import Phrase, translatable

Amount = NewType("Amount", int)
"""Nano-USD: 1 USD is 1_000_000_000."""

NANO_PER_USD = 1_000_000_000
MOST = 9 * 10**18
"""Nano-USD. No amount and no sum of amounts is larger: databases count to 2^63."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,9}))?", re.ASCII)


_NOTATIONS = (
    (re.compile(r"\A\s*\Z"), translatable("this is empty")),
    (
        re.compile(r"\A\W*(?:nan|inf|infinity|null|none|nil|free|n/?a|tbd|unlimited)?\W*\Z", re.I),
        translatable("this is no number"),
    ),
    (re.compile(r"\A\s*[0-9]+\s*/\s*[0-9]+\s*\Z|[\u00bc-\u00be\u2150-\u215e]"), translatable("not as a fraction")),
    (re.compile(r"[%\u2030\uff05]"), translatable("not as a percentage")),
    (re.compile(r"[0-9]\s*(?:/|per\b)|[0-9]\s*(?:[ckKmM]|ct|cents?)\s*\Z", re.ASCII), translatable("without a unit")),
    (re.compile(r"[$\u00a2-\u00a5\u20a0-\u20cf]|[A-Z]{3}", re.IGNORECASE), translatable("without a currency")),
    (re.compile(r"\A\s*[+\u2212-]"), translatable("without a sign")),
    (re.compile(r"[0-9.][eE][+-]?[0-9]"), translatable("written out, without an exponent")),
    (
        re.compile(r"[,'_\u066b\u066c\u2019\u00a0\u202f]|[0-9] [0-9]"),
        translatable("a point marks decimals, and nothing groups digits"),
    ),
    (re.compile(r"[\u00ad\u200b-\u200f\u2018-\u201f\u2060\ufeff\"`]"), translatable("without what was copied along")),
    (re.compile(r"\.[0-9]{10,}\Z"), translatable("less than a nano-dollar is not counted")),
    (re.compile(r"\A\s+\S|\S\s+\Z"), translatable("without blanks around it")),
    (re.compile(r"\A0[0-9]", re.ASCII), translatable("without a leading zero")),
    (re.compile(r"\A[0-9]{17,}(?:\.[0-9]*)?\Z", re.ASCII), translatable("smaller: at most 9000000000")),
    (re.compile(r"\A[^0-9A-Za-z]*\d", re.UNICODE), translatable("in ASCII digits, with one before the point")),
)
"""How amounts are written elsewhere, the first that is found, and what to do about it."""


class BadAmount(ValueError):
    """A text is not an amount of USD; the message says what an amount looks like."""


def parse_usd(text: str) -> Amount:
    """Read `12`, `0.5`, `0.000000001`; refuse signs, exponents, grouping and a tenth decimal rather than round.

    Raises BadAmount.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise BadAmount(
            Phrase(
                "%(given)s is not an amount: write US dollars as digits with at most 9 decimals, such as 12 or"
                " 0.50%(hint)s",
                given=repr(text[:40]),
                hint=_hint(text),
            )
        )
    whole, fraction = match.group(1), match.group(2) or ""
    amount = int(whole) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    if amount > MOST:
        raise BadAmount(
            Phrase("%(given)s is larger than this platform counts: at most 9000000000 USD", given=repr(text[:40]))
        )
    return Amount(amount)


def _hint(text: str) -> str:
    """What of another notation is in the way."""
    return next(
        (Phrase(" (%(hint)s)", hint=Phrase(words)) for pattern, words in _NOTATIONS if pattern.search(text)), ""
    )


def format_usd(amount: int) -> str:
    """Write an amount exactly, without an exponent and without trailing zeros: 2500000 -> `0.0025`."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), NANO_PER_USD)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:09d}".rstrip("0")
