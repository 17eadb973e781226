"""Tables as text: columns as wide as they need, folded where they are wider than the terminal together.

The same picture as a table of rich, which takes a fifth of a second to load; of rich, only the widths of characters
(`rich.cells`) are used.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

_PIPED_WIDTH: Final = 200
_WIDTH: Final = 80  # of a terminal that does not tell
_APART: Final = 2
_CODES: Final = {"bold": "1", "dim": "2", "green": "32", "bold red": "1;31"}
_WITHOUT_COLOURS: Final = {"green": "", "bold red": "1"}
_WORD: Final = re.compile(r"\s*\S+\s*")


class Styled(NamedTuple):
    """A cell that stands out on a terminal. style: one of `bold`, `dim`, `green`, `bold red`."""

    text: str
    style: str


Cell = str | Styled


def print_table(rows: Sequence[Sequence[Cell]]) -> None:
    """Rows as long as each other, to standard output. Wide when piped: whoever reads a file or a pipe does not want
    lines folded at 80."""
    on_terminal = sys.stdout.isatty()
    codes = styles(os.environ, on_terminal=on_terminal)
    for line in lines(rows, _terminal_width() if on_terminal else _PIPED_WIDTH, codes):
        print(line)


def styles(environment: Mapping[str, str], *, on_terminal: bool) -> dict[str, str]:
    """The codes that a terminal takes for each style; none where there is no terminal, or one that knows none."""
    if not on_terminal or environment.get("TERM", "").lower() in ("dumb", "unknown"):
        return {}
    return _CODES | _WITHOUT_COLOURS if environment.get("NO_COLOR") else _CODES


def lines(rows: Sequence[Sequence[Cell]], width: int, codes: dict[str, str]) -> Iterator[str]:
    """A table of so many columns of a terminal."""
    cells = [[cell if isinstance(cell, Styled) else Styled(cell, "") for cell in row] for row in rows]
    widths = _widths([[cell.text for cell in row] for row in cells], width)
    for row in cells:
        folded = [list(_folded(cell.text, wide)) for cell, wide in zip(row, widths, strict=True)]
        for place in range(max(map(len, folded))):
            yield (" " * _APART).join(
                _shown(part[place] if place < len(part) else "", wide, codes.get(cell.style, ""))
                for cell, part, wide in zip(row, folded, widths, strict=True)
            )


def _shown(text: str, width: int, code: str) -> str:
    padded = set_cell_size(text, width)
    return f"\033[{code}m{padded}\033[0m" if code and padded else padded


def _widths(rows: list[list[str]], width: int) -> list[int]:
    """Of each column: what its widest cell needs; where that is too much together, the widest columns give way first,
    all of them alike. The space beside a cell counts with it here."""
    sides = [_APART // 2 * ((at > 0) + (at < len(rows[0]) - 1)) for at in range(len(rows[0]))]
    needed = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    wanted = [max(1, need + side) for need, side in zip(needed, sides, strict=True)]
    while (over := sum(wanted) - max(width, sum(sides) + len(sides))) > 0:
        widest = max(wanted)
        next_to_it = max((one for one in wanted if one < widest), default=1)
        places = [place for place, one in enumerate(wanted) if one == widest]
        for at, place in enumerate(places):
            taken = min(round(over / (len(places) - at)), widest - next_to_it)
            wanted[place] -= taken
            over -= taken
    return [max(min(1, need), wide - side) for need, wide, side in zip(needed, wanted, sides, strict=True)]


def _folded(text: str, width: int) -> Iterator[str]:
    """The lines of a cell: broken between words, and within a word that is wider than the column."""
    line = ""
    for word in _WORD.findall(text) or [text]:
        if cell_len(line) + cell_len(word.rstrip()) <= width:
            line += word
            continue
        if line:
            yield line.rstrip()
        *full, line = chop_cells(word, width) if cell_len(word.rstrip()) > width else [word]
        yield from full
    yield line.rstrip()


def _terminal_width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH
