"""The quick way of reading an answer against the careful one."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from tollhouse.core.usage import TOKENS_MAX
from tollhouse.formats.openai import answer, plain, usage

FIGURES = st.one_of(st.integers(-2, 60), st.just(TOKENS_MAX + 1), st.none(), st.booleans(), st.just(1.5), st.just("3"))
DETAILS = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["cached_tokens", "audio_tokens", "reasoning_tokens", "accepted_prediction_tokens", "other"]),
        FIGURES,
        max_size=4,
    ),
)
REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": FIGURES,
        "completion_tokens": FIGURES,
        "total_tokens": FIGURES,
        "prompt_tokens_details": DETAILS,
        "completion_tokens_details": DETAILS,
        "prompt_cache_hit_tokens": FIGURES,
    },
)


@given(REPORTS)
def test_a_report_that_is_read_quickly_reads_the_same_carefully(report: dict[str, object]) -> None:
    quick = plain.read_usage(json.encode(report))
    if quick is not None:
        assert quick == usage.read(report)


def test_the_usual_report_is_read_quickly() -> None:
    report = {
        "prompt_tokens": 20,
        "completion_tokens": 9,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
    }
    assert plain.read_usage(json.encode(report)) == usage.read(report) is not None


def test_an_answer_is_read_the_same_with_and_without_a_member_that_forces_the_careful_way() -> None:
    body = {
        "object": "chat.completion",
        "choices": [{"message": {"content": "a"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    }
    quick = answer.read("chat", json.encode(body))
    assert plain.read_answer(json.encode({**body, "type": "chat"})) is None
    assert answer.read("chat", json.encode({**body, "type": "chat"})) == quick
    assert quick.incomplete
