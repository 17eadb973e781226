"""The estimator keeps the bounds of error that docs/tokens.md states, and can be used on a text in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.measure_tokens import GROUPS, PAGE, errors, group_of, page, samples
from tollhouse.core.tokens import TokenCounter
from tollhouse.tokens.estimator import Estimator, family

ESTIMATOR: TokenCounter = Estimator()
FAMILIES = ("claude", "gemini", "qwen", "llama", "deepseek", "mistral", "other")
BOUNDS = {"english": 0.15, "chinese": 0.20, "code": 0.20, "other": 0.40}
TEXTS = st.text(max_size=200) | st.text("abc 世界カナ한글é🛃\ud800\n\x00", max_size=60)
MODELS = st.sampled_from(FAMILIES)


@pytest.mark.parametrize("group", GROUPS)
def test_every_counter_keeps_the_bounds_that_its_page_states(group: str) -> None:
    found = {
        (counter, name): error
        for counter, by_sample in errors().items()
        for name, error in by_sample.items()
        if group_of(name) == group
    }
    assert len(found) >= 8 * 3
    assert {key: error for key, error in found.items() if abs(error) > BOUNDS[group]} == {}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-1", "claude"),
        ("anthropic/claude-3-haiku", "claude"),
        ("gemini-2.5-pro", "gemini"),
        ("google/gemma-3-27b-it", "gemini"),
        ("Qwen/Qwen3-32B", "qwen"),
        ("qwq-plus", "qwen"),
        ("deepseek-chat", "deepseek"),
        ("deepseek-r1-distill-qwen-32b", "qwen"),
        ("deepseek-r1-distill-llama-70b", "llama"),
        ("meta-llama/Llama-4-Scout", "llama"),
        ("open-mixtral-8x22b", "mistral"),
        ("grok-4", "other"),
        ("", "other"),
    ],
)
def test_a_family_is_known_by_the_name_of_the_model(model: str, expected: str) -> None:
    assert family(model) == expected


@pytest.mark.parametrize("model", FAMILIES)
def test_every_character_counts_and_the_empty_text_does_not(model: str) -> None:
    assert ESTIMATOR.count("", model) == 0
    for character in map(chr, [*range(0x3100), 0x4E16, 0xAC00, 0xD800, 0xFFFF, 0x1F6C3, 0x20000, 0x10FFFF]):
        assert ESTIMATOR.count(character, model) >= 1, ascii(character)


def test_the_rule_as_its_figures_state_it() -> None:
    """3 words, 9 small letters, a capital, 2 digits, 2 blanks, a line's end, a mark. A word, 4 ideographs."""
    assert ESTIMATOR.count("Hello, world 42\n", "claude") == 6  # 5.72
    assert ESTIMATOR.count("税关税关", "deepseek") == 3  # 2.82


@given(TEXTS, TEXTS, MODELS)
def test_more_text_is_never_fewer_tokens(text: str, more: str, model: str) -> None:
    assert ESTIMATOR.count(text, model) <= ESTIMATOR.count(text + more, model)


@given(st.lists(TEXTS, max_size=8), MODELS)
def test_pieces_add_up_to_the_whole_and_at_most_a_token_and_a_half_for_each_cut(pieces: list[str], model: str) -> None:
    whole = ESTIMATOR.count("".join(pieces), model)
    parts = sum(ESTIMATOR.count(piece, model) for piece in pieces)
    assert whole <= parts <= whole + 1.5 * len(pieces)


def test_the_table_of_the_page_is_what_is_measured() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run scripts/measure_tokens.py"


def test_the_bounds_of_the_page_are_those_of_this_test() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert "English 15 %, Chinese 20 %, code 20 %, other languages 40 %" in text
    assert len(samples()) == 16
