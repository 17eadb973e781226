"""What README and docs print is what can be typed: each block of platform.toml is read, each command is parsed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import CycloptsError

from tests.settings.test_platform_file import config_environment
from tests.tidy.source import ROOT
from tollhouse.cli.command_line import build
from tollhouse.cli.mistyped import commands
from tollhouse.services import price_file
from tollhouse.services.platform_file import read

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOREIGN = {"secret-scanning.md"}  # its block is the file of another program, as its page says
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`tollhouse ([a-z][a-z -]*)")
_NO_COMMAND = {"lock"}  # what a connection to the database is called


def blocks(page: Path, language: str) -> Iterator[str]:
    for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == language:
            yield text


def typed(page: Path) -> Iterator[str]:
    """Whole lines that begin with `tollhouse`, in a block or indented; a line that ends with a backslash goes on."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^(?: {4})?(?:PATH=\S+ )?(tollhouse [a-z].*)$", text, re.MULTILINE):
        if "`" not in line and line.split()[1] in commands(build()):
            yield line


TOML = [pytest.param(text, id=page.name) for page in PAGES if page.name not in FOREIGN for text in blocks(page, "toml")]
TYPED = [pytest.param(line, id=f"{page.name}: {line[:50]}") for page in PAGES for line in typed(page)]


@pytest.mark.parametrize("text", TOML)
def test_a_printed_platform_toml_has_no_mistake_and_nothing_odd(text: str) -> None:
    reading = read(text.encode(), config_environment(MAIN_KEY="sk-main"))
    assert [str(one) for one in (*reading.mistakes, *reading.warnings, *reading.unpriced.values())] == []


@pytest.mark.parametrize("line", TYPED)
def test_a_printed_command_can_be_typed(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    try:
        build().parse_args(words, print_error=False, exit_on_error=False, help_on_error=False)
    except CycloptsError as error:
        pytest.fail(str(error))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_a_sentence_names_is_there(page: Path) -> None:
    app = build()
    for words in _INLINE.findall(page.read_text(encoding="utf-8").replace("\n", " ")):
        at = app
        for word in [] if words.strip() in _NO_COMMAND else words.split():
            if word.startswith("-") or not commands(at):
                break
            assert word in commands(at), f"tollhouse {words}"
            at = at[word]


def test_a_printed_price_file_is_one() -> None:
    page = ROOT / "docs" / "prices.md"
    printed = [text for kind in ("", "json") for text in blocks(page, kind)]
    assert len(printed) == 2
    assert [price_file.read(text.encode()).messages() for text in printed] == [[], []]


def test_there_is_something_printed() -> None:
    assert len(TOML) >= 2
    assert len(TYPED) >= 20
