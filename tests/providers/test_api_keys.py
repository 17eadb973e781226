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
        ("Bearer sk-ab", "character 7 of 12 is a blank"),
    ],
)
def test_f05_a_bad_key_is_refused_by_place_and_character(key: str, named: str) -> None:
    problem = check_api_key(key)
    assert problem is not None
    assert named in problem
    assert "sk-a" not in problem


@pytest.mark.parametrize("key", ["sk-abc", "a", "gsk_aB3/x+y==", "user:pass", "~!#$%&()*"])
def test_whatever_a_header_can_carry_is_a_key(key: str) -> None:
    assert check_api_key(key) is None
