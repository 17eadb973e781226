"""Two hundred refusals in the words of vendors: what identifies the operator's upstream goes, and nothing else.

`gone.txt` marks what goes with brackets; of `kept.txt` every letter stays.
"""

import re
from pathlib import Path

import pytest

from tollhouse.core.cleaning import REMOVED, Known, clean

_FOLDER = Path(__file__).parent / "refusals"
KEPT = (_FOLDER / "kept.txt").read_text(encoding="utf-8").splitlines()
GONE = (_FOLDER / "gone.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", KEPT)
def test_class_names_fields_files_and_ids_of_the_callers_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("marked", GONE)
def test_hosts_addresses_keys_and_ids_of_the_operators_go(marked: str) -> None:
    text = marked.replace("⟦", "").replace("⟧", "")
    assert clean(text) == re.sub("⟦.*?⟧", REMOVED, marked)


def test_there_are_two_hundred() -> None:
    assert (len(set(KEPT)), len(set(GONE))) == (100, 100)


def test_what_the_caller_wrote_stays_and_nothing_else_of_its_kind() -> None:
    own = "https://images.example.com/gate.png"
    known = Known(is_callers=lambda text: text in own)
    text = f"Failed to download {own}. images.example.com answered 404 to http://10.0.0.7/fetch"
    assert clean(text, known) == f"Failed to download {own}. images.example.com answered 404 to [removed]"


def test_the_operators_own_values_go_whatever_they_look_like() -> None:
    known = Known(secrets=("open sesame",), hosts=("plain.name",), upstream_model="deploy-7", model="gpt-4o")
    assert clean("deploy-7 at plain.name: open sesame", known) == "gpt-4o at [removed]: [removed]"
