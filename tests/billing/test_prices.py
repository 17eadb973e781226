"""Prices: every bucket has a rate that is never zero by omission; what cannot be read names its field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.prices_in_use import HOUSE, price, rows
from tollhouse.billing.prices import (
    MILLION,
    PARENT,
    TOKEN_BUCKETS,
    BadPrice,
    demand,
    divide_half_even,
    gratis,
    read_multiplier,
    read_price,
    read_rates,
    scaled,
    write_multiplier,
)
from tollhouse.core.amount import format_usd, parse_usd
from tollhouse.core.failure import ModelNotPriced
from tollhouse.core.usage import Usage

CALL = Usage(requests=1)


def test_a_bucket_without_its_own_price_takes_its_parents_never_zero() -> None:
    rates = read_rates({"input": "2.50", "output": "10"}).per_million
    parents = {
        "input": "input",
        "cache_read": "input",
        "cache_write_5m": "input",
        "cache_write_1h": "input",
        "audio_in": "input",
        "image_in": "input",
        "output": "output",
        "reasoning": "output",
        "audio_out": "output",
        "image_out": "output",
    }
    amounts = {"input": 2_500_000_000, "output": 10_000_000_000}
    assert rates == {bucket: amounts[parent] for bucket, parent in parents.items()}
    assert set(read_rates({"input": "0.02"}).per_million.values()) == {20_000_000}


def test_a_bucket_with_its_own_price_keeps_it_even_at_zero() -> None:
    rates = read_rates({"input": "2", "cache_read": "0", "reasoning": "7", "output": "5"}).per_million
    assert (rates["cache_read"], rates["reasoning"], rates["audio_out"]) == (0, 7 * 10**9, 5 * 10**9)


def test_the_buckets_are_those_of_usage() -> None:
    assert TOKEN_BUCKETS == (
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


@pytest.mark.parametrize(
    "text",
    [
        *("-7", "-0", "NaN", "Infinity", "1e400", "1e-12", "0.0000000001", "1,5", "٣", "9" * 40),
        *("", " 1", "1 ", "+1", ".5", "1.", "01", 1, 1.5, True, None, ["1"]),
    ],
)
@pytest.mark.parametrize("field", ["input", "per_image"])
def test_an_amount_that_is_none_is_refused_naming_the_field_and_never_rounded(field: str, text: object) -> None:
    with pytest.raises(BadPrice) as caught:
        read_price({"input": "1", field: text}, id="price_1", model="m")
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, ""),
        ({"tiers": []}, ""),
        ({"inptu": "1"}, "inptu"),
        ({"output": "1"}, "input"),
        ({"cache_read": "1", "per_request": "1"}, "input"),
        ({"input": "1", "tiers": {}}, "tiers"),
        ({"input": "1", "tiers": "200000"}, "tiers"),
        ({"input": "1", "tiers": ["x"]}, "tiers[0]"),
        ({"input": "1", "tiers": [{"input": "2"}]}, "tiers[0].above_input_tokens"),
        ({"input": "1", "tiers": [{"input": "2", "above_input_tokens": "9"}]}, "tiers[0].above_input_tokens"),
        ({"input": "1", "tiers": [{"input": "2", "above_input_tokens": True}]}, "tiers[0].above_input_tokens"),
        ({"input": "1", "tiers": [{"input": "2", "above_input_tokens": 0}]}, "tiers[0].above_input_tokens"),
        ({"input": "1", "tiers": [{"input": "2", "above_input_tokens": 2**31 + 1}]}, "tiers[0].above_input_tokens"),
        ({"input": "1", "tiers": [{"above_input_tokens": 9}]}, "tiers[0]"),
        ({"input": "1", "tiers": [{"output": "2", "above_input_tokens": 9}]}, "tiers[0].input"),
        ({"input": "1", "tiers": [{"input": "-2", "above_input_tokens": 9}]}, "tiers[0].input"),
        ({"input": "1", "tiers": [{"per_image": "2", "above_input_tokens": 9}]}, "tiers[0].input"),
        ({"per_image": "1", "tiers": [{"input": "2", "above_input_tokens": 9}]}, "tiers[0].input"),
        (
            {"input": "1", "tiers": [{"input": "2", "above_input_tokens": 9}, {"input": "2", "above_input_tokens": 9}]},
            "tiers[1].above_input_tokens",
        ),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_naming_the_place(row: dict[str, object], field: str) -> None:
    with pytest.raises(BadPrice) as caught:
        price(row)
    assert caught.value.field == field
    assert str(caught.value).count(field) == (1 if field else str(caught.value).count(field))


def test_above_an_input_size_another_tier_holds_from_the_first_token_beyond() -> None:
    row = {
        "input": "1.25",
        "output": "10",
        "per_request": "0.01",
        "tiers": [
            {"above_input_tokens": 200_000, "input": "2.50", "cache_read": "0.625", "output": "15"},
            {"above_input_tokens": 500_000, "input": "5", "per_request": "0.02"},
        ],
    }
    read = price(row)
    assert [read.rates(size).per_million["input"] for size in (0, 200_000, 200_001, 500_000, 500_001)] == [
        *(1_250_000_000, 1_250_000_000, 2_500_000_000, 2_500_000_000, 5_000_000_000)
    ]
    assert read.rates(300_000).per_million["cache_read"] == 625_000_000
    assert read.rates(600_000).per_million["output"] == 5_000_000_000  # its own input: a tier is a row of its own
    assert [read.rates(size).per_unit for size in (0, 300_000, 600_000)] == [
        {"requests": 10_000_000},  # what a tier does not say of units stays
        {"requests": 10_000_000},
        {"requests": 20_000_000},
    ]
    assert [len(read.reachable(size)) for size in (0, 200_000, 200_001, 500_001)] == [1, 1, 2, 3]


def test_the_tier_goes_by_the_whole_input_also_what_was_cached() -> None:
    read = price({"input": "1", "tiers": [{"above_input_tokens": 100, "input": "2"}]})
    usage = Usage(input=1, cache_read=50, cache_write_5m=20, image_in=30)
    assert read.rates(usage.tokens_in()).per_million["input"] == 2 * 10**9


def test_a_tier_may_begin_as_high_as_any_context() -> None:
    read = price({"input": "1", "tiers": [{"above_input_tokens": 2**31, "input": "2"}]})
    assert read.tiers[1].above_input_tokens == 2**31


def test_an_unpriced_model_is_refused_and_not_free_for_weeks() -> None:
    with pytest.raises(ModelNotPriced, match="house-1 has no price"):
        demand(None, "house-1", CALL)


def test_a_model_priced_by_the_image_does_not_answer_chats_for_nothing() -> None:
    by_image = price({"per_image": "0.04"})
    with pytest.raises(ModelNotPriced, match="per_image"):
        demand(by_image, "house-1", CALL)
    assert demand(by_image, "house-1", Usage(requests=1, images=1)) is by_image


def test_what_is_priced_by_tokens_or_by_the_call_is_sold() -> None:
    for row in (HOUSE, {"per_request": "0.001"}, {"input": "0"}):
        read = price(row)
        assert demand(read, "house-1", CALL) is read


def test_free_is_a_decision_that_shows_on_the_receipt() -> None:
    free = gratis("house-1")
    assert demand(free, "house-1", CALL) is free
    assert free.id == "free"
    assert set(free.rates(10**9).per_million.values()) == {0}
    assert free.rates(0).per_unit == {"requests": 0}


def test_a_multiplier_scales_each_rate_once_and_is_kept_beside_the_row() -> None:
    row = {"input": "2.50", "output": "0.000000003", "per_request": "0.1"}
    read = price(row | {"tiers": [{"above_input_tokens": 9, "input": "5"}]})
    dear = scaled(read, 1_200_000)
    assert (dear.id, dear.multiplier_ppm) == (read.id, 1_200_000)
    assert dear.rates(0).per_million["input"] == 3_000_000_000
    assert dear.rates(0).per_million["output"] == 4  # 3.6
    assert dear.rates(0).per_unit == {"requests": 120_000_000}
    assert dear.rates(10).per_million["input"] == 6_000_000_000
    assert dear.tiers[1].above_input_tokens == 9
    assert scaled(read, MILLION) is read
    with pytest.raises(ValueError, match="once"):
        scaled(dear, 2 * MILLION)


def test_multipliers_as_people_write_them() -> None:
    assert [read_multiplier(text) for text in ("1.2", "1", "0.000001", "0", "20")] == [
        *(1_200_000, MILLION, 1, 0, 20 * MILLION)
    ]
    bad: tuple[Any, ...] = ("-1", "1.0000001", "NaN", "1e3", "")
    for text in bad:
        with pytest.raises(BadPrice, match="multiplier"):
            read_multiplier(text)


@given(st.integers(0, 10**24), st.integers(1, 10**9))
def test_division_is_to_the_nearest_and_a_tie_to_the_even(numerator: int, denominator: int) -> None:
    quotient = divide_half_even(numerator, denominator)
    off = abs(2 * (quotient * denominator - numerator))
    assert off <= denominator
    assert off < denominator or quotient % 2 == 0


def test_ties() -> None:
    assert [divide_half_even(half, 2) for half in (1, 3, 5, 7)] == [0, 2, 2, 4]


@given(rows())
def test_reading_never_makes_a_bucket_of_less_than_its_words(row: dict[str, object]) -> None:
    read = price(row)
    assert all(set(tier.per_million) == set(TOKEN_BUCKETS) for tier in read.tiers)
    assert all(rate >= 0 for tier in read.tiers for rate in (*tier.per_million.values(), *tier.per_unit.values()))
    assert [tier.above_input_tokens for tier in read.tiers] == sorted({tier.above_input_tokens for tier in read.tiers})
    assert all(set(tier.per_unit) >= set(read.tiers[0].per_unit) for tier in read.tiers)


@given(rows())
def test_what_a_row_does_not_name_costs_as_its_parent_and_never_nothing(row: dict[str, object]) -> None:
    """In every tier, whatever is named: a bucket is free only where its own price or its parent's is written so."""
    tiers = row.get("tiers", ())
    assert isinstance(tiers, list | tuple)
    for written, tier in zip((row, *tiers), price(row).tiers, strict=True):
        for bucket, rate in tier.per_million.items():
            while bucket not in written:
                bucket = PARENT[bucket]  # noqa: PLW2901 - walks up
            assert rate == parse_usd(str(written[bucket]))


