"""`tollhouse demo` as its user starts it: ready with one line, secrets kept, changes acting on the next request."""

import json
import socket
import stat
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine

from tests.support.server_process import TOLLHOUSE, served
from tollhouse.cli import demo_env
from tollhouse.store import migration

FACTS = {
    *("base_url", "api_key", "test_key", "admin_key", "console_url"),
    *("email", "password", "operator_email", "operator_password"),
}
AS_IT_COMES = {"TOLLHOUSE_LAME_DUCK_SECONDS": "0"}


def tollhouse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TOLLHOUSE, *words], capture_output=True, text=True, timeout=60)


@contextmanager
def demo(folder: Path, *words: str) -> Iterator[dict[str, str]]:
    with served("demo", "--dir", str(folder), *words, log=folder.parent / "demo.log", environment=AS_IT_COMES) as demo:
        yield demo.facts


def call(facts: dict[str, str], key: str, path: str, body: Any = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        facts["base_url"] + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def chat(facts: dict[str, str], key: str, model: str = "gpt-4o-mini") -> tuple[int, Any]:
    return call(facts, key, "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "hi"}]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house") / "data"


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[dict[str, str]]:
    with demo(folder) as facts:
        yield facts


def test_the_ready_line_holds_all_facts_and_demo_env_the_same(running: dict[str, str], folder: Path) -> None:
    assert set(running) == FACTS
    kept = demo_env.read(folder / "demo.env")
    assert {name.removeprefix("TOLLHOUSE_").lower(): value for name, value in kept.items()} == {
        name: value for name, value in running.items() if name != "console_url"
    }
    assert stat.S_IMODE((folder / "demo.env").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "tollhouse.sock").stat().st_mode) == 0o600
    sourced = subprocess.run(
        ["/bin/sh", "-c", f'. "{folder}/demo.env"; printf %s "$TOLLHOUSE_API_KEY"'], capture_output=True, text=True
    )
    assert sourced.stdout == running["api_key"]


def test_each_key_does_what_it_is_for(running: dict[str, str]) -> None:
    assert chat(running, running["api_key"])[0] == 200
    assert chat(running, running["test_key"])[0] == 200
    assert chat(running, running["admin_key"])[0] == 403
    assert call(running, running["admin_key"], "/api/v1/keys")[0] == 200
    assert call(running, running["api_key"], "/api/v1/keys")[0] == 403


def test_changes_by_command_act_on_the_next_request(running: dict[str, str], folder: Path) -> None:
    made = json.loads(tollhouse("keys", "create", "short-lived", "--dir", str(folder), "--json").stdout)
    assert chat(running, made["secret"])[0] == 200
    assert tollhouse("keys", "freeze", made["id"], "--dir", str(folder)).returncode == 0
    status, answer = chat(running, made["secret"])
    assert (status, answer["error"]["code"]) == (403, "key_frozen")
    assert tollhouse("keys", "revoke", made["id"], "--dir", str(folder), "--yes").returncode == 0
    status, answer = chat(running, made["secret"])
    assert (status, answer["error"]["code"]) == (401, "invalid_api_key")


def test_check_and_doctor_are_green_on_it(running: dict[str, str], folder: Path) -> None:
    checked = tollhouse("check", "--base-url", running["base_url"], "--key", running["api_key"], "--json")
    states = {step["id"]: step["state"] for step in json.loads(checked.stdout)["steps"]}
    assert checked.returncode == 0
    assert [states[name] for name in ("api_key", "request_format", "model")] == ["green"] * 3
    examined = tollhouse("doctor", "--dir", str(folder), "--json")
    red = [check for check in json.loads(examined.stdout)["checks"] if check["state"] == "red"]
    assert [check["id"] for check in red if check["id"] != "listen_address"] == []


def test_the_pages_answer(running: dict[str, str]) -> None:
    for path, words in (("/console/", "Sign in"), ("/support", "Check the API key")):
        with urllib.request.urlopen(running["base_url"] + path, timeout=30) as answer:
            assert words in answer.read().decode()


def test_a_taken_port_and_a_folder_in_use_are_said(running: dict[str, str], folder: Path, tmp_path: Path) -> None:
    taken = running["base_url"].rpartition(":")[2]
    other = tollhouse("demo", "--dir", str(tmp_path / "d"), "--port", taken, "--json")
    assert other.returncode == 1
    assert json.loads(other.stderr)["error"]["code"] == "port_in_use"
    same = tollhouse("demo", "--dir", str(folder), "--port", "0")
    assert same.returncode == 1
    assert "tollhouse demo (process " in same.stderr
    assert running["base_url"] in same.stderr


def test_secrets_are_kept_over_restarts_and_a_configuration_comes_on_top(tmp_path: Path) -> None:
    folder, config = tmp_path / "data", tmp_path / "more.toml"
    with demo(folder) as first:
        pass
    env = folder / "demo.env"
    env.write_bytes(b"\xef\xbb\xbf" + env.read_bytes().replace(b"\n", b"\r\n"))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        config.write_text(
            '[providers.main]\nkind = "openai_compatible"\n'
            f'base_url = "http://127.0.0.1:{nobody.getsockname()[1]}/v1"\n'
            '[providers.s]\nkind = "simulator"\n[models.mine]\nfree = true\n'
            'offers = [{ provider = "s", model = "m" }]\naliases = ["gpt-4o"]\n'
        )
        with demo(folder, "--config", str(config)) as second:
            assert {name: second[name] for name in FACTS if not name.endswith("_url")} == {
                name: first[name] for name in FACTS if not name.endswith("_url")
            }
            assert chat(second, second["api_key"], "mine")[0] == 200
            assert chat(second, second["api_key"], "gpt-4o")[0] == 200
            assert chat(second, second["api_key"], "gpt-4o-mini")[0] == 200, "our models stay with the simulator"


def test_a_configuration_with_mistakes_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[server]\nlistne = "x"\n[models.x]\nprices = {}\n')
    ran = tollhouse("demo", "--dir", str(tmp_path / "data"), "--config", str(tmp_path / "bad.toml"))
    assert ran.returncode == 2
    assert "server.listne" in ran.stderr
    assert "models.x.prices" in ran.stderr
    assert not (tmp_path / "data").exists()


def test_older_folder_is_brought_up_to_date_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    engine = create_engine(f"sqlite:///{folder / 'tollhouse.db'}")
    with engine.begin() as connection:
        command.upgrade(migration._configuration(connection), "0015")
    engine.dispose()
    assert "run `tollhouse migrate`" in tollhouse("keys", "list", "--dir", str(folder)).stderr
    with demo(folder) as facts:
        assert call(facts, facts["api_key"], "/v1/models")[0] == 200
    log = (tmp_path / "demo.log").read_text(encoding="utf-8")
    assert f"The database of {folder} is older: ran 0016" in log
    with demo(folder) as again:
        assert again["api_key"] == facts["api_key"]
    assert (tmp_path / "demo.log").read_text(encoding="utf-8").count("is older") == log.count("is older")
