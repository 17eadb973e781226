"""Terminals that know few letters, readers who leave, disks that are full: what was done is told all the same (N18)."""

import contextlib
import io
import json
import os
from pathlib import Path

import pytest

from tollhouse.cli import output
from tollhouse.cli.command_line import run

NAME = "Zoll-\u7a0e \u00fc\U0001f6c3"
ENCODINGS = (
    *("ascii", "latin-1", "iso8859-15", "cp1252", "cp437", "cp850", "koi8-r", "gbk", "shift_jis", "big5", "euc_kr"),
    *("cp037", "utf-16", "utf-8", "mac_roman", "hz", "utf-7"),
)


class Screen:
    """Both outputs of a command, in an encoding."""

    def __init__(self, folder: Path, encoding: str) -> None:
        self._folder, self._encoding = folder, encoding

    def type(self, *words: str) -> tuple[int, str, str]:
        out, err = io.BytesIO(), io.BytesIO()
        with (
            contextlib.redirect_stdout(io.TextIOWrapper(out, self._encoding)) as stdout,
            contextlib.redirect_stderr(io.TextIOWrapper(err, self._encoding)) as stderr,
        ):
            output.prepare()
            code = run([*words, "--dir", str(self._folder)])
            stdout.flush()
            stderr.flush()
            return code, out.getvalue().decode(self._encoding), err.getvalue().decode(self._encoding)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("data")
    Screen(made, "utf-8").type("init")
    assert Screen(made, "utf-8").type("accounts", "create", NAME, "--credit-limit", "5")[0] == 0
    return made


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_reaches_every_terminal(folder: Path, encoding: str) -> None:
    screen = Screen(folder, encoding)
    code, out, err = screen.type("keys", "create", NAME, "--account", NAME, "--tag", f"{NAME}={NAME}")
    assert (code, err) == (0, "")
    assert "sk-th-live-" in out
    code, out, _ = screen.type("keys", "create", NAME, "--account", NAME, "--json")
    key = json.loads(out)
    assert (code, key["name"]) == (0, NAME)  # an escape is read back as the letter
    assert key["secret"].startswith("sk-th-live-")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk", "utf-16"])
@pytest.mark.parametrize(
    "words",
    [
        ("accounts", "list"),
        ("accounts", "show", NAME),
        ("keys", "list"),
        ("projects", "list"),
        ("budgets", "set", "--account", NAME, "--amount", "5", "--window", "month"),
        ("credits", "grant", NAME, "5", "--reason", NAME),
        ("audit", "list"),
        ("usage", "--csv"),
        ("plan",),
    ],
)
def test_every_command_answers_on_every_terminal(folder: Path, encoding: str, words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        code, _, err = Screen(folder, encoding).type(*words, *more)
        assert (code, err) == (0, "")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_refusal_is_told_on_every_terminal(folder: Path, encoding: str) -> None:
    code, out, err = Screen(folder, encoding).type("keys", "show", NAME + "?")
    assert (code, out) == (1, "")
    assert "no key Zoll-" in err


def test_a_reader_who_has_left_loses_no_secret(folder: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    err = io.StringIO()
    with (
        open(writes, "w", encoding="utf-8") as gone,
        contextlib.redirect_stdout(gone),
        contextlib.redirect_stderr(err),
    ):
        code = run(["keys", "create", "piped", "--account", NAME, "--dir", str(folder)])
    assert code == 0
    assert "sk-th-live-" in err.getvalue()


@pytest.mark.parametrize(
    ("words", "told"), [(("keys", "create", "full", "--account", NAME), "sk-th-"), (("keys", "list"), "")]
)
def test_a_full_disk_loses_no_secret_and_is_told(folder: Path, words: tuple[str, ...], told: str) -> None:
    err = io.StringIO()
    with (
        open("/dev/full", "w", encoding="utf-8") as full,
        contextlib.redirect_stdout(full),
        contextlib.redirect_stderr(err),
    ):
        code = run([*words, "--dir", str(folder)])
    assert code == 1
    assert told in err.getvalue()
    assert "No space left on device" in err.getvalue()


def test_outputs_that_were_closed_are_no_failure(folder: Path) -> None:
    err = io.StringIO()
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(err):
        output.prepare()
        assert run(["keys", "create", "closed", "--account", NAME, "--dir", str(folder)]) == 0
    assert "sk-th-live-" in err.getvalue()


def test_a_name_that_another_locale_left_as_bytes_is_read_as_what_it_is(folder: Path) -> None:
    as_bytes = NAME.encode().decode("ascii", "surrogateescape")
    code, out, _ = Screen(folder, "utf-8").type("keys", "create", as_bytes, "--account", as_bytes, "--json")
    assert (code, json.loads(out)["name"]) == (0, NAME)
