"""F05: a key that no header can carry is found when configuration is read."""

import pytest

from tollhouse.providers.api_keys import check_api_key


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("", "empty"),
        ("sk-café", "character 7 of 7 (U+00E9 LATIN SMALL LETTER E WITH ACUTE)"),
        ("sk-a b", "character 5 of 6 is a blank (U+0020 SPACE)"),
        (" sk-ab", "character 1 of 6 is a blank"),
        ("sk-ab\n", "character 6 of 6 is a blank (U+000A)"),
        ("sk-a\x00b", "character 5 of 6 (U+0000) is a control character"),
        ("sk-a\u200bb", "character 5 of 6 (U+200B ZERO WIDTH SPACE)"),
        ("sk\u2011ab", "character 3 of 5"),
        ('"sk-ab"', "character 1 of 7 is a quotation mark"),
        ("sk-ab'", "character 6 of 6 is a quotation mark"),
    ],
)
def test_a_bad_key_is_refused_by_place_and_character(key: str, named: str) -> None:
    problem = check_api_key(key)
    assert problem is not None
    assert named in problem
    assert "sk-a" not in problem


@pytest.mark.parametrize("key", ["sk-abc", "a", "gsk_aB3/x+y==", "user:pass", "~!#$%&()*"])
def test_whatever_a_header_can_carry_is_a_key(key: str) -> None:
    assert check_api_key(key) is None


KEY = "sk-ab12cd34ef56"
COPIED = {
    "Bearer": (f"Bearer {KEY}", "the word Bearer"),
    "bearer": (f"bearer {KEY}", "the word Bearer"),
    "Bearer and a colon": (f"Bearer: {KEY}", "the word Bearer"),
    "a header": (f"Authorization: Bearer {KEY}", "the name of a header"),
    "another header": (f"x-api-key: {KEY}", "the name of a header"),
    "Azure's header": (f"api-key: {KEY}", "the name of a header"),
    "Google's header": (f"x-goog-api-key: {KEY}", "the name of a header"),
    "curl's option": (f'-H "Authorization: Bearer {KEY}"', "the name of a header"),
    "an assignment": (f"OPENAI_API_KEY={KEY}", "a whole assignment"),
    "an assignment with blanks": (f"OPENAI_API_KEY = {KEY}", "a whole assignment"),
    "of a shell": (f"export OPENAI_API_KEY={KEY}", "a whole assignment"),
    "of a shell, quoted": (f'export OPENAI_API_KEY="{KEY}"', "a whole assignment"),
    "of Windows": (f"set OPENAI_API_KEY={KEY}", "a whole assignment"),
    "of PowerShell": (f'$env:OPENAI_API_KEY="{KEY}"', "a whole assignment"),
    "a variable": ("$OPENAI_API_KEY", "a variable that nobody fills in"),
    "a variable in braces": ("${OPENAI_API_KEY}", "a variable that nobody fills in"),
    "a variable of Windows": ("%OPENAI_API_KEY%", "a variable that nobody fills in"),
    "a variable of a template": ("{{ openai_key }}", "a variable that nobody fills in"),
    "a secret of a build": ("${{ secrets.OPENAI_API_KEY }}", "a variable that nobody fills in"),
    "a command": ("$(cat key.txt)", "a variable that nobody fills in"),
    "angle brackets": (f"<{KEY}>", "brackets stand around it"),
    "a placeholder": ("<your-key>", "brackets stand around it"),
    "square brackets": (f"[{KEY}]", "brackets stand around it"),
    "braces": (f"{{{KEY}}}", "brackets stand around it"),
    "an ellipsis": (f"{KEY[:6]}\u2026{KEY[-4:]}", "the short form"),
    "three points": (f"{KEY[:6]}...{KEY[-4:]}", "the short form"),
    "stars": (f"{KEY[:6]}****{KEY[-4:]}", "the short form"),
    "bullets": (f"{KEY[:6]}\u2022\u2022\u2022\u2022", "the short form"),
    "a comma": (f"{KEY},", "a comma or semicolon"),
    "a semicolon": (f"{KEY};", "a comma or semicolon"),
    "two keys": (f"{KEY},{KEY}", "several keys"),
    "curly quotes": (f"\u201c{KEY}\u201d", "character 1 of 17 is a quotation mark (U+201C"),
    "a curly single quote": (f"\u2019{KEY}", "character 1 of 16 is a quotation mark (U+2019"),
    "backticks": (f"`{KEY}`", "character 1 of 17 is a quotation mark (U+0060"),
    "a comment": (f"{KEY} # main", "character 16 of 22 is a blank"),
    "a blank that does not break": (f"{KEY[:5]}\u00a0{KEY[5:]}", "character 6 of 16 is a blank (U+00A0"),
    "a byte order mark": (f"\ufeff{KEY}", "character 1 of 16 (U+FEFF"),
    "a soft hyphen": (f"{KEY[:5]}\u00ad{KEY[5:]}", "character 6 of 16 (U+00AD"),
    "an en dash": (KEY.replace("-", "\u2013"), "character 3 of 15 (U+2013 EN DASH) is not ASCII"),
    "a Cyrillic letter": (KEY.replace("c", "\u0441"), "character 8 of 15 (U+0441"),
    "full width": ("\uff53\uff4b-ab12cd34", "character 1 of 11 (U+FF53"),
    "an em dash": (KEY.replace("-", "\u2014"), "character 3 of 15 (U+2014 EM DASH) is not ASCII"),
    "a Latin look-alike": (KEY.replace("f", "\u028b"), "character 13 of 15 (U+028B"),
    "a sign of another key": (f"{KEY}\u20ac", "character 16 of 16 (U+20AC EURO SIGN) is not ASCII"),
    "a note behind it": (f"{KEY}  \u7528\u8fd9\u4e2a", "character 16 of 20 is a blank (U+0020 SPACE)"),
    "a line end": (f"{KEY}\n", "character 16 of 16 is a blank (U+000A)"),
}


@pytest.mark.parametrize(("key", "words"), COPIED.values(), ids=COPIED)
def test_what_was_copied_along_is_named_and_nothing_of_the_key(key: str, words: str) -> None:
    said = check_api_key(key)
    assert said is not None
    assert words in said
    assert KEY[3:9] not in said


@pytest.mark.parametrize(
    "key", ["none", "EMPTY", "dummy", "ollama", "lm-studio", "sk-no-key-required", "c2stYWI=", "A=="]
)
def test_servers_of_ones_own_take_any_word(key: str) -> None:
    assert check_api_key(key) is None
