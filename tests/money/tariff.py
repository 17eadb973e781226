"""What a call costs and what it can cost at most, in fractions: slow, obvious, and written without `billing`.

A tariff is what a platform.toml says of a model: decimal USD for a million tokens of each bucket, or for a request,
with tiers. Amounts that come out are whole nano-USD.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Any

Tariff = Mapping[str, Any]
Used = Mapping[str, int]

INTO = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in")
OUT = ("output", "reasoning", "audio_out", "image_out")
NANO = 10**9
MILLION = 10**6


def nano(usd: str) -> Fraction:
    return Fraction(usd) * NANO


def times(tariff: Tariff, multiple: Fraction) -> Tariff:
    """What an account pays that pays a multiple: each amount is multiplied, and rounded half-even once."""
    if multiple == 1:
        return tariff

    def one(amount: Any) -> Any:
        if not isinstance(amount, str):
            return amount
        whole = round(nano(amount) * multiple)
        return f"{whole // NANO}.{whole % NANO:09d}"

    found = {name: one(amount) for name, amount in tariff.items() if name != "tiers"}
    if "tiers" in tariff:
        found["tiers"] = [{name: one(amount) for name, amount in tier.items()} for tier in tariff["tiers"]]
    return found


def a_token(tariff: Tariff, bucket: str) -> Fraction:
    """Nano-USD for one token: the bucket's own price, else its parent's."""
    if bucket in tariff:
        return nano(tariff[bucket]) / MILLION
    if bucket in OUT and bucket != "output":
        return a_token(tariff, "output")
    return nano(tariff["input"]) / MILLION


def tiers(tariff: Tariff) -> list[tuple[int, Tariff]]:
    """(above so many input tokens, prices), ascending."""
    first = {name: text for name, text in tariff.items() if name != "tiers"}
    found: list[tuple[int, Tariff]] = [(0, first)]
    for tier in tariff.get("tiers", ()):
        prices = {name: text for name, text in tier.items() if name != "above_input_tokens"}
        if "per_request" in found[-1][1]:
            prices.setdefault("per_request", found[-1][1]["per_request"])
        found.append((tier["above_input_tokens"], prices))
    return found


def charge(tariff: Tariff, used: Used) -> int:
    """Each line is rounded half-even, then they are added up. A call is one request."""
    size = sum(used.get(bucket, 0) for bucket in INTO)
    prices = [prices for above, prices in tiers(tariff) if size > above or above == 0][-1]
    lines = [round(used.get(bucket, 0) * a_token(prices, bucket)) for bucket in (*INTO, *OUT)]
    return sum(lines) + int(nano(prices.get("per_request", "0")))


def dearest(prices: Tariff, buckets: tuple[str, ...]) -> Fraction:
    return max(a_token(prices, bucket) for bucket in buckets)


def worst(tariff: Tariff, tokens_in: int, tokens_out: int) -> int:
    """The most a call can cost with so many tokens: all in the dearest bucket of the dearest tier within reach, and
    half a nano-dollar for each line that may have to be rounded up."""
    found = []
    for above, prices in tiers(tariff):
        if above == 0 or above < tokens_in:
            sides = 0
            for buckets, tokens in ((INTO, tokens_in), (OUT, tokens_out)):
                uneven = sum(a_token(prices, bucket).denominator != 1 for bucket in buckets)
                sides += floor(tokens * dearest(prices, buckets) + Fraction(min(uneven, tokens), 2))
            found.append(sides + int(nano(prices.get("per_request", "0"))))
    return max(found)


def cap_to_add(tariff: Tariff, tokens_in: int, left: int | None, longest: int, answers: int) -> int:
    """Tokens for each answer of a call that named no cap: a tenth of what is affordable, at least 1024, at most what
    the model can say."""
    affordable = None if left is None else affords(tariff, tokens_in, left)
    return longest if affordable is None else min(longest, max(1024, affordable // (10 * answers)))


def affords(tariff: Tariff, tokens_in: int, left: int) -> int | None:
    """Output tokens that this much money pays for after the input. None: any number."""
    rate = max(dearest(prices, OUT) for above, prices in tiers(tariff) if above == 0 or above < tokens_in)
    return None if rate == 0 else floor(max(0, left - worst(tariff, tokens_in, 0)) / rate)
