"""What a call can cost at most: bounds of input and output, the cap that is added, and that no use passes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.prices_in_use import HOUSE, price, prices
from tollhouse.billing.bounds import (
    CAP_FLOOR,
    LARGEST_CONTEXT,
    LARGEST_OUTPUT,
    Bounds,
    InputSize,
    OutputSize,
    affords,
    bound,
    input_bound,
    longest_answer,
)
from tollhouse.billing.charges import total, worst
from tollhouse.billing.prices import Price
from tollhouse.core.usage import Usage

ONE = Usage(requests=1)
ROW = price(HOUSE)  # 2,500 and 10,000 nano-USD a token
PER_OUT = 10_000


def bounds(
    asked: InputSize,
    output: OutputSize,
    left: int | None = None,
    model_max: int | None = 16_384,
    context: int | None = 128_000,
) -> Bounds:
    return bound(ROW, asked, output, ONE, context_tokens=context, max_output_tokens=model_max, left=left)


@pytest.mark.parametrize(
    ("asked", "context", "tokens"),
    [
        (InputSize(700), 128_000, 700),
        (InputSize(700, media=1_500), 128_000, 2_200),
        (InputSize(700_000), 128_000, 128_000),
        (InputSize(100, media=700_000), 128_000, 128_000),
        (InputSize(700_000, media=10, counted=90_000), 128_000, 90_010),
        (InputSize(700_000, counted=0), 128_000, 0),
        (InputSize(700, has_remote_input=True), 128_000, 128_000),
        (InputSize(700_000), None, 700_000),
        (InputSize(700, has_remote_input=True), None, 2 * 1024 * 1024),
        (InputSize(3 * LARGEST_CONTEXT, has_remote_input=True), None, 3 * LARGEST_CONTEXT),
    ],
)
def test_the_input_bound(asked: InputSize, context: int | None, tokens: int) -> None:
    assert input_bound(asked, context) == tokens


def test_a_named_cap_is_never_lowered_and_counts_for_each_answer() -> None:
    assert bounds(InputSize(100), OutputSize(cap=50, answers=3), left=0) == Bounds(
        100, 150, 100 * 2_500 + 150 * PER_OUT
    )
    assert bounds(InputSize(100), OutputSize(cap=10**6), left=0).tokens_out == 10**6
    assert bounds(InputSize(100), OutputSize(cap=50, thinking=10**6)).tokens_out == 50


def test_what_no_cap_bounds_is_held_for_each_answer() -> None:
    assert bounds(InputSize(100), OutputSize(cap=50, answers=3, uncapped=7)).tokens_out == 3 * 57
    assert bounds(InputSize(100), OutputSize(uncapped=7), left=0) == Bounds(
        100, 1_031, 250_000 + 1_031 * PER_OUT, CAP_FLOOR
    )


def test_thoughts_beside_the_cap_are_held_as_long_as_the_longest_answer() -> None:
    assert bounds(InputSize(100), OutputSize(cap=50, thinks_beside=True)).tokens_out == 50 + 16_384
    assert bounds(InputSize(100), OutputSize(cap=50, answers=2, thinks_beside=True)).tokens_out == 2 * (50 + 16_384)
    assert bounds(InputSize(100), OutputSize(thinks_beside=True), left=0).tokens_out == CAP_FLOOR + 16_384


def test_a_call_without_a_cap_gets_a_tenth_of_what_the_tightest_remainder_affords() -> None:
    left = 100 * 2_500 + 50_000 * PER_OUT
    assert bounds(InputSize(100), OutputSize(), left=left) == Bounds(100, 5_000, 250_000 + 5_000 * PER_OUT, 5_000)
    assert bounds(InputSize(100), OutputSize(), left=left - 1).added_cap == 4_999  # what is left buys one token less
    assert bounds(InputSize(100), OutputSize(answers=2), left=left) == Bounds(
        100, 5_000, 250_000 + 5_000 * PER_OUT, 2_500
    )


@pytest.mark.parametrize("left", [0, 1, 100 * 2_500 - 1, 100 * 2_500 + 10 * CAP_FLOOR * PER_OUT])
def test_a_call_without_a_cap_gets_at_least_the_floor_even_if_it_will_not_fit(left: int) -> None:
    assert bounds(InputSize(100), OutputSize(), left=left).added_cap == CAP_FLOOR == 1_024


def test_the_added_cap_stands_above_a_thinking_budget() -> None:
    assert bounds(InputSize(100), OutputSize(thinking=8_000), left=0).added_cap == 9_024
    assert bounds(InputSize(100), OutputSize(thinking=16_000), left=0) == Bounds(
        100, 16_384, 250_000 + 16_384 * PER_OUT
    )


def test_what_would_be_the_models_own_maximum_is_not_sent() -> None:
    rich = 100 * 2_500 + 10 * 16_384 * PER_OUT
    assert bounds(InputSize(100), OutputSize(), left=rich) == Bounds(100, 16_384, 250_000 + 16_384 * PER_OUT, None)
    assert bounds(InputSize(100), OutputSize(), left=rich - 1).added_cap == 16_383
    assert bounds(InputSize(100), OutputSize(), left=None) == Bounds(100, 16_384, 250_000 + 16_384 * PER_OUT, None)
    assert bounds(InputSize(100), OutputSize(), left=0, model_max=512) == Bounds(
        100, 512, 250_000 + 512 * PER_OUT, None
    )


def test_an_operation_that_generates_nothing_holds_no_output_and_is_sent_no_cap() -> None:
    assert bounds(InputSize(100), OutputSize(answers=0), left=0) == Bounds(100, 0, 250_000)


@pytest.mark.parametrize(
    ("model_max", "context", "longest"),
    [(4_096, 128_000, 4_096), (None, 8_192, 8_192), (None, 10**6, LARGEST_OUTPUT), (None, None, 128 * 1024)],
)
def test_the_longest_answer(model_max: int | None, context: int | None, longest: int) -> None:
    assert longest_answer(model_max, context) == longest


def test_what_costs_nothing_is_afforded_without_end() -> None:
    free = price({"input": "1", "output": "0"})
    assert affords(free, 100, ONE, 0) is None
    held = bound(free, InputSize(100), OutputSize(), ONE, context_tokens=None, max_output_tokens=500, left=0)
    assert held == Bounds(100, 500, 100_000)
    by_request = price({"per_request": "0.01"})
    assert affords(by_request, 100, ONE, 0) is None


def test_the_remainder_is_spent_at_the_dearest_tier_within_reach() -> None:
    tiered = price({"input": "0", "output": "1", "tiers": [{"above_input_tokens": 50, "input": "0", "output": "4"}]})
    assert affords(tiered, 50, ONE, 8_000) == 8
    assert affords(price({"input": "1", "output": "0.000001"}), 100, ONE, 99_999) == 0  # the input is not paid yet
    assert affords(tiered, 51, ONE, 8_000) == 2


@given(
    prices,
    st.integers(0, 3_000),
    st.one_of(st.none(), st.integers(1, 500)),
    st.integers(1, 4),
    st.one_of(st.none(), st.integers(0, 10**9)),
    st.data(),
)
def test_no_call_that_keeps_its_caps_costs_more_than_was_held(
    row: Price, size: int, cap: int | None, answers: int, left: int | None, data: st.DataObject
) -> None:
    held = bound(
        row, InputSize(size), OutputSize(cap, answers), ONE, context_tokens=2_500, max_output_tokens=2_048, left=left
    )
    given_cap = cap if cap is not None else held.added_cap if held.added_cap is not None else 2_048
    out = sum(data.draw(st.integers(0, given_cap)) for _ in range(answers))
    reasoning = data.draw(st.integers(0, out))
    tokens_in = data.draw(st.integers(0, min(size, 2_500)))
    cached = data.draw(st.integers(0, tokens_in))
    used = Usage(input=tokens_in - cached, cache_read=cached, output=out - reasoning, reasoning=reasoning, requests=1)
    assert total(row, used) <= held.amount == worst(row, held.tokens_in, held.tokens_out, ONE)


def test_each_text_of_a_list_may_fill_the_context() -> None:
    """A hundred texts for a model that reads 8,191 tokens at a time: all of them are held, not the first."""
    assert input_bound(InputSize(500_000, texts=100), 8_191) == 500_000
    assert input_bound(InputSize(900_000, texts=100), 8_191) == 819_100
    assert input_bound(InputSize(500_000), 8_191) == 8_191


def test_a_bound_is_never_beyond_the_context() -> None:
    assert bounds(InputSize(700_000), OutputSize(1)).tokens_in == 128_000
    assert bounds(InputSize(700), OutputSize(), model_max=None, context=9_000).tokens_out == 9_000


def test_bounds_are_whole_numbers() -> None:
    made = bounds(InputSize(700), OutputSize(), left=10**12)
    affordable = affords(ROW, 700, ONE, 10**18 + 7)
    assert {type(made.amount), type(made.tokens_out), type(affordable), type(worst(ROW, 3, 3, ONE))} == {int}
    assert affordable == (10**18 + 7 - 700 * 2_500) // PER_OUT
