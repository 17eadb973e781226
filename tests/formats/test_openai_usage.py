"""Usage in every spelling becomes the same disjoint buckets; what cannot be true is not believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.usage import TOKENS_MAX, Usage
from tollhouse.formats.openai.usage import read, write_chat, write_response


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        ({"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}, Usage(input=60, output=12)),
        (
            {
                "prompt_tokens": 1200,
                "completion_tokens": 45,
                "total_tokens": 1245,
                "prompt_tokens_details": {"cached_tokens": 800},
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input=400, cache_read=800, output=25, reasoning=20),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 90,
                "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 30},
                "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 40},
            },
            Usage(input=60, cache_read=10, audio_in=30, output=30, reasoning=20, audio_out=40),
        ),
        (
            {
                "input_tokens": 50,
                "input_tokens_details": {"cached_tokens": 20},
                "output_tokens": 30,
                "output_tokens_details": {"reasoning_tokens": 10},
                "total_tokens": 80,
            },
            Usage(input=30, cache_read=20, output=20, reasoning=10),
        ),
        (
            {"input_tokens": 50, "input_tokens_details": {"image_tokens": 40, "text_tokens": 10}, "output_tokens": 9},
            Usage(input=10, image_in=40, output=9),
        ),
        ({"prompt_tokens": 8, "total_tokens": 8}, Usage(input=8)),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 3},
            Usage(input=3, cache_read=6, output=1),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": 4}, Usage(input=5, cache_read=4, output=1)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input=10, output=5, reasoning=20),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": None, "prompt_tokens_details": None},
            Usage(input=10),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, Usage()),
    ],
)
def test_every_spelling_is_understood(reported: object, usage: Usage) -> None:
    assert read(reported) == usage


@pytest.mark.parametrize(
    "reported",
    [
        None,
        {},
        [],
        "12",
        {"total_tokens": 5},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 1, "completion_tokens": -1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": "1", "completion_tokens": 1},
        {"prompt_tokens": 1, "completion_tokens": TOKENS_MAX + 1},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -2}},
        {"prompt_tokens": 5, "completion_tokens": 1, "cached_tokens": 0.5},
    ],
)
def test_what_cannot_be_true_is_not_believed(reported: object) -> None:
    assert read(reported) is None


FIGURES = st.integers(-2, 30) | st.none() | st.booleans() | st.floats() | st.text(max_size=2)
NAMES = st.sampled_from(
    ["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "input_tokens", "output_tokens"]
)
DETAILS = st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens", "audio_tokens"]), FIGURES)
PLACES = st.sampled_from(["prompt_tokens_details", "completion_tokens_details", "input_tokens_details"])


@given(st.dictionaries(NAMES, FIGURES), st.dictionaries(PLACES, DETAILS | FIGURES))
def test_buckets_never_go_below_zero(figures: dict[str, object], details: dict[str, object]) -> None:
    usage = read(figures | details)
    if usage is not None:
        assert min(usage.input, usage.cache_read, usage.output, usage.reasoning, usage.audio_in, usage.audio_out) >= 0


@given(*(st.integers(0, 10**6) for _ in range(6)))
def test_what_we_write_we_read(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    usage = Usage(input=a, cache_read=b, audio_in=c, output=d, reasoning=e, audio_out=f)
    assert read(write_chat(usage)) == usage
    plain = Usage(input=a, cache_read=b, output=d, reasoning=e)
    assert read(write_response(plain)) == plain
