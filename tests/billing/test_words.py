"""What people read who wrote a price, a multiplier or a budget that cannot be: the field to blame and the cure."""

from typing import Any

import pytest

from tests.billing.test_budgets import budget
from tollhouse.billing.budgets import BadBudget
from tollhouse.billing.prices import PRICE_KEYS, BadPrice, read_multiplier, read_price
from tollhouse.billing.windows import BadZone, time_zone

AMOUNT = "is not an amount: write US dollars as digits with at most 9 decimals, such as 12 or 0.50"
KNOWN = f"(known: {', '.join(PRICE_KEYS)})"


def tier(**more: Any) -> dict[str, Any]:
    return {"input": "1", "tiers": [{"above_input_tokens": 10, **more}]}


@pytest.mark.parametrize(
    ("written", "field", "words"),
    [
        ({}, "", 'a price names at least one amount, such as input = "2.50"'),
        ({"imput": "1"}, "imput", f"no such price; the nearest known one is input {KNOWN}"),
        ({"input" + "x" * 90: "1"}, "input" + "x" * 35, None),
        (
            {"prompt_tokens": "1"},
            "prompt_tokens",
            "no such price; the nearest known one is input (prices here are USD per million tokens, not per token)"
            f" {KNOWN}",
        ),
        ({"output": "1"}, "input", "a price by tokens names it: whatever is not named takes its price from there"),
        ({"input": "1,5"}, "input", f"'1,5' {AMOUNT} (a point marks decimals, and nothing groups digits)"),
        ({"input": 3}, "input", 'write the amount as text, such as "3", so that not a digit of it is lost'),
        ({"input": 0.25}, "input", 'write the amount as text, such as "0.25", so that not a digit of it is lost'),
        ({"input": True}, "input", 'write the amount as text, such as "2.50", so that not a digit of it is lost'),
        ({"input": ["1"]}, "input", 'write the amount as text, such as "2.50", so that not a digit of it is lost'),
        (
            {"input": 10**50},
            "input",
            f'write the amount as text, such as "1{"0" * 39}", so that not a digit of it is lost',
        ),
        ({"input": "1", "tiers": "2"}, "tiers", "write a list of tables, each with above_input_tokens and prices"),
        ({"input": "1", "tiers": ["2"]}, "tiers[0]", "write a table with above_input_tokens and prices"),
        (tier(), "tiers[0]", 'a price names at least one amount, such as input = "2.50"'),
        (tier(input="1x"), "tiers[0].input", f"'1x' {AMOUNT} (in ASCII digits, with one before the point)"),
        (tier(output="1"), "tiers[0].input", None),
        (tier(per_image="1"), "tiers[0].input", "a tier names it where the first one does, and only there"),
        (
            {
                "input": "1",
                "tiers": [{"above_input_tokens": 10, "input": "1"}, {"above_input_tokens": 9, "input": "1"}],
            },
            "tiers[1].above_input_tokens",
            "write a whole number of tokens, more than 10",
        ),
    ],
)
def test_a_price_that_cannot_be(written: dict[str, Any], field: str, words: str | None) -> None:
    with pytest.raises(BadPrice) as refused:
        read_price(written, id="price_1", model="house-1")
    assert refused.value.field == field
    told = str(refused.value).removeprefix(f"{field}: " if field else "")
    assert told == (told if words is None else words)
    assert field or not str(refused.value).startswith(":")


def test_a_field_that_is_very_long_is_told_by_its_start() -> None:
    with pytest.raises(BadPrice) as refused:
        read_price({"input" + "x" * 90: "1"}, id="price_1", model="house-1")
    assert "x" * 36 not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2", "multiplier: '1,2' is none: write digits with at most 6 decimals, such as 1.2"),
        ("x" * 90, f"multiplier: '{'x' * 40}' is none: write digits with at most 6 decimals, such as 1.2"),
        ("1.0000001", "multiplier: '1.0000001' has more than 6 decimals"),
    ],
)
def test_a_multiplier_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(BadPrice) as refused:
        read_multiplier(text)
    assert (refused.value.field, str(refused.value)) == ("multiplier", words)


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"amount": -1}, "amount", "a budget cannot be less than 0, which lets nothing in"),
        ({"model": ""}, "model", "name a model, or leave it out for all models"),
        ({"model": "**"}, "model", "name a model, or leave it out for all models"),
        ({"soft": (80, 50)}, "soft", "thresholds ascend, each once"),
        ({"soft": (50, 50)}, "soft", "thresholds ascend, each once"),
    ],
)
def test_a_budget_that_cannot_be(wrong: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(BadBudget) as refused:
        budget(**wrong)
    assert (refused.value.field, str(refused.value)) == (field, words)


def test_a_model_whose_name_is_an_x_may_have_a_budget() -> None:
    assert budget(model="X").model == "X"


def test_a_zone_that_is_none() -> None:
    with pytest.raises(BadZone) as refused:
        time_zone("x" * 90)
    assert str(refused.value) == f"'{'x' * 60}' is no time zone: write one as UTC, Asia/Shanghai or Europe/Berlin"
