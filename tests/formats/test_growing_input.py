"""The text that a tool takes, out of arguments that come in pieces."""

import json
from random import Random

import pytest

from tollhouse.formats.openai.words.json_text import GrowingInput, input_of

TEXTS = (
    *("", "x", '*** Begin Patch\n+a "quoted" \\ line\n*** End Patch', "Fluß – 税关 🛃", "\u0000\t\b/", "\\u0041", "}"),
    "a" * 5_000,
)
ODD = (
    '{"input":5}',
    '{"text":"only"}',
    "no JSON at all",
    '{"input":"cut',
    '{"input":"a","b":1}',
    "{}",
    '{"input":"a\nb"}',
)


def grown(arguments: str, random: Random) -> tuple[str, int]:
    """The text, and how many pieces it came in."""
    growing, at = GrowingInput(), 0
    while at < len(arguments):
        step = random.choice((1, 2, 7, 100))
        growing.add(arguments[at : at + step])
        at += step
    growing.rest()
    return "".join(growing.said), len(growing.said)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_text_is_the_same_however_its_arguments_are_cut(text: str, ascii_only: bool, seed: int) -> None:
    for arguments in (
        json.dumps({"input": text}, ensure_ascii=ascii_only),
        json.dumps({"input": text}, indent=2, ensure_ascii=ascii_only),
    ):
        found, pieces = grown(arguments, Random(seed))
        assert found == text
        assert pieces > 1 or len(text) < 200


@pytest.mark.parametrize("arguments", ODD)
@pytest.mark.parametrize("seed", range(5))
def test_arguments_of_another_form_are_read_at_their_end(arguments: str, seed: int) -> None:
    found, _ = grown(arguments, Random(seed))
    assert found in (input_of(arguments), "cut")
