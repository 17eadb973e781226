"""A price as people read it says, to the nano-dollar, what is held and charged (case C06)."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.prices_in_use import HOUSE, price, rows, usages
from tollhouse.billing.charges import total
from tollhouse.billing.prices import gratis, read_multiplier, read_price, scaled
from tollhouse.billing.quote import quote
from tollhouse.core.usage import Usage

multipliers = st.integers(0, 20_000_000)


def test_what_an_account_pays_as_listed_is_told_in_the_words_it_was_written_in() -> None:
    assert quote(price(HOUSE)) == HOUSE


def test_a_multiple_and_a_tier_are_told_as_they_are_charged() -> None:
    written = {"input": "2.50", "cache_read": "1.25", "output": "10.00", "per_request": "0.001"}
    tier = {"above_input_tokens": 1000, "input": "5.00", "output": "15.00", "per_request": "0.001"}
    sold = scaled(price({**written, "tiers": [tier]}), read_multiplier("1.2"))
    assert quote(sold) == {
        "input": "3",
        "cache_read": "1.5",
        "output": "12",
        "per_request": "0.0012",
        "tiers": [{"above_input_tokens": 1000, "input": "6", "output": "18"}],
    }
    assert total(sold, Usage(input=1000, output=1, requests=1)) == 3_000_000 + 12_000 + 1_200_000
    assert total(sold, Usage(input=1001, output=1, requests=1)) == 6_006_000 + 18_000 + 1_200_000


def test_what_is_priced_by_the_unit_alone_names_no_tokens() -> None:
    assert quote(scaled(price({"per_image": "0.04"}), read_multiplier("0.5"))) == {"per_image": "0.02"}


def test_what_is_free_says_so() -> None:
    assert quote(gratis("house-1")) == {"input": "0", "per_request": "0"}


@given(rows(), multipliers, usages)
def test_whoever_reckons_with_what_he_is_shown_gets_what_he_is_charged(
    row: dict[str, object], multiplier_ppm: int, usage: Usage
) -> None:
    sold = scaled(price(row), multiplier_ppm)
    shown = msgspec.json.decode(msgspec.json.encode(quote(sold)))
    again = read_price(shown, id="price_1", model="house-1")
    assert again.tiers == sold.tiers
    assert total(again, usage) == total(sold, usage)
