"""Did you mean: the nearest word, as people miss it."""

import difflib

import pytest

from tollhouse.core.spelling import COMPARED_MAX, LETTERS_MAX, nearest, nearest_few


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


@pytest.mark.parametrize("asked", ["claude-5", "x" * 100_000, "\N{GREEK SMALL LETTER MU}" * 512])
def test_g2_however_many_are_known_and_however_long_few_letters_are_compared(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One unknown model of a budget took 38 ms of the loop beside 1,500 known ones, 2.7 s if it was long."""
    compared: list[tuple[int, int]] = []

    class Matcher(difflib.SequenceMatcher[str]):
        def __init__(self, junk: None, a: str, b: str) -> None:
            compared.append((len(a), len(b)))
            super().__init__(junk, a, b)

    monkeypatch.setattr(difflib, "SequenceMatcher", Matcher)
    known = [f"model-{number}-{'x' * 500}" for number in range(2_000)]
    found = nearest_few(asked, [*known, "claude-4", "Claude-5-turbo"])
    assert len(compared) <= COMPARED_MAX
    assert all(max(sizes) <= LETTERS_MAX for sizes in compared)
    if asked == "claude-5":
        assert found[:2] == ["Claude-5-turbo", "claude-4"]
