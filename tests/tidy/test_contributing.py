"""What the pages for contributors and the contract name is there: files, links, sections, error codes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.source import ROOT, SRC
from tollhouse.core.failure import every_failure

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    ROOT / "docs" / "contract.md",
]
CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")


def _named(page: Path) -> Iterator[str]:
    """Files and links on a page. Names of things to be made are written in capitals, and are not looked up."""
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:src|tests|docs|scripts|bench)/[\w./-]*\w)", text):
        if "NAME" not in path and "NOUN" not in path:
            yield str(ROOT / path)
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        yield str(page.parent / target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_for_contributors_names_is_there(page: Path) -> None:
    assert [path for path in _named(page) if not Path(path).exists()] == []


def test_every_section_of_the_contract_that_the_code_names_is_there() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in SRC.rglob("*.py"))
    named = set(re.findall(r"contract[^.]{0,20}\bsection (\d+)", text))
    assert named
    assert named <= set(re.findall(r"^## (\d+)\. ", CONTRACT, re.MULTILINE))


def test_the_contract_has_every_error_code() -> None:
    table = CONTRACT.split("## 4. ")[1].split("\n## ")[0]
    assert {kind.code for kind in every_failure()} <= set(re.findall(r"`([a-z_]+)`", table))


def test_every_decision_and_every_how_to_is_in_its_index() -> None:
    for folder in ("decisions", "how-to"):
        index = (ROOT / "docs" / folder / "README.md").read_text(encoding="utf-8")
        pages = {page.name for page in (ROOT / "docs" / folder).glob("*.md")} - {"README.md"}
        assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == pages
