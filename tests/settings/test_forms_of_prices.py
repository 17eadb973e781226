"""Prices as people write them: read with the right value, or refused by their place and with what to write."""

import pytest

from tests.settings.test_platform_file import read_text
from tollhouse.billing.prices import unlikely
from tollhouse.core.amount import BadAmount, parse_usd
from tollhouse.services import price_file

ACCEPTED = {"2.50": 2_500_000_000, "2.5": 2_500_000_000, "12": 12 * 10**9, "0.002": 2_000_000, "0.000000001": 1}
REFUSED = {
    "": "this is empty",
    " ": "this is empty",
    "1,5": "a point marks decimals",
    "1.234,50": "a point marks decimals",
    "1,234.50": "nothing groups digits",
    "1_000": "nothing groups digits",
    "1'000": "nothing groups digits",
    "1\u2019000": "nothing groups digits",
    "1 000": "nothing groups digits",
    "1\u00a0000": "nothing groups digits",
    "1\u202f000": "nothing groups digits",
    "1e-6": "without an exponent",
    "2.5E-06": "without an exponent",
    "1e3": "without an exponent",
    "$2.50": "without a currency",
    "2.50$": "without a currency",
    "\u20ac1": "without a currency",
    "1 \u20ac": "without a currency",
    "\u00a52": "without a currency",
    "USD 2": "without a currency",
    "2 usd": "without a currency",
    "-1": "without a sign",
    "\u22121": "without a sign",
    "+1": "without a sign",
    "-0": "without a sign",
    "NaN": "this is no number",
    "inf": "this is no number",
    "-Infinity": "this is no number",
    "null": "this is no number",
    "None": "this is no number",
    "free": "this is no number",
    "n/a": "this is no number",
    "-": "this is no number",
    "not-a-price": "is not an amount",
    "about 2": "is not an amount",
    "1/2": "not as a fraction",
    "\u00bd": "not as a fraction",
    "5%": "not as a percentage",
    "2.50/M": "without a unit",
    "2.5/1M": "without a unit",
    "2.5 per million": "without a unit",
    "10c": "without a unit",
    "1.5k": "without a unit",
    "\uff12.\uff15": "in ASCII digits",
    "\u0661": "in ASCII digits",
    ".5": "with one before the point",
    "1.": "with one before the point",
    "1.5.0": "with one before the point",
    "0x10": "with one before the point",
    "1\u20132": "with one before the point",
    "01.5": "without a leading zero",
    "1.0000000001": "less than a nano-dollar",
    "1" * 40: "at most 9000000000",
    "2.50\u200b": "without what was copied along",
    "\ufeff2.50": "without what was copied along",
    "\u201c2.50\u201d": "without what was copied along",
}
NUMBERS = {
    "2.5": 'write the amount as text: "2.5"',
    "2": 'write the amount as text: "2"',
    "1_000": 'write the amount as text: "1000"',
    "1e-6": 'write the amount as text: "0.000001"',
    "2.5e-6": 'write the amount as text: "0.0000025"',
    "0x10": 'write the amount as text: "16"',
    "1e-12": "less than a nano-dollar is not counted",
    "nan": "this is no number",
    "inf": "this is no number",
    "-1": "without a sign",
    "true": "expected an amount of US dollars as text",
    "[2.5]": "expected an amount of US dollars as text",
    "2027-06-01": "expected an amount of US dollars as text",
}
NAMES = {
    "prompt": "input",
    "completion": "output",
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "input_price": "input",
    "output_tokens": "output",
    "input_per_million": "input",
    "cached_input": "cache_read",
    "cache_read_input_token_cost": "cache_read",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write_5m",
    "cache_creation_input_token_cost": "cache_write_5m",
    "internal_reasoning": "reasoning",
    "inputs": "input",
}


@pytest.mark.parametrize(("text", "nano"), ACCEPTED.items())
def test_an_amount_is_what_it_says(text: str, nano: int) -> None:
    assert parse_usd(text) == nano
    assert price_file.read(f"model\tinput\nx\t{text}\n".encode()).written == {"x": {"input": text}}
    assert read_text(f'[models.x]\noffers = []\nprice = {{ input = "{text}" }}\n').mistakes == ()


@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_another_notation_is_refused_by_its_place_and_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_usd(text)
    assert words in str(refused.value)
    (mistake,) = read_text(f'[models.x]\noffers = []\nprice = {{ input = "{text}" }}\n').mistakes
    assert (mistake.where, mistake.line, words in mistake.message) == ("models.x.price.input", 3, True)
    messages = price_file.read(f"model\toutput\tinput\nx\t1\t{text}\n".encode()).messages()
    said = messages[0] if messages else f"line 2: {words}"
    assert said.startswith("line 2: ")
    assert text.strip(" \ufeff") == "" or words in said


@pytest.mark.parametrize(("text", "words"), NUMBERS.items())
def test_a_number_of_toml_is_told_as_the_text_that_it_would_be(text: str, words: str) -> None:
    (mistake,) = read_text(f"[models.x]\noffers = []\nprice = {{ input = {text} }}\n").mistakes
    assert (mistake.line, words in mistake.message) == (3, True), mistake


@pytest.mark.parametrize(("name", "meant"), NAMES.items())
def test_what_an_amount_is_called_elsewhere(name: str, meant: str) -> None:
    (mistake,) = read_text(f'[models.x]\noffers = []\nprice = {{ input = "1", {name} = "2" }}\n').mistakes
    assert f"the nearest known one is {meant}" in mistake.message
    assert ("per million tokens, not per token" in mistake.message) == ("token" in name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *(("0.0000025", 'write "2.5"'), ("0.00000015", 'write "0.15"'), ("0.0002", 'write "200"')),
        *(("15000", "so much for a million tokens"), ("2500000", "so much for a million tokens")),
        *(("0.001", None), ("0.02", None), ("2.50", None), ("600", None), ("10000", None), ("0", None)),
    ],
)
def test_a_price_of_another_unit_is_warned_of(text: str, words: str | None) -> None:
    told = list(unlikely({"output": text, "per_image": "0.00001"}))
    assert told == [] if words is None else words in told[0]
    reading = read_text(f'[models.x]\noffers = []\nprice = {{ input = "1", output = "{text}" }}\n')
    assert reading.mistakes == ()
    assert len(reading.warnings) == len(told)