@given(st.integers(1, 2**31 - 2), st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_tier_begins_exactly_beyond_its_size(size: int, below: int, above: int) -> None:
    row = {"input": format_usd(below), "tiers": [{"above_input_tokens": size, "input": format_usd(above)}]}
    read = price(row)
    assert [read.rates(at).per_million["input"] for at in (size - 1, size, size + 1)] == [below, below, above]


@given(rows(), st.integers(0, 20_000_000))
def test_a_multiplied_rate_is_off_by_half_a_unit_of_it_at_most(row: dict[str, object], multiplier_ppm: int) -> None:
    listed = price(row)
    for tier, times in zip(listed.tiers, scaled(listed, multiplier_ppm).tiers, strict=True):
        for bucket, rate in tier.per_million.items():
            assert abs(2 * (times.per_million[bucket] * MILLION - rate * multiplier_ppm)) <= MILLION


def test_a_misspelt_price_names_the_nearest_known_one() -> None:
    with pytest.raises(BadPrice, match="nearest known one is cache_read "):
        read_rates({"input": "1", "cached_read": "1"})


def test_a_number_is_refused_with_the_text_to_write_instead() -> None:
    with pytest.raises(BadPrice, match=r'as text, such as "2\.5"'):
        read_rates({"input": 2.5})


@given(st.integers(0, 10**9))
def test_a_multiplier_is_written_as_it_is_read(multiplier_ppm: int) -> None:
    assert read_multiplier(write_multiplier(multiplier_ppm)) == multiplier_ppm
