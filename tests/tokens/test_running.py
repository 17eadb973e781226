"""A text that comes in pieces is counted as the whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.measure_tokens import samples
from tollhouse.core.tokens import RunningCount
from tollhouse.tokens import running
from tollhouse.tokens.tokenizer import Tokenizer

MODELS = ("gpt-4o", "gpt-4", "claude-sonnet-4-5")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("step", [1, 7, 150, 3000])
def test_texts_with_seams_are_counted_exactly(model: str, step: int, tokenizer: Tokenizer) -> None:
    text = "\n\n".join(samples().values())
    count: RunningCount = tokenizer.running(model)
    for start in range(0, len(text), step):
        count.add(text[start : start + step])
    folds = len(text) // (running.FOLD_CHARACTERS // 2)
    exact = model.startswith("gpt")
    assert abs(count.tokens() - tokenizer.count(text, model)) <= (0 if exact else folds)


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
def test_without_a_seam_a_fold_is_off_by_a_few_tokens_at_most(model: str, tokenizer: Tokenizer) -> None:
    @settings(max_examples=60)
    @given(st.text("aB1=税é\n", min_size=1, max_size=12), st.integers(3000, 9000), st.integers(1, 2500))
    def holds(unit: str, length: int, step: int) -> None:
        text = (unit * length)[:length]
        folds, count = [], running.RunningCount(lambda part: folds.append(part) or tokenizer.count(part, model))  # type: ignore[func-returns-value]
        for start in range(0, length, step):
            count.add(text[start : start + step])
        assert abs(count.tokens() - tokenizer.count(text, model)) <= 4 * len(folds)

    holds()


def test_it_can_be_asked_on_the_way_and_goes_on(tokenizer: Tokenizer) -> None:
    count = tokenizer.running("gpt-4o")
    assert count.tokens() == 0
    count.add("unbeliev")
    between = count.tokens()
    count.add("able")
    assert between == tokenizer.count("unbeliev", "gpt-4o")
    assert count.tokens() == tokenizer.count("unbelievable", "gpt-4o")


def test_only_what_may_still_change_is_kept() -> None:
    given_to_count: list[str] = []

    def count(text: str) -> int:
        given_to_count.append(text)
        return 1

    running_count = running.RunningCount(count)
    for _ in range(100):
        running_count.add("some words of an answer " * 40)
    running_count.tokens()
    assert max(map(len, given_to_count)) < running.FOLD_CHARACTERS + 24 * 40
    assert sum(map(len, given_to_count)) == 100 * 24 * 40
