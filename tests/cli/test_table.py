"""Tables look as those of rich, which they once were, and nothing of a cell is lost."""

import random

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tollhouse.cli.table import Styled, lines, styles

LETTERS = "abcdefghij     \u7a0e\u00fc\U0001f6c3-._/"
STYLES = ("", "bold", "dim", "green", "bold red")


def _as_rich_shows(rows: list[list[Styled]], width: int) -> list[str]:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in rows[0]:
        table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    console = Console(width=width, highlight=False, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def _text(dice: random.Random) -> str:
    letters = "".join(dice.choice(LETTERS) for _ in range(dice.choice((0, 1, 3, 10, 30, 90))))
    return " ".join(letters.split())


def _any(seed: int) -> list[list[Styled]]:
    dice = random.Random(seed)
    columns = dice.randint(1, 7)
    return [[Styled(_text(dice), dice.choice(STYLES)) for _ in range(columns)] for _ in range(dice.randint(1, 6))]


@pytest.mark.parametrize("seed", range(100))
def test_a_table_looks_as_one_of_rich(seed: int) -> None:
    rows = _any(seed)
    assert [line.rstrip() for line in lines(rows, 1000, {})] == _as_rich_shows(rows, 1000)
    one = [row[:1] for row in rows]
    assert [line.rstrip() for line in lines(one, 40, {})] == _as_rich_shows(one, 40)  # folded as there


@pytest.mark.parametrize("seed", range(200))
def test_a_table_that_is_folded_fits_and_keeps_every_letter(seed: int) -> None:
    rows = _any(seed)
    width = (40, 60, 80, 120)[seed % 4]
    shown = list(lines(rows, width, {}))
    assert all(cell_len(line) <= width for line in shown)
    letters = sorted("".join(cell.text for row in rows for cell in row).replace(" ", ""))
    assert sorted("".join(shown).replace(" ", "")) == letters


@pytest.mark.parametrize("width", [1, 5, 20])
def test_a_table_without_room_loses_no_letter(width: int) -> None:
    shown = list(lines([["abcdefghij", "klmnopqrst"]], width, {}))
    assert sorted("".join(shown).replace(" ", "")) == sorted("abcdefghijklmnopqrst")


def test_every_line_of_a_table_is_as_wide_as_the_table() -> None:
    shown = list(lines([["a" * 30, "\u7a0e" * 20], ["b", ""]], 40, {}))
    assert {cell_len(line) for line in shown} == {40}


@pytest.mark.parametrize(
    ("terminal", "environment", "shown"),
    [
        (True, {"TERM": "xterm"}, "\033[1mid\033[0m  \033[32mgreen\033[0m  \033[1;31mred\033[0m"),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, "\033[1mid\033[0m  green  \033[1mred\033[0m"),
        (True, {"TERM": "dumb"}, "id  green  red"),
        (False, {"TERM": "xterm"}, "id  green  red"),
    ],
)
def test_styles_are_for_terminals(terminal: bool, environment: dict[str, str], shown: str) -> None:
    row = [Styled("id", "bold"), Styled("green", "green"), Styled("red", "bold red")]
    assert list(lines([row], 80, styles(environment, on_terminal=terminal))) == [shown]
