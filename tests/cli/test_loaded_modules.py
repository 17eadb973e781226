"""What a command loads: a client of a running server does without all that a server needs, and so starts at once.

Time is not measured here: a machine that is busy would decide. What takes the time is loading modules, and these are
named.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server_process import served
from tollhouse.cli.command_line import COMMANDS

_SEEN = """
import json, sys
from tollhouse.cli.command_line import run
codes = [run(words) for words in json.loads(sys.argv[1])]
print(json.dumps([codes, sorted(sys.modules)]), file=sys.stderr)
"""
_SERVER = (
    *("sqlalchemy", "alembic", "psycopg", "sqlite3", "argon2", "cryptography", "tiktoken", "uvicorn", "uvloop"),
    *("asyncio", "logging", "ssl", "apprise", "starlette", "email", "http.client", "importlib.metadata"),
    *("tollhouse.app", "tollhouse.console", "tollhouse.gateway", "tollhouse.store.schema", "tollhouse.upstream"),
    *("tollhouse.outbound", "tollhouse.tokens", "tollhouse.formats", "tollhouse.services.context"),
)
_TABLES = ("rich.console", "rich.table", "rich.text")
_REST = ("cyclopts.completion", "difflib", "docstring_parser")
_NOT_FOR_CLIENTS = (*_SERVER, *_TABLES, *_REST)

_OF_CLIENTS = (
    *("accounts create one", "accounts list", "accounts show one", "accounts set one --zone Europe/Berlin"),
    *("accounts suspend one --yes", "accounts resume one", "accounts list --json"),
    *("projects create tools --account demo", "projects list"),
    *("members add a@b.example --account demo", "members list --account demo", "members invited --account demo"),
    *("keys create k --account demo", "keys list", "keys show k", "keys freeze k --yes", "keys unfreeze k"),
    *("credits grant demo 5 --reason gift", "credits list --account demo"),
    *("codes create --amount 1", "codes list"),
    "tickets list",
    *("budgets set --account demo --amount 9 --window month", "budgets list"),
    *("limits set --account demo --requests-per-minute 60", "limits show --account demo", "limits show"),
    *("ledger verify", "ledger statement --account demo"),
    "alerts list",
    "providers list",
    *("models list", "models list --public", "models margins"),
    *("models price list", "models price drafts"),
    *("usage", "usage --csv"),
    *("requests list", "requests tail --count 0"),
    "audit list",
    *("plan", "plan --json"),
)


def _loaded(*commands: list[str]) -> set[str]:
    """The modules of a process that has run these commands, one after another."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TOLLHOUSE_", "COVERAGE"))}
    ran = subprocess.run(
        [sys.executable, "-c", _SEEN, json.dumps(commands)], capture_output=True, text=True, env=environment, timeout=60
    )
    codes, modules = json.loads(ran.stderr.splitlines()[-1])
    assert codes == [0] * len(commands), ran.stderr
    return set(modules)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a running platform."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "platform.toml").write_text('[server]\nmetrics_address = ""\n', encoding="utf-8")
    with served("demo", "--dir", str(folder), log=folder / "log"):
        yield folder


def test_a_command_beside_a_server_loads_nothing_of_a_server(folder: Path) -> None:
    """What all of them together do not load, none loads: in one process, for each start costs as much as ten commands.
    Where one does, it is looked for."""
    commands = [[*command.split(), "--dir", str(folder)] for command in _OF_CLIENTS]
    loaded = _loaded(*commands) & set(_NOT_FOR_CLIENTS)
    assert loaded == set(), [command for command in commands if _loaded(command) & loaded]


def test_a_server_loads_nothing_that_only_some_commands_need() -> None:
    code = "import json, sys, tollhouse.cli.demonstration; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    unneeded = {*_TABLES, *_REST, "alembic", "psycopg", "tiktoken", "sqlalchemy.dialects.postgresql"} - {
        "difflib"
    }  # `plan` spells with it
    assert set(json.loads(ran.stdout)) & unneeded == set()


def test_a_command_without_a_server_loads_the_database_but_no_server(tmp_path: Path) -> None:
    assert "sqlalchemy" in _loaded(["init", "--dir", str(tmp_path)])
    loaded = _loaded(["accounts", "list", "--dir", str(tmp_path)])
    unneeded = {*_TABLES, "uvicorn", "uvloop", "alembic", "psycopg", "tiktoken", "sqlalchemy.dialects.postgresql"}
    assert loaded & (unneeded | {"tollhouse.app", "tollhouse.console", "tollhouse.edge.server"}) == set()
    assert "sqlalchemy" in loaded


def test_the_help_of_a_command_loads_nothing_of_a_server() -> None:
    commands = [[name, "--help"] for name, _, _ in COMMANDS if name not in ("check", "bench")]
    loaded = _loaded(*commands) & set(_SERVER)
    assert loaded == set(), [command for command in commands if _loaded(command) & loaded]


@pytest.mark.parametrize("name", ["check", "bench"])
def test_the_help_of_a_command_that_calls_a_service_loads_what_calls_it(name: str) -> None:
    allowed = {"asyncio", "logging", "ssl", "email", "http.client", "tollhouse.formats"}  # it finds formats when asked
    loaded = _loaded([name, "--help"])
    assert loaded & set(_SERVER) <= allowed
    names = {f"tollhouse.formats.gemini{part}" for part in ("", ".parameters", ".spelling")}  # of members: no codec
    assert {module for module in loaded if module.startswith("tollhouse.formats.")} <= names


@pytest.mark.parametrize("words", [["--help"], ["help"]])
def test_the_list_of_commands_loads_no_command(words: list[str]) -> None:
    loaded = _loaded(words)
    assert loaded & {*_SERVER, "msgspec", "tollhouse.core", "cyclopts.completion.install"} == set()
    assert {name for name in loaded if name.startswith("tollhouse.")} == {
        *("tollhouse.cli", "tollhouse.cli.command_line", "tollhouse.cli.output")
    }
