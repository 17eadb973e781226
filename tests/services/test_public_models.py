"""The catalogue of public models is its reviewed table, and every row of it can be sold by."""

import datetime
from itertools import pairwise

import pytest

from scripts.write_public_models import render
from tollhouse.billing.prices import PRICE_KEYS
from tollhouse.core.amount import parse_usd
from tollhouse.services.public_models import FILE, PublicModel, find, read

MODELS = read()
ROWS = pytest.mark.parametrize("row", MODELS.values(), ids=MODELS.keys())
MAKERS = {"OpenAI", "Anthropic", "Google", "DeepSeek", "Qwen", "Mistral", "xAI", "Groq", "Cohere", "Voyage"}
KINDS = {"chat", "completion", "embedding", "rerank", "moderation", "image", "speech", "transcription", "realtime"}


def test_what_ships_is_what_the_table_says() -> None:
    assert FILE.read_bytes() == render(), "run scripts/write_public_models.py"


def test_the_well_known_makers_and_every_kind_are_there() -> None:
    assert len(MODELS) >= 120
    assert {row.maker for row in MODELS.values()} >= MAKERS
    assert {row.kind for row in MODELS.values()} == KINDS


def test_a_name_means_one_model() -> None:
    names = [name for row in MODELS.values() for name in (row.id, *row.aliases)]
    assert len(names) == len(set(names))


@ROWS
def test_every_price_is_an_exact_amount_of_something_we_can_charge(row: PublicModel) -> None:
    assert row.free != bool(row.price)
    for price in (row.price, *(tier.price for tier in row.tiers)):
        for key, amount in price.items():
            assert key in PRICE_KEYS
            assert parse_usd(amount) > 0
    if any(key not in ("per_request", "per_image", "per_second", "per_character") for key in row.price):
        assert "input" in row.price
    if row.kind in ("chat", "completion", "realtime"):
        assert {"input", "output"} <= set(row.price)


@ROWS
def test_cached_input_is_cheaper_than_input_and_writing_it_dearer(row: PublicModel) -> None:
    for price in (row.price, *(row.price | tier.price for tier in row.tiers)):
        if "input" in price:
            whole = parse_usd(price["input"])
            assert parse_usd(price.get("cache_read", price["input"])) <= whole
            assert parse_usd(price.get("cache_write_5m", price["input"])) >= whole
            assert parse_usd(price.get("cache_write_1h", "9000")) >= parse_usd(price.get("cache_write_5m", "0"))


@ROWS
def test_tiers_rise_within_the_context_and_cost_more(row: PublicModel) -> None:
    for tier in row.tiers:
        assert 0 < tier.above_input_tokens < (row.context_tokens or 0)
        assert set(tier.price) <= set(row.price)
        assert all(parse_usd(amount) > parse_usd(row.price[key]) for key, amount in tier.price.items())
    for lower, higher in pairwise(row.tiers):
        assert lower.above_input_tokens < higher.above_input_tokens
        assert set(lower.price) == set(higher.price)


@ROWS
def test_sizes_days_and_successors_make_sense(row: PublicModel) -> None:
    assert row.context_tokens is None or 0 < row.context_tokens <= 10_000_000
    assert row.max_output_tokens is None or row.max_output_tokens > 0
    if row.kind == "chat":
        assert row.context_tokens is not None
        assert (row.max_output_tokens or 0) <= row.context_tokens
    assert row.page.startswith("https://")
    assert datetime.date.fromisoformat(row.checked).year >= 2025
    if row.retires_at is not None:
        assert datetime.date.fromisoformat(row.retires_at).year >= 2025
    if row.successor is not None:
        assert row.successor != row.id
        assert MODELS[row.successor].kind == row.kind
        assert MODELS[row.successor].retires_at is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-11-20", "gpt-4o"),
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("anthropic/claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("openai/gpt-oss-20b", "openai/gpt-oss-20b"),
        ("GPT-4o", None),
        ("no-such-model", None),
        ("", None),
    ],
)
def test_a_model_is_found_by_its_names(name: str, expected: str | None) -> None:
    row = find(MODELS, name)
    assert (row and row.id) == expected


def test_some_rows_as_a_buyer_knows_them() -> None:
    assert MODELS["gpt-4o"].price == {"input": "2.50", "cache_read": "1.25", "output": "10.00"}
    assert MODELS["gpt-4o"].context_tokens == 128_000
    assert MODELS["gemini-2.5-pro"].tiers[0].above_input_tokens == 200_000
    assert MODELS["claude-opus-4-1"].price["cache_write_1h"] == "30.00"
    assert MODELS["whisper-1"].price == {"per_second": "0.0001"}
