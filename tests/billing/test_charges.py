"""Charges: what the cases say to the nano-dollar; the same again at any time; never more than the bound."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.prices_in_use import CLAUDE, HOUSE, price, prices, usages
from tollhouse.billing.charges import ChargeLine, lines, total, worst
from tollhouse.billing.prices import TOKEN_BUCKETS, UNITS, Price, gratis, scaled
from tollhouse.core.usage import BUCKETS, Usage

GEMINI = {"input": "1.25", "output": "5.00"}


@pytest.mark.parametrize(
    ("row", "usage", "charge"),
    [
        pytest.param(HOUSE, Usage(input=60, output=12), 270_000, id="plain stream"),
        pytest.param(HOUSE, Usage(input=400, cache_read=800, output=25, reasoning=20), 2_450_000, id="U01"),
        pytest.param(CLAUDE, Usage(input=730, cache_read=200, output=41), 2_865_000, id="U07"),
        pytest.param(GEMINI, Usage(input=40, output=9), 95_000, id="P02 gemini"),
        pytest.param(GEMINI, Usage(input=40, output=21, reasoning=14), 225_000, id="P32"),
        pytest.param({"input": "0.02"}, Usage(input=7), 140, id="embeddings"),
        pytest.param({"per_image": "0.04"}, Usage(requests=1, images=3, image_out=900), 120_000_000, id="images"),
        pytest.param({"per_second": "0.0001"}, Usage(requests=1, seconds=61), 6_100_000, id="audio by the second"),
        pytest.param({"per_character": "0.000015"}, Usage(characters=1_000), 15_000_000, id="speech by the character"),
        pytest.param({"input": "1", "per_request": "0.5"}, Usage(requests=1, input=2), 500_002_000, id="both"),
    ],
)
def test_charges_of_the_cases(row: dict[str, str], usage: Usage, charge: int) -> None:
    assert total(price(row), usage) == charge


def test_cached_tokens_are_not_counted_twice() -> None:
    cached = Usage(input=200, cache_read=800)
    plain = Usage(input=1_000)
    assert total(price(HOUSE), cached) == 200 * 2_500 + 800 * 1_250
    assert total(price(HOUSE), cached) < total(price(HOUSE), plain)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_usage_below_zero_never_becomes_money(bucket: str) -> None:
    with pytest.raises(ValueError, match=bucket):
        total(price(HOUSE), msgspec.structs.replace(Usage(input=10**6), **{bucket: -1}))
    with pytest.raises(ValueError, match=bucket):
        lines(price(HOUSE), msgspec.structs.replace(Usage(input=10**6), **{bucket: -1}))


def test_each_line_is_rounded_half_even_on_its_own_and_names_its_row() -> None:
    row = price({"input": "0.0005", "output": "0.0015", "per_request": "0.25"}, "price_9")
    made = lines(row, Usage(input=1, cache_read=3, output=1, requests=2))
    assert made == [
        ChargeLine("input", 1, 500_000, 1_000_000, 0, "price_9"),  # 0.5: to the even 0
        ChargeLine("cache_read", 3, 500_000, 1_000_000, 2, "price_9"),  # 1.5: to the even 2
        ChargeLine("output", 1, 1_500_000, 1_000_000, 2, "price_9"),  # 1.5
        ChargeLine("requests", 2, 250_000_000, 1, 500_000_000, "price_9"),
    ]
    assert made[1].as_json() == {
        "bucket": "cache_read",
        "quantity": 3,
        "price_usd": "0.0005",
        "per": 1_000_000,
        "charge_nusd": 2,
        "price_id": "price_9",
    }


def test_a_receipt_shows_what_was_used_for_nothing_too() -> None:
    assert [(line.bucket, line.charge) for line in lines(gratis("m"), Usage(input=5, output=6, requests=1))] == [
        *(("input", 0), ("output", 0), ("requests", 0))
    ]


def test_what_has_no_price_makes_no_line() -> None:
    assert lines(price({"per_image": "1"}), Usage(input=5, requests=1)) == []
    assert lines(price(HOUSE), Usage()) == []


@given(prices, usages, st.integers(0, 3_000_000))
def test_a_past_charge_made_again_is_the_same(row: Price, usage: Usage, multiplier_ppm: int) -> None:
    """From the usage record as it is stored, and the row and multiplier that the charge names."""
    sold = scaled(row, multiplier_ppm)
    first = lines(sold, usage)
    stored = msgspec.json.decode(msgspec.json.encode(usage), type=Usage)
    again = scaled(msgspec.json.decode(msgspec.json.encode(row), type=Price), sold.multiplier_ppm)
    assert lines(again, stored) == first
    assert total(again, stored) == sum(line.charge for line in first)


@given(prices, usages)
def test_lines_are_disjoint_and_none_is_below_zero(row: Price, usage: Usage) -> None:
    made = lines(row, usage)
    assert [line.bucket for line in made] == [
        bucket
        for bucket in (*TOKEN_BUCKETS, *UNITS)
        if getattr(usage, bucket) and (bucket in TOKEN_BUCKETS or bucket in row.rates(usage.tokens_in()).per_unit)
    ]
    assert all(line.charge >= 0 and line.quantity > 0 for line in made)


@given(prices, usages, st.sampled_from(BUCKETS), st.integers(1, 1_000))
def test_more_usage_never_costs_less_within_a_tier(row: Price, usage: Usage, bucket: str, more: int) -> None:
    flat = msgspec.structs.replace(row, tiers=row.tiers[:1])
    larger = msgspec.structs.replace(usage, **{bucket: getattr(usage, bucket) + more})
    assert total(flat, larger) >= total(flat, usage)


@given(prices, usages, st.integers(0, 500), st.integers(0, 500), usages, st.integers(0, 3_000_000))
def test_no_call_within_its_bounds_is_charged_more_than_the_worst_case(
    row: Price, usage: Usage, spare_in: int, spare_out: int, spare_units: Usage, multiplier_ppm: int
) -> None:
    sold = scaled(row, multiplier_ppm)
    units = Usage(**{unit: getattr(usage, unit) + getattr(spare_units, unit) for unit in UNITS})
    tokens_in, tokens_out = usage.tokens_in() + spare_in, usage.tokens_out() + spare_out
    assert total(sold, usage) <= worst(sold, tokens_in, tokens_out, units)


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**7), st.integers(0, 10**7))
def test_where_a_token_costs_whole_nano_dollars_the_bound_is_met_exactly(
    tokens_in: int, tokens_out: int, nano_in: int, nano_out: int
) -> None:
    """Else a budget that pays exactly seven such calls would let in six."""
    row = price(
        {"input": f"{nano_in // 1000}.{nano_in % 1000:03d}", "output": f"{nano_out // 1000}.{nano_out % 1000:03d}"}
    )
    usage = Usage(input=tokens_in, output=tokens_out)
    assert (
        worst(row, tokens_in, tokens_out, Usage()) == total(row, usage) == tokens_in * nano_in + tokens_out * nano_out
    )


def test_the_bound_counts_on_ties_that_all_round_up_and_not_on_more() -> None:
    row = price({"input": "0.0015"})  # 1.5 nano-dollars a token
    six = Usage(input=1, cache_read=1, cache_write_5m=1, cache_write_1h=1, audio_in=1, image_in=1)
    assert total(row, six) == worst(row, 6, 0, Usage()) == 12
    assert worst(row, 1, 0, Usage()) == 2
    assert worst(row, 0, 0, Usage()) == 0
    assert worst(row, 1_000_000, 0, Usage()) == 1_500_003


def test_the_bound_is_of_the_dearest_tier_within_reach() -> None:
    row = price({"input": "1", "output": "1", "tiers": [{"above_input_tokens": 100, "input": "3", "output": "9"}]})
    assert worst(row, 100, 10, Usage()) == 110_000
    assert worst(row, 101, 10, Usage()) == 303_000 + 90_000
    cheap = price({"input": "3", "tiers": [{"above_input_tokens": 100, "input": "1"}]})
    assert worst(cheap, 101, 0, Usage()) == 303_000


def test_the_bound_of_a_row_by_units_is_its_units() -> None:
    row = price({"per_image": "0.04", "per_request": "0.01"})
    assert worst(row, 10**9, 10**9, Usage(images=2, requests=1)) == 90_000_000
