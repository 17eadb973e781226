"""What an unknown key is likely to be, said without repeating it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.oddities import odd_form, why_unknown
from tollhouse.access.secrets import mint

KEY = mint("test", bytes(range(32)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KEY, "unknown here"),
        (KEY[:-1], "was cut"),
        (KEY[:30], "was cut"),
        (KEY + "A", "something added"),
        (KEY[:-1] + ("a" if KEY[-1] != "a" else "b"), "checksum is wrong"),
        (KEY[:20] + "_" + KEY[21:], "checksum is wrong"),
        ("sk-th-liv-abcdef", "mistyped"),
        ("sk-ant-api03-abcdef", "Anthropic"),
        ("sk-or-v1-abcdef", "OpenRouter"),
        ("sk-proj-abcdef", "OpenAI"),
        ("AIzaSyAbcdef", "Google"),
        ("gsk_abcdef", "Groq"),
        ("xai-abcdef", "xAI"),
        ("ghp_abcdef", "GitHub"),
        ("eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", "JSON web token"),
        ("$OPENAI_API_KEY", "placeholder"),
        ("${OPENAI_API_KEY}", "placeholder"),
        ("%OPENAI_API_KEY%", "placeholder"),
        ("{{api_key}}", "placeholder"),
        ("<your-key>", "placeholder"),
        ("YOUR_KEY", "placeholder"),
        ("your-api-key-here", "placeholder"),
        ("OPENAI_API_KEY", "placeholder"),
        ("sk-your-key", "placeholder"),
        ("sk-...", "placeholder"),
        ("sk-th-live-...", "placeholder"),
        ("sk-th-live-xxxxxxxxxxxx", "placeholder"),
        ("sk-xxxxxxxxxxxxxxxx", "placeholder"),
        ("****", "placeholder"),
        ("None", "placeholder"),
        ("undefined", "placeholder"),
        ("null", "placeholder"),
        ("sk-abcdefghijklmnop", "not a key of this platform"),
        ("correcthorsebatterystaple", "not a key of this platform"),
    ],
)
def test_the_reason_names_the_kind(text: str, said: str) -> None:
    assert odd_form(text) is None
    assert said in why_unknown(text)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=9))
def test_no_reason_repeats_the_text(text: str) -> None:
    if odd_form(text) is None:
        reason = why_unknown(text)
        assert text not in reason


@given(st.text(min_size=1))
def test_what_is_not_odd_is_printable_ascii_without_blanks(text: str) -> None:
    if odd_form(text) is None:
        assert all("!" <= character <= "~" for character in text)


@pytest.mark.parametrize("text", ["a" * 30_000, "api" * 10_000, "sk-" * 10_000, "x." * 10_000, "your_" * 5_000])
def test_endless_texts_are_judged_too(text: str) -> None:
    assert why_unknown(text)
