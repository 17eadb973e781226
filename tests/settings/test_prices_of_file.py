"""Prices and costs in platform.toml: every form of them, and every mistake with its field, none of which is let in."""

import pytest

from tests.settings.test_platform_file import read_text
from tollhouse.billing.prices import read_price
from tollhouse.core.failure import ModelNotPriced

TIERED = """
[providers.up]
kind = "simulator"
[providers.up.cost.m-up]
input = "1.00"
output = "4.00"
tiers = [{ above_input_tokens = 200000, input = "2.00", output = "6.00" }]
[models.x]
offers = [{ provider = "up", model = "m-up" }]
price = { input = "2.50", output = "10.00", tiers = [
  { above_input_tokens = 200000, input = "5.00", cache_read = "2.50", output = "15.00" },
  { above_input_tokens = 500000, input = "7.50", output = "20.00" },
] }
[models.draw]
offers = []
price = { per_request = "0.01", per_image = "0.04", per_second = "0.001", per_character = "0.000015" }
[models.open]
offers = []
free = true
"""


def test_tiers_units_costs_and_free() -> None:
    reading = read_text(TIERED)
    assert not reading.mistakes
    models = reading.catalogue.models
    price = read_price(models["x"].price, id="price_1", model="x")
    assert [(tier.above_input_tokens, tier.per_million["cache_read"] // 10**7) for tier in price.tiers] == [
        *((0, 250), (200_000, 250), (500_000, 750))
    ]
    draw = read_price(models["draw"].price, id="price_1", model="draw")
    assert draw.tiers[0].per_unit == {"requests": 10**7, "images": 4 * 10**7, "seconds": 10**6, "characters": 15_000}
    assert (models["open"].free, models["open"].price) == (True, {})
    cost = read_price(reading.catalogue.providers["up"].cost["m-up"], id="", model="")
    assert [cost.rates(size).per_million["input"] // 10**9 for size in (200_000, 200_001)] == [1, 2]


@pytest.mark.parametrize(
    ("price", "where", "words"),
    [
        ("{ input = 2.5 }", "price.input", 'as text: "2.5"'),
        ("{ input = 2 }", "price.input", 'as text: "2"'),
        ("{ input = true }", "price.input", "as text"),
        ('{ input = "1", cached_read = "1" }', "price.cached_read", "nearest known one is cache_read"),
        ('{ input = "1", tier = [] }', "price.tier", "nearest known one is tiers"),
        ('{ output = "1" }', "price", "input has no price"),
        ('{ input = "1", tiers = "x" }', "price.tiers", "expected a list"),
        ('{ input = "1", tiers = ["x"] }', "price.tiers", "each entry is a table"),
        ('{ input = "1", tiers = [{ input = "2" }] }', "price.tiers.above_input_tokens", "a whole number"),
        (
            '{ input = "1", tiers = [{ above_input_tokens = "9", input = "2" }] }',
            "price.tiers.above_input_tokens",
            "a whole number",
        ),
        ('{ input = "1", tiers = [{ above_input_tokens = 9, inptu = "2" }] }', "price.tiers.inptu", "one is input"),
        ('{ input = "1", tiers = [{ above_input_tokens = 9, input = 2 }] }', "price.tiers.input", "as text"),
        ('{ input = "1", tiers = [{ above_input_tokens = 0, input = "2" }] }', "price", "more than 0"),
        ('{ input = "1", tiers = [{ above_input_tokens = 9, output = "2" }] }', "price", "tiers[0].input"),
    ],
)
def test_a_price_that_is_none_names_its_field_in_models_and_costs(price: str, where: str, words: str) -> None:
    (mistake,) = read_text(f"[models.x]\noffers = []\nprice = {price}\n").mistakes
    assert mistake.where == f"models.x.{where}"
    assert words in mistake.message
    cost = f'[providers.up]\nkind = "simulator"\n[providers.up.cost]\nm = {price}\n'
    (mistake,) = read_text(cost).mistakes
    assert mistake.where == f"providers.up.cost.m{where.removeprefix('price')}"


def test_free_and_a_price_is_odd_but_free() -> None:
    (warning,) = read_text('[models.x]\noffers = []\nfree = true\nprice = { input = "1" }\n').warnings
    assert "its calls are free" in warning.message


def test_a_model_without_a_price_is_warned_of_and_refused_not_given_away() -> None:
    warning = read_text("[models.x]\noffers = []\n").unpriced["x"]
    assert "no price: calls are refused" in warning.message
    assert (ModelNotPriced.status, ModelNotPriced.code) == (503, "model_not_priced")
