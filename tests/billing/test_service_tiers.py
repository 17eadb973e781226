"""Prices of the tiers of service that a provider offers, and what of a price looks like a mistake."""

from typing import Any

import pytest

from tests.billing.prices_in_use import price
from tollhouse.billing.price_list import service_tier
from tollhouse.billing.prices import BadPrice, costs_nothing, gratis, read_multiplier, scaled, unlikely
from tollhouse.billing.quote import quote
from tollhouse.core.charge import Charge

PLAIN = {"input": "2.50", "output": "10", "per_image": "0.04"}


def test_a_tier_is_a_price_of_its_own_and_keeps_the_units_that_it_does_not_name() -> None:
    tiers = {"priority": {"input": "4.25", "output": "17"}, "flex": {"input": "1", "output": "5", "per_image": "0.02"}}
    read = price({**PLAIN, "service_tiers": tiers})
    assert read.service_tiers["priority"].id == f"{read.id}:priority"
    doubled: Any = quote(scaled(read, read_multiplier("2")))
    assert doubled["service_tiers"] == {
        "priority": {"input": "8.5", "output": "34", "per_image": "0.08"},
        "flex": {"input": "2", "output": "10", "per_image": "0.04"},
    }


@pytest.mark.parametrize(
    ("tiers", "field"),
    [
        ("priority", "service_tiers"),
        ({"Priority": {"input": "1"}}, "service_tiers.Priority"),
        ({1: {"input": "1"}}, "service_tiers.1"),
        ({"flex": "0.5"}, "service_tiers.flex"),
        ({"flex": {"service_tiers": {}}}, "service_tiers.flex"),
        ({"flex": {"input": "one"}}, "service_tiers.flex.input"),
        ({"flex": {"per_image": "1"}}, "service_tiers.flex.input"),
    ],
)
def test_a_tier_that_is_no_price_is_refused_where_it_stands(tiers: object, field: str) -> None:
    with pytest.raises(BadPrice) as refused:
        price({**PLAIN, "service_tiers": tiers})
    assert refused.value.field == field


def test_the_tier_of_a_charge_is_read_from_its_price() -> None:
    def charged(price_id: str | None) -> Charge:
        return Charge(amount=1, price_id=price_id)

    found = [service_tier(one) for one in (None, charged(None), charged("p_1"), charged("p_1:flex"))]
    assert found == ["", "", "", "flex"]


@pytest.mark.parametrize(
    ("written", "is_free"),
    [
        ({"input": "0", "output": "0.00"}, True),
        ({"input": "0", "output": "0.01"}, False),
        ({"input": "0", "tiers": [{"above_input_tokens": 9, "input": "0"}]}, True),
        ({"input": "0", "tiers": [{"above_input_tokens": 9, "input": "1"}]}, False),
        ({"input": "0", "service_tiers": {"flex": {"input": "1"}}}, False),
        ({"input": 0}, False),
    ],
)
def test_a_price_of_nothing_is_seen(written: dict[str, object], is_free: bool) -> None:
    assert costs_nothing(written) == is_free


def test_prices_by_the_token_are_seen_among_prices_by_the_million() -> None:
    said = list(
        unlikely({"input": "0.0000025", "output": "250000", "cache_read": "1.25", "per_image": "0.0001", "audio_in": 1})
    )
    assert len(said) == 2
    assert 'input = "0.0000025"' in said[0]
    assert 'write "2.5"' in said[0]
    assert 'output = "250000"' in said[1]
    assert list(unlikely({"input": "0", "output": "10000"})) == []
    assert gratis("house-1").service_tiers == {}
