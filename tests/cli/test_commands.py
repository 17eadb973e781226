"""Commands on a data folder without a server, as an operator types them one after another."""

import contextlib
import io
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tollhouse.cli.command_line import COMMANDS, run
from tollhouse.cli.lock import FolderLock

PLATFORM = """
[providers.up]
kind = "openai_compatible"
base_url = "https://up.example/v1"
api_keys = ["sk-1"]

[models.toll-1]
offers = [{ provider = "up", model = "m" }]
price = { input = "2.50", output = "10.00" }
"""


class Ran(Struct, frozen=True):
    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1, "one line of JSON"
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        assert self.code in (1, 2)
        assert self.out == ""
        assert self.err.count("\n") == 1, "one line of JSON"
        return json.loads(self.err)["error"]


class Folder:
    """A data folder and whoever types commands there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def type(self, *words: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*words, "--dir", str(self.path)])
        return Ran(code, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> Ran:
        return self.type(*words, "--json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """One folder for all that only reads, or makes things beside each other."""
    folder = Folder(tmp_path_factory.mktemp("data"))
    folder.json("init")
    (folder.path / "platform.toml").write_text(PLATFORM, encoding="utf-8")
    assert folder.json("apply").answer["generation"] == 1
    folder.json("accounts", "create", "acme", "--email", "a@acme.example")
    return folder


def test_found_keys_are_reported_from_a_file(made: Folder, tmp_path: Path) -> None:
    key = made.json("keys", "create", "leaky", "--account", "acme").answer
    report = tmp_path / "report.txt"
    report.write_text(f'{{"Secret": "{key["secret"]}"}}\nand again {key["secret"]}\n', encoding="utf-8")
    assert made.json("keys", "report-leak", str(report), "--url", "https://code.example/x").answer == {"received": 1}
    assert made.json("keys", "show", key["id"]).answer["state"] == "frozen"
    assert "whole key" in made.json("keys", "report-leak", str(made.path / "platform.toml")).error["message"]
    assert "cannot be read" in made.json("keys", "report-leak", str(tmp_path / "none")).error["message"]


def test_tickets_are_opened_answered_and_closed_by_commands(made: Folder) -> None:
    opened = made.json("tickets", "create", "Slow\x1b[2J answers", "--text", "Why?", "--account", "acme")
    assert "does not print" in opened.error["message"]
    opened = made.json("tickets", "create", "Slow answers", "--text", "Why?\nTell me.", "--account", "acme")
    ticket_id = opened.answer["id"]
    made.json("tickets", "reply", ticket_id, "So.")
    shown = made.type("tickets", "show", ticket_id).out
    assert shown.index("So.") < shown.index("Why?\nTell me.")
    key = made.json("keys", "create", "stopped", "--account", "acme").answer
    frozen = made.json("tickets", "freeze", ticket_id, "--key", key["id"], "--yes").answer
    assert frozen["state"] == "frozen"
    raised = made.json(
        *("tickets", "limit", ticket_id, "--kind", "requests_per_minute", "--most", "900", "--until", "30d")
    ).answer
    assert raised["data"][0]["limit"] == 900
    assert "is about no call" in made.json("tickets", "refund", ticket_id, "--yes").error["message"]
    assert "[freeze]" in made.type("tickets", "show", ticket_id).out
    assert made.json("tickets", "close", ticket_id).answer["state"] == "closed"
    assert made.json("tickets", "list", "--state", "open").answer["data"] == []
    assert ticket_id in made.type("tickets", "list").out


def test_everybody_is_told_of_an_incident_by_commands(made: Folder) -> None:
    opened = made.json("announcements", "open", "Slow", "We look.", "--model", "toll-1").answer
    made.json("announcements", "write", opened["id"], "Found it.")
    assert made.json("announcements", "close", opened["id"]).answer["closed_at"] is not None
    assert "closed" in made.json("announcements", "write", opened["id"], "More.").error["message"]
    (one,) = made.json("announcements", "list").answer["data"]
    assert [update["text"] for update in one["updates"]] == ["We look.", "Found it.", "It is over."]
    status = made.json("status").answer
    assert (status["models"], status["silent"], status["incidents"][0]["id"]) == ([], 1, opened["id"])
    assert "Too few calls" in made.type("status").out


def test_an_account_opened_before_the_first_start_gets_what_the_file_gives(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.json("init")
    plans = '[plans.default]\ncredit_limit_usd = "unlimited"\nsystem_hard_limit_usd = "1000"\nrequests_per_minute = 7\n'
    (tmp_path / "platform.toml").write_text(PLATFORM + plans, encoding="utf-8")
    assert folder.json("accounts", "create", "early").answer["credit_limit_usd"] == "unlimited"
    (ceiling,) = folder.json("budgets", "list").answer["data"]
    assert (ceiling["amount_usd"], ceiling["window"], ceiling["managed_by_operator"]) == ("1000", "month", True)
    (limit,) = folder.json("limits", "show", "--account", "early").answer["data"]
    assert (limit["name"], limit["limit"], limit["source"]) == ("requests_per_minute", 7, "plan")
    assert "plan default" in {f"{one['kind']} {one['id']}" for one in folder.json("plan").answer["changes"]}
    (tmp_path / "platform.toml").write_text(plans.replace('"1000"', '"-1"'), encoding="utf-8")
    assert "plans.default.system_hard_limit_usd" in folder.json("accounts", "create", "odd").error["message"]


def test_init_makes_a_private_folder_and_changes_nothing_twice(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new" / "data")
    assert len(folder.json("init").answer["made"]) >= 2  # the file, and each step of the schema
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    for name in ("platform.toml", "tollhouse.db"):
        assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o600
    (folder.path / "platform.toml").write_text("# mine\n")
    assert folder.json("init").answer["made"] == []
    assert (folder.path / "platform.toml").read_text() == "# mine\n"


def test_what_init_writes_has_no_mistakes_and_can_be_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("LISTEN", "METRICS_ADDRESS"):  # somebody may be serving at those of the default
        monkeypatch.setenv(f"TOLLHOUSE_{address}", "127.0.0.1:0")
    folder = Folder(tmp_path)
    folder.type("init")
    planned = folder.json("plan").answer
    assert planned["warnings"] == []
    assert [change["id"] for change in planned["changes"]] == ["simulator", "example-1", "default"]
    assert folder.json("apply").answer["generation"] == 1
    assert folder.json("plan").answer["changes"] == []
    examined = folder.json("doctor")
    assert examined.code == 0, examined


def test_without_a_database_a_command_says_how_to_make_one(tmp_path: Path) -> None:
    missing = Folder(tmp_path / "gone").json("keys", "list")
    assert missing.error["code"] == "no_data_folder"
    (tmp_path / "file").touch()
    odd = Folder(tmp_path / "file").json("keys", "list").error
    assert (odd["code"], "Not a directory" in odd["message"]) == ("no_data_folder", True)
    empty = Folder(tmp_path).json("keys", "list")
    assert (empty.code, empty.error["code"]) == (1, "no_database")
    assert "tollhouse init" in empty.error["message"]
    assert not (tmp_path / "tollhouse.db").exists()


def test_migrate_shows_what_it_would_do_and_does_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.json("migrate", "--plan").error["code"] == "no_database"
    assert folder.json("migrate").answer["steps"]
    assert folder.json("migrate", "--plan").answer == {"object": "migration", "applied": False, "steps": []}


def test_mistakes_in_platform_toml_are_exit_code_2_all_in_one_run(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.type("init")
    path = tmp_path / "other.toml"
    path.write_bytes(b'\xef\xbb\xbf[plattform]\r\n[server]\r\ndatabse = "x"\r\n')
    ran = folder.type("plan", "-f", str(path))
    assert ran.code == 2
    assert [line.split(" ")[0] for line in ran.err.splitlines()] == ["plattform", "server.databse"]
    path.write_bytes(PLATFORM.encode("utf-16"))
    assert "UTF-16" in folder.json("apply", "-f", str(path)).error["message"]
    assert folder.json("plan", "-f", str(tmp_path / "gone.toml")).error["code"] == "no_such_file"
    assert folder.json("models", "list").answer["data"] == []


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("keys", "list"), ("migrate",)])
def test_the_folders_own_file_shows_all_its_mistakes_in_one_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = Folder(tmp_path)
    folder.type("init")
    (tmp_path / "platform.toml").write_text(
        '[server]\ndatabse = "x"\n[alerts]\n[models.x]\nprices = {}\n[mail]\nsmtp = "x"\nfrom = "x y"\n',
        encoding="utf-8",
    )
    ran = folder.type(*command)
    assert ran.code == 2
    named = ["server.databse", "alerts", "models.x.prices", "mail.smtp", "mail.from"]
    assert [line.split(" ")[0] for line in ran.err.splitlines()] == named


def test_a_mistake_of_no_concern_to_a_command_does_not_stop_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.type("init")
    (tmp_path / "platform.toml").write_text('[mail]\nsmtp = "env:NOT_IN_THIS_SHELL"\n', encoding="utf-8")
    assert folder.type("keys", "list").code == 0


def test_keys_from_making_to_revoking(made: Folder) -> None:
    words = ("keys", "create", "ci", "--account", "acme", "--model", "toll-*", "--network", "10.0.0.0/8")
    key = made.json(*words, "--scope", "inference", "--expires", "30d", "--tag", "team=a", "--tag", "env=ci").answer
    assert key["secret"].startswith("sk-th-live-")
    assert (key["models"], key["networks"], key["scopes"]) == (["toll-*"], ["10.0.0.0/8"], ["inference"])
    assert key["tags"] == {"team": "a", "env": "ci"}
    assert made.json("keys", "show", "ci").answer["id"] == key["id"]
    rotated = made.json("keys", "rotate", key["id"], "--overlap", "24h", "--from", "first-use").answer
    assert rotated["id"] == key["id"]
    assert rotated["secret"] != key["secret"]
    assert rotated["secrets"][1]["overlap_seconds"] == 86_400
    assert made.json("keys", "freeze", "ci", "--reason", "leak?").answer["state"] == "frozen"
    assert made.json("keys", "unfreeze", "ci", "--reason", "no leak").answer["state"] == "active"
    assert made.json("keys", "revoke", "ci", "--yes").answer["state"] == "revoked"
    again = made.json("keys", "rotate", key["id"])
    assert (again.code, again.error["code"]) == (1, "conflict")
    listed = made.type("keys", "list")
    assert "ci" in listed.out
    assert key["secret"] not in listed.out
    actions = [row["action"] for row in made.json("audit", "list", "--object", key["id"]).answer["data"]]
    assert actions == ["key.revoke", "key.unfreeze", "key.freeze", "key.rotate", "key.create"]


@pytest.mark.parametrize("mode", ["live", "test", "admin"])
def test_a_key_of_each_mode(made: Folder, mode: str) -> None:
    made_key = made.json("keys", "create", f"of-{mode}", "--account", "acme", "--mode", mode).answer
    assert made_key["secret"].startswith(f"sk-th-{mode}-")


def test_for_people_a_secret_stands_alone_on_its_line(made: Folder) -> None:
    ran = made.type("keys", "create", "by-hand", "--account", "acme")
    assert [line for line in ran.out.splitlines() if line.startswith("sk-th-live-") and len(line) == 60]


def test_accounts_and_projects(made: Folder) -> None:
    account = made.json("accounts", "create", "bank", "--credit-limit", "unlimited").answer
    assert account["credit_limit_usd"] == "unlimited"
    assert made.json("accounts", "suspend", "bank", "--reason", "unpaid").answer["state"] == "suspended"
    assert made.json("accounts", "resume", account["id"]).answer["state"] == "active"
    project = made.json("projects", "create", "web", "--account", "bank").answer
    assert made.json("keys", "create", "k", "--project", project["id"]).answer["account_id"] == account["id"]
    assert made.json("projects", "archive", "web").answer["state"] == "archived"
    names = [one["name"] for one in made.json("projects", "list", "--account", "bank").answer["data"]]
    assert names == ["web", "default"]
    assert made.json("accounts", "list", "--limit", "1").answer["next"]


def test_reports_and_lists_have_the_shape_of_lists(made: Folder) -> None:
    for words in (("usage",), ("usage", "--by", "day"), ("models", "list"), ("providers", "list"), ("audit", "list")):
        answer = made.json(*words).answer
        assert (answer["object"], isinstance(answer["data"], list)) == ("list", True)
    header = made.type("usage", "--by", "tag", "--from", "2026-01-01", "--csv").out.splitlines()[0]
    assert header.startswith("tag,calls,failed,charge_usd,input,")
    for words in (("accounts", "list"), ("models", "list"), ("providers", "list"), ("usage",), ("audit", "list")):
        assert made.type(*words).code == 0


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("keys", "show", "nobody"), "not_found", 1),
        (("keys", "create", "x", "--account", "nobody"), "not_found", 1),
        (("keys", "create", "x", "--account", "acme", "--expires", "soon"), "invalid_request_error", 2),
        (("keys", "create", "x", "--account", "acme", "--tag", "novalue"), "usage", 2),
        (("keys", "create", "x", "--account", "acme", "--mode", "root"), "usage", 2),
        (("keys", "create"), "usage", 2),
        (("keys", "explode"), "usage", 2),
        (("explode",), "usage", 2),
        (("keys", "list", "--colour"), "usage", 2),
        (("accounts", "list", "--limit", "many"), "usage", 2),
        (("accounts", "list", "--limit", "0"), "invalid_request_error", 2),
        (("usage", "--by", "moon"), "usage", 2),
        (("check", "--base-url", "nowhere", "--key", "k"), "invalid_base_url", 2),
    ],
)
def test_errors_are_one_json_line_on_stderr(made: Folder, words: tuple[str, ...], code: str, exit_code: int) -> None:
    ran = made.json(*words)
    assert (ran.error["code"], ran.code) == (code, exit_code)
    plain = made.type(*words)
    assert plain.code == exit_code
    assert plain.err
    assert "Traceback" not in plain.err
    assert "{" not in plain.err


@pytest.mark.parametrize("amount", ["-7", "NaN", "1e400", "1e-12", "1,5", "٣"])
def test_amounts_that_are_none_are_exit_code_2_and_name_the_field(made: Folder, amount: str) -> None:
    ran = made.json("accounts", "create", "x", f"--credit-limit={amount}")
    assert ran.code == 2
    assert "credit_limit" in ran.error["message"]


def test_a_missing_secret_stops_apply_but_not_other_commands(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.type("init")
    (tmp_path / "platform.toml").write_text(PLATFORM.replace("sk-1", "env:TOLLHOUSE_TEST_NO_SUCH_VARIABLE"))
    assert "TOLLHOUSE_TEST_NO_SUCH_VARIABLE is not set" in folder.json("apply").error["message"]
    assert folder.json("keys", "list").code == 0
    served = folder.json("serve", "--port", "0")
    assert (served.code, served.error["code"]) == (2, "invalid_configuration")


def test_a_command_waits_for_the_one_before_it(made: Folder) -> None:
    ran: list[Ran] = []
    with FolderLock(made.path / "tollhouse.lock"):
        waiting = threading.Thread(target=lambda: ran.append(made.json("accounts", "list")))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(30)
    assert ran[0].code == 0


def test_a_server_does_not_start_on_a_folder_in_use(made: Folder) -> None:
    with FolderLock(made.path / "tollhouse.lock"):
        assert made.json("serve", "--port", "0").error["code"] == "folder_in_use"


def test_help_and_version_and_completion_know_every_command(made: Folder) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run(["--help"]) == 0
        assert run(["--version"]) == 0
    for name, _, _ in COMMANDS:
        assert name in out.getvalue()
    assert "--install-completion" in out.getvalue()


def test_what_is_written_to_the_terminal_cannot_play_tricks(made: Folder) -> None:
    os.environ.pop("NO_COLOR", None)
    made.json("accounts", "create", "red [bold]text[/bold]")
    assert "red [bold]text[/bold]" in made.type("accounts", "list").out
