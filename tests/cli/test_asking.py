"""What is final is asked about first, on a terminal only."""

import os
import pty
import subprocess
import sys

import pytest

from tests.cli.test_commands import Folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = Folder(tmp_path_factory.mktemp("asked"))
    made.json("init")
    made.json("accounts", "create", "acme")
    return made


def on_a_terminal(folder: Folder, typed: bytes, *words: str) -> tuple[int, str]:
    """The exit code, and what went to stderr."""
    ours, theirs = pty.openpty()
    os.write(ours, typed)  # a terminal keeps what is typed ahead
    command = [sys.executable, "-m", "tollhouse", *words, "--dir", str(folder.path)]
    ran = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    return ran.returncode, ran.stderr


def state(folder: Folder) -> str:
    return str(folder.json("accounts", "show", "acme").answer["state"])


@pytest.mark.parametrize("typed", [b"n\n", b"\n", b"\x04"], ids=["no", "nothing", "end of input"])
def test_anything_but_yes_changes_nothing(folder: Folder, typed: bytes) -> None:
    assert on_a_terminal(folder, typed, "accounts", "suspend", "acme") == (2, "nothing was changed\n")
    assert state(folder) == "active"


def test_yes_does_it_and_so_does_the_flag(folder: Folder) -> None:
    for typed, more in ((b"y\n", ()), (b"", ("--yes",))):
        assert on_a_terminal(folder, typed, "accounts", "suspend", "acme", *more)[0] == 0
        assert state(folder) == "suspended"
        folder.json("accounts", "resume", "acme")
