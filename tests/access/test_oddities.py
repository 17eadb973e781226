"""What an unknown key is likely to be, said without repeating it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.oddities import odd_form, vendor_of, why_unknown
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


@pytest.mark.parametrize(
    ("text", "vendor"), [("sk-ant-api03-x", "Anthropic"), ("gsk_x", "Groq"), ("th_live_x", ""), ("", "")]
)
def test_a_key_tells_whose_it_is(text: str, vendor: str) -> None:
    assert vendor_of(text) == vendor


AT = 20  # characters of the key that stand before


@pytest.mark.parametrize(
    ("letter", "named"),
    [
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u200d", "U+200D ZERO WIDTH JOINER"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\u00ad", "U+00AD SOFT HYPHEN"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE"),
        ("\u3000", "U+3000 IDEOGRAPHIC SPACE"),
        ("\u2011", "U+2011 NON-BREAKING HYPHEN"),
        ("\u2013", "U+2013 EN DASH"),
        ("\u2212", "U+2212 MINUS SIGN"),
        ("\u2026", "U+2026 HORIZONTAL ELLIPSIS"),
        ("\u2022", "U+2022 BULLET"),
        ("\uff53", "U+FF53 FULLWIDTH LATIN SMALL LETTER S"),
        ("\u0441", "U+0441 CYRILLIC SMALL LETTER ES"),
        ("\u0391", "U+0391 GREEK CAPITAL LETTER ALPHA"),
        ("\u0661", "U+0661 ARABIC-INDIC DIGIT ONE"),
        ("\U0001d5ba", "U+1D5BA MATHEMATICAL SANS-SERIF SMALL A"),
        ("\U0001f511", "U+1F511 KEY"),
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2028", "U+2028 LINE SEPARATOR"),
        ("\n", "U+000A"),
        ("\r", "U+000D"),
        ("\x00", "U+0000"),
        (" ", "U+0020 SPACE"),
        ("\t", "U+0009"),
        ('"', "U+0022 QUOTATION MARK"),
        ("`", "U+0060 GRAVE ACCENT"),
    ],
)
def test_a_pasted_key_is_told_which_character_is_in_the_way_and_where(letter: str, named: str) -> None:
    sent = KEY[:AT] + letter + KEY[AT:]
    for as_it_comes in (sent, sent.encode().decode("latin-1")):  # typed here, or the bytes of a header
        said = odd_form(as_it_comes) or ""
        assert f"({named}, character {AT + 1} of {len(sent)})" in said
        assert said.isascii()
        assert KEY[:AT] not in said
        assert KEY[AT:] not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"\u201c{KEY}\u201d", "stands in quotes (U+201C LEFT DOUBLE QUOTATION MARK, character 1 of 62)"),
        (f"{KEY}\u2019", "stands in quotes (U+2019 RIGHT SINGLE QUOTATION MARK, character 61 of 61)"),
        (f'"{KEY}"', "stands in quotes (U+0022 QUOTATION MARK, character 1 of 62)"),
        (f"{KEY}\u00a0", "U+00A0 NO-BREAK SPACE, character 61 of 61"),
        (f"\ufeff{KEY}", "U+FEFF ZERO WIDTH NO-BREAK SPACE, character 1 of 61"),
        ("sk-th-live-abc\u2026wxyz", "the short form that pages show"),
        ("sk-th-live-" + "\u2022" * 20, "the short form that pages show"),
        (KEY.replace("a", "\u0430", 1), "a letter of another script"),
        (f"Bearer {KEY}", "has the word `Bearer` where only the key belongs"),
        (f"bearer {KEY}", "has it twice"),
    ],
)
def test_a_pasted_key_is_told_what_to_do(text: str, said: str) -> None:
    assert said in (odd_form(text) or "")
    assert said in (odd_form(text.encode().decode("latin-1")) or "")


def test_a_header_of_latin_1_is_read_as_that() -> None:
    assert "U+00E9 LATIN SMALL LETTER E WITH ACUTE, character 61 of 61" in (odd_form(KEY + "\xe9") or "")
