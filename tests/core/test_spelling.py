"""Did you mean: the nearest word, as people miss it."""

import pytest

from tollhouse.core.spelling import nearest, nearest_few


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
