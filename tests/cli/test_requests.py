"""Receipts and explanations from the shell where no server runs, and words that are not to be understood."""

from pathlib import Path

import pytest

from tests.cli.test_commands import Folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = Folder(tmp_path_factory.mktemp("data"))
    assert made.json("init").code == 0
    (made.path / "body.json").write_text('{"model": "m", "messages": [{"role": "user", "content": "hi"}]}')
    (made.path / "binary").write_bytes(b"\xff\xfe")
    made.json("accounts", "create", "acme")
    made.json("keys", "create", "ci", "--account", "acme")
    return made


def test_calls_are_looked_up_without_a_server_too(folder: Folder) -> None:
    assert folder.json("requests", "list").answer == {"object": "list", "data": [], "next": None}
    assert folder.type("requests", "list").out == "There was no such call\n"
    unknown = folder.json("requests", "show", "req_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert (unknown.code, unknown.error["code"]) == (1, "not_found")


def test_what_only_a_server_knows_says_so(folder: Folder) -> None:
    body = str(folder.path / "body.json")
    for words in (("requests", "tail"), ("explain", "--body", body, "--key", "ci")):
        ran = folder.json(*words)
        assert (ran.code, ran.error["code"]) == (1, "overloaded")
        assert "tollhouse serve" in ran.error["message"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--request", "req_1", "--body", "body.json", "--key", "ci"),
        ("--body", "body.json"),
        ("--key", "ci"),
        ("--body", "nowhere.json", "--key", "ci"),
        ("--body", "binary", "--key", "ci"),
        ("--body", "body.json", "--key", "ci", "--header", "novalue"),
        ("--body", "body.json", "--key", "ci", "--path", "/v1/models"),
    ],
)
def test_explain_says_how_it_is_spelled(
    folder: Folder, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)
    ran = folder.json("explain", *words)
    assert ran.code == 2
    assert ran.error["message"]


def test_filters_that_make_no_sense_are_misuse(folder: Folder, tmp_path: Path) -> None:
    for words in (("--status", "good"), ("--since", "soon"), ("--limit", "0"), ("--after", "x")):
        assert folder.json("requests", "list", *words).code == 2
