"""What a receipt says of an ending is what the page of money says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tests.store.samples import request
from tollhouse.billing.endings import ROWS, explained, parts_of_sentences, row_of
from tollhouse.core.usage import UsageSource
from tollhouse.core.usage_record import Ending

PAGE = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
KILLED = "process killed"  # leaves no record to speak of


def test_the_table_of_the_page_is_the_table_of_the_receipts() -> None:
    section = PAGE.split("## Every ending and its charge\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)[1:]
    told = [row for row in rows if row[0] != KILLED]
    assert told == list(dict.fromkeys(map(tuple, ROWS.values())))
    assert len(rows) == len(told) + 1


@pytest.mark.parametrize("ending", get_args(Ending))
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("read_on", [True, False])
def test_every_ending_is_explained(ending: Ending, stream: bool, read_on: bool) -> None:
    record = request(ending=ending, stream=stream, read_on=read_on)
    row = row_of(record)
    assert f"`{ending}`" in row.heading
    said = explained(record)
    assert "`" not in said
    assert row.usage.replace("`", "") in said or row.heading == "`finished`, `incomplete`"


@pytest.mark.parametrize("ending", get_args(Ending))
@pytest.mark.parametrize("source", get_args(UsageSource))
def test_sentence_is_made_of_parts_that_are_known_for_translation(ending: Ending, source: UsageSource) -> None:
    said = explained(request(ending=ending, usage_source=source))
    assert {str(part) for part in said.values.values()} <= parts_of_sentences()


def test_whether_an_answer_was_read_on_decides_what_counts_as_used() -> None:
    left = request(ending="client_left_before_first_byte", stream=True)
    assert explained(left) == "Usage: input, counted. Charged: yes."
    assert "drained" in explained(request(ending="client_left_before_first_byte", stream=True, read_on=True))
    assert "else input, counted" in explained(request(ending="client_left_before_first_byte", stream=False))
    assert explained(request(ending="refused")) == "Usage: none. Free."
    for source, words in (("upstream", "as the provider reported it"), ("counted", "counted, because no believable")):
        said = explained(request(ending="finished", usage_source=source))
        assert said.startswith(f"Usage: {words}")
        assert " or " not in said


def test_what_was_never_committed_is_explained_by_how_it_was_answered() -> None:
    for stream in (True, False):
        assert "`commit_failed`" in row_of(request(ending="commit_failed", stream=stream)).heading
    assert row_of(request(ending="incomplete", cut=True)) != row_of(request(ending="incomplete"))
