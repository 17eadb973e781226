"""Receipts and explanations from the shell where no server runs, and words that are not to be understood."""

from pathlib import Path

import pytest

from tests.cli.test_commands import PLATFORM, Folder
from tests.services.harness import SettableClock, run
from tests.services.test_money import call, commit
from tollhouse.services.context import ServiceContext


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


def test_a_call_that_was_made_is_explained_without_a_server_too(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.json("init")
    (tmp_path / "platform.toml").write_text(PLATFORM + "[plans.default]\nparallel_requests = 3\n", encoding="utf-8")
    folder.json("apply")
    account = folder.json("accounts", "create", "acme").answer["id"]
    folder.json("credits", "grant", "acme", "2")
    key = folder.json("keys", "create", "ci", "--account", "acme").answer
    made = call(1, account, 7, key_id=key["id"], project_id=key["project_id"], model="toll-1", operation="chat")

    async def written(services: ServiceContext, clock: SettableClock) -> None:
        await commit(services, made)

    run(tmp_path, written)
    explained = folder.json("explain", "--request", made.id).answer
    assert (explained["receipt"]["id"], explained["receipt"]["charge_nusd"]) == (made.id, 7)
    assert (explained["model"]["id"], explained["verdict"]["admitted"]) == ("toll-1", True)
    assert [(one["name"], one["limit"], one["used"]) for one in explained["limits"]] == [("parallel_requests", 3, 0)]
    assert explained["purses"][0]["left_usd"] == "1.999999993"
    told = folder.type("explain", "--request", made.id).out
    assert told.startswith(made.id)
    assert "Verdict: it would be let in." in told
    unknown = folder.json("explain", "--request", "req_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert (unknown.code, unknown.error["code"]) == (1, "not_found")


def test_what_only_a_server_knows_says_so(folder: Folder) -> None:
    body = str(folder.path / "body.json")
    for words in (("requests", "tail"), ("explain", "--body", body, "--key", "ci")):
        ran = folder.json(*words)
        assert (ran.code, ran.error["code"]) == (1, "overloaded")
        assert "tollhouse serve" in ran.error["message"]
        assert "req_" not in ran.error["message"].casefold() + ran.err, "an id that leads nowhere"
    assert "`requests list` shows those that ended" in folder.type("requests", "tail").err


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
