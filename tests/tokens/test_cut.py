"""Parts cut at seams have as many tokens as the whole, and no part is longer than asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.measure_tokens import samples
from tollhouse.tokens.cut import last_seam, pieces
from tollhouse.tokens.tokenizer import Tokenizer

NASTY = "aB'st1 \t\n\r/.,、。！ \u00a0\u3000é\u0301税カ한ا🛃_-+\u200d\u001f\u0085"
TEXTS = st.text(max_size=120) | st.text(NASTY, max_size=120)


@given(TEXTS, st.integers(1, 40))
def test_parts_are_the_text_and_none_is_too_long(text: str, characters_max: int) -> None:
    parts = list(pieces(text, characters_max))
    assert "".join(parts) == text
    assert all(len(part) <= characters_max for part in parts)


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
def test_a_seam_changes_no_token(model: str, tokenizer: Tokenizer) -> None:
    @given(TEXTS, TEXTS)
    def holds(text: str, more: str) -> None:
        whole = text + more
        seam = last_seam(whole[: len(text) + 1])
        assert tokenizer.count(whole, model) == tokenizer.count(whole[:seam], model) + tokenizer.count(
            whole[seam:], model
        )

    holds()


@pytest.mark.parametrize(
    ("text", "seam"),
    [
        ("", 0),
        ("word", 0),
        ("two words", 3),
        ("a b c", 3),
        ("trailing ", 8),
        ("  leading", 0),
        ("税关，", 2),
        ("税关。”", 2),
        ("line\n", 4),
        ("line.\n", 0),
        ("x = y", 3),
    ],
)
def test_where_seams_are(text: str, seam: int) -> None:
    assert last_seam(text) == seam


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
def test_real_texts_have_seams_enough_to_be_cut_without_a_change(model: str, tokenizer: Tokenizer) -> None:
    for text in samples().values():
        assert sum(tokenizer.count(part, model) for part in pieces(text, 1024)) == tokenizer.count(text, model)
