"""Did you mean: the nearest word, as people miss it."""

import pytest

from tollhouse.core.spelling import COMPARED_MAX, LETTERS_MAX, nearest, nearest_few, to_compare


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("databse", ("listen", "database"), "database"),
        ("Toll-1", ("toll-1", "toll-2"), "toll-1"),
        ("amount", ("account", "amount_usd"), "amount_usd"),
        ("input_tokens", ("input", "output"), "input"),
        ("in", ("ni", "interval"), "ni"),
        ("x", (), ""),
    ],
)
def test_what_was_meant(word: str, known: tuple[str, ...], meant: str) -> None:
    assert nearest(word, known) == meant


def test_several_come_likest_first() -> None:
    assert nearest_few("gpt-4", ("gpt-4-turbo", "o1", "gpt-4o"), 2) == ["gpt-4o", "gpt-4-turbo"]


MANY = [*(f"model-{number}-{'x' * 500}" for number in range(2_000)), "claude-4", "Claude-5-turbo"]


@pytest.mark.parametrize("word", ["claude-5", "x" * 100_000, "\N{GREEK SMALL LETTER MU}" * 512])
def test_however_many_are_known_few_are_compared(word: str) -> None:
    """One unknown model of a budget took 38 ms of the loop beside 1,500 known ones."""
    assert len(to_compare(word, MANY)) == COMPARED_MAX


def test_of_many_the_likest_are_still_found() -> None:
    assert nearest_few("claude-5", MANY)[:2] == ["Claude-5-turbo", "claude-4"]


def test_however_long_a_word_its_beginning_is_compared() -> None:
    """Of 512 letters it took 2.7 s."""
    long = "model-7-" + "x" * 100_000
    assert nearest_few(long, MANY) == nearest_few(long[:LETTERS_MAX], MANY)
