"""The estimator follows its documented rule and can be used on a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.tokens import TokenCounter
from tollhouse.tokens.estimator import Estimator

ESTIMATOR: TokenCounter = Estimator()
TEXTS = st.text(max_size=200) | st.text("abc 世界カナ한글é🛃\ud800", max_size=60)


def _count(text: str) -> int:
    return ESTIMATOR.count(text, "any")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        ("税", 1),
        ("税关税", 2),
        ("税关税关税关", 4),
        ("세관세관세관", 4),
        ("カタカナ", 3),
        ("абвг", 2),
        ("🛃", 1),
        ("Zollhaus am Fluß – 税关 🛃", 9),
        ("\ud800", 1),
    ],
)
def test_the_rule_as_its_page_states_it(text: str, tokens: int) -> None:
    assert _count(text) == tokens


@given(TEXTS, TEXTS)
def test_more_text_is_never_fewer_tokens(text: str, more: str) -> None:
    assert _count(text) <= _count(text + more)


@given(st.lists(TEXTS, max_size=8))
def test_pieces_of_a_stream_add_up(pieces: list[str]) -> None:
    whole, parts = _count("".join(pieces)), sum(map(_count, pieces))
    assert whole <= parts <= whole + len(pieces)
