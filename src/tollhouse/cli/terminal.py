"""How answers are shown: the control API's own JSON for scripts, tables and sentences for people."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.output import deliver
from tollhouse.cli.table import Styled, print_table
from tollhouse.core.escaping import printable, printable_lines

Answer = Mapping[str, Any]
Cell = Callable[[Answer], object]
Columns = Sequence[tuple[str, Cell]]
"""A heading, and what stands below it for one object."""

_MILLISECONDS = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d{3}Z$", re.ASCII)  # of no use to people


def columns(*names: str) -> list[tuple[str, Cell]]:
    """Columns that show fields as they are, each below its own name."""
    return [(name.replace("_", " "), itemgetter(name)) for name in names]


def show(options: CommonOptions, answer: Answer, sentence: str) -> None:
    """One object, or what was done: an answer that may be given this once."""
    deliver(as_json(answer) if options.json else printable_lines(sentence))


def show_rows(options: CommonOptions, answer: Answer, shown: Columns, *, empty: str) -> None:
    """A list of the control API."""
    if options.json:
        print(as_json(answer))
        return
    rows = answer["data"]
    if not rows:
        print(empty)
        return
    show_table([heading for heading, _ in shown], [[cell(row) for _, cell in shown] for row in rows])
    if answer.get("next"):
        print(f"There are more: --after {answer['next']}")


def show_fields(options: CommonOptions, answer: Answer, names: Sequence[str]) -> None:
    """One object as names and values."""
    if options.json:
        print(as_json(answer))
        return
    print_table([[Styled(name.replace("_", " "), "dim"), cell_text(answer.get(name))] for name in names])


def show_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    head = [Styled(heading, "bold") for heading in headings]
    shown = [[cell if isinstance(cell, Styled) else cell_text(cell) for cell in row] for row in rows]
    print_table([head, *shown])


def as_json(answer: object) -> str:
    """As JSON that a terminal may show: what does not print is written as an escape, which reads back the same."""
    text = msgspec.json.encode(answer).decode()
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    return json.dumps(letter)[1:-1]


def cell_text(value: object) -> str:
    """A value for people; what does not print cannot play tricks on the terminal."""
    if _is_nothing(value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        text = ", ".join(f"{name}={_part(part)}" for name, part in value.items() if not _is_nothing(part)) or "-"
    elif isinstance(value, list | tuple):
        apart = "; " if any(isinstance(part, Mapping) for part in value) else ", "
        text = apart.join(map(cell_text, value))
    else:
        text = _MILLISECONDS.sub("Z", str(value))
    return printable(text)


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str | Mapping | list | tuple) and not value)


def _part(value: object) -> str:
    return f"({cell_text(value)})" if isinstance(value, Mapping | list | tuple) else cell_text(value)
