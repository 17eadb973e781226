"""F1: nothing that a caller wrote acts on what shows it."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.exposed import REDACTED, without_keys
from tollhouse.access.secrets import mint
from tollhouse.cli.terminal import as_json, cell_text
from tollhouse.core.escaping import cell, printable, printable_lines
from tollhouse.core.usage import BUCKETS
from tollhouse.edge.admin.usage_csv import as_csv

TRICKS = (
    "\x1b[2J\x1b[31m",
    "\x9b31m",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\u202eexe.txt",
    "\u2066hidden\u2069",
    "a\u2028b\u2029c",
    "a\nb\rc\td",
    "\x00\x07\x08\x7f",
    "\ud800",
    "\u200bzero\ufeff",
    "\U000e0041tag",
)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_output_acts_on_a_terminal(trick: str) -> None:
    for shown in (printable(trick), cell(trick), cell_text(trick), cell_text({trick: [trick]})):
        assert shown.isprintable()
    assert all(line.isprintable() for line in printable_lines(trick).split("\n"))


@pytest.mark.parametrize("trick", TRICKS)
def test_json_on_a_terminal_prints_and_reads_back_the_same(trick: str) -> None:
    if "\ud800" in trick:
        return  # what is half a pair does not come through the control API
    text = as_json({trick: [trick, "plain \N{LATIN SMALL LETTER E WITH ACUTE}"]})
    assert text.isprintable()
    assert json.loads(text) == {trick: [trick, "plain \N{LATIN SMALL LETTER E WITH ACUTE}"]}


@pytest.mark.parametrize(
    "formula",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\uff1d1",
        "|calc",
        "%0A=1",
        "'=1",
        "\u200b=1",
        "\x1b=1",
        "=a;=1",
        '=a;"=1',
    ],
)
def test_no_cell_is_a_formula_and_no_row_ends_early(formula: str) -> None:
    row = {"group": formula, "calls": 1, "failed": 0, "charge_usd": "0", "usage": {}}
    rows = list(csv.reader(io.StringIO(as_csv([row], "tag"))))
    assert [len(one) for one in rows] == [4 + len(BUCKETS)] * 2
    assert rows[1][0].startswith("'")
    assert rows[1][0].isprintable()


@pytest.mark.parametrize("formula", ["t=;=1+1", "t= ;+1;x", "a;\t=1", 't=";=1'])
def test_no_cell_is_a_formula_where_semicolons_end_cells(formula: str) -> None:
    cells = cell(formula).split(";")
    assert not any(one.lstrip(' "\ufffd').startswith(("=", "+", "-", "@")) for one in cells)


def test_what_is_no_trick_stays_as_it_is() -> None:
    for text in ("gpt-4o", "team=a", "\u7a0e\u95a2", "e\u0301", "\U0001f600"):
        assert cell(text) == printable(text) == text


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_key_in_a_text_is_not_kept(before: str, after: str) -> None:
    key = mint("live", bytes(range(32)))
    kept = without_keys(before + key + after)
    assert key not in kept
    assert REDACTED in kept
    assert without_keys(before + after) == before + after or "sk-th-" in before + after
