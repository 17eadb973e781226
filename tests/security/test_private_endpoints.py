"""Incident 13 of the peers: management that stood open while authentication was unset, jobs that any login could start.

The router is walked with no credential and with each role; a start with broken secrets is refused.
"""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.wire_client import RawClient, get
from tests.security import endpoints
from tests.security.endpoints import EndpointCase
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer
from tollhouse.cli.command_line import run
from tollhouse.edge.admin.table import TABLE

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")

NO_CREDENTIAL: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer null"},
    {"Authorization": "Basic YWRtaW46YWRtaW4="},
    {"Authorization": "Bearer ' OR '1'='1"},
    {"x-api-key": "sk-1234"},
    {"Cookie": "session=admin; role=operator"},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    {"X-Tollhouse-Role": "operator", "X-User": "operator", "X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz"},
)


def _ask(platform: DemoPlatform, endpoint: EndpointCase, headers: dict[str, str]) -> DemoReply:
    return platform.ask(
        endpoint.method, endpoint.path, {**headers, **(JSON if endpoint.body is not None else {})}, endpoint.body
    )


@pytest.mark.parametrize("headers", NO_CREDENTIAL, ids=lambda headers: ",".join(headers) or "none")
def test_without_a_credential_every_endpoint_is_closed(platform: DemoPlatform, headers: dict[str, str]) -> None:
    for endpoint in endpoints.closed():
        assert _ask(platform, endpoint, headers).verdict == (401, "invalid_api_key"), endpoint.name


def test_the_public_list_is_as_named_and_answers(platform: DemoPlatform) -> None:
    assert {(endpoint.method, endpoint.path) for endpoint in endpoints.public()} == endpoints.PUBLIC
    for endpoint in endpoints.public():
        is_form = endpoint.path == "/api/v1/alerts/confirm" or endpoint.method == "POST"
        is_form = is_form and endpoint.path != "/api/v1/support/diagnose"  # of nothing it says nothing
        is_of_nothing = endpoint.path in endpoints.BEHIND_LINKS or endpoint.path.endswith("{id}")
        expected = (404,) if is_of_nothing else (200, 307)
        assert platform.ask(endpoint.method, endpoint.path).status in ((400,) if is_form else expected), endpoint.name


def test_no_method_opens_a_endpoint(platform: DemoPlatform) -> None:
    """Of a closed endpoint nothing is told; of a public one no method changes anything."""
    for endpoint in [*endpoints.closed(), *endpoints.public()]:
        for method in METHODS:
            reply = platform.ask(method, endpoint.path, JSON, b"{}")
            if (method, endpoint.path) in endpoints.PUBLIC or method == "HEAD":
                continue
            allowed = {401, 405} | ({204} if method == "OPTIONS" else set())
            assert reply.status in allowed, (method, endpoint.path)
            if reply.status == 405:
                assert method not in reply.headers["allow"].split(", ")


def test_an_api_key_reaches_the_llm_api_and_of_the_control_api_its_own_data_only(platform: DemoPlatform) -> None:
    key = platform.key("walk-role-live")
    for endpoint in [*endpoints.calls(), *endpoints.lookups()]:
        assert _ask(platform, endpoint, bearer(key)).status == 200, endpoint.name
    for endpoint in endpoints.organization():
        assert _ask(platform, endpoint, bearer(key)).verdict == (403, "scope_missing"), endpoint.name
    own = {route.path for route in TABLE if "key" in route.who}
    for endpoint in endpoints.control():
        status = _ask(platform, endpoint, bearer(key)).status
        assert status == 403 or endpoint.path.replace("nothing", "{id}") in own, endpoint.name


@pytest.mark.parametrize("mode", ["test", "admin"])
def test_other_keys_do_what_their_mode_is_for(platform: DemoPlatform, mode: str) -> None:
    key = platform.key(f"walk-role-{mode}", mode=mode)
    for endpoint in endpoints.organization():
        reply = platform.get(f"{endpoint.path}?start_time=0", key)
        assert reply.verdict == ((200, "") if mode == "admin" else (403, "scope_missing")), endpoint.name
    for endpoint in endpoints.calls():
        assert _ask(platform, endpoint, bearer(key)).verdict == (
            (200, "") if mode == "test" else endpoint.not_permitted("scope_missing")
        )
    for route in TABLE:
        endpoint = EndpointCase(
            route.method, route.path.replace("{id}", "nothing"), None if route.method == "GET" else b"{}"
        )
        status = _ask(platform, endpoint, bearer(key)).status
        who = "account" if mode == "admin" else "key"
        assert (status != 403) == bool({"public", who} & route.who), endpoint.name


def test_the_metrics_are_not_on_the_main_listener_and_nothing_else_is_on_theirs(platform: DemoPlatform) -> None:
    for path in ("/metrics", "/v1/metrics", "//metrics", "/metrics/"):
        assert platform.ask("GET", path).verdict == (404, "not_found")
    for endpoint in [*endpoints.closed(), *endpoints.public()]:
        with RawClient(platform.metrics_port) as wire:
            answer = wire.send(get(endpoint.path.encode())).answer()
        assert answer is not None
        assert answer.status == 404
        assert answer.json()["error"]["message"]


def test_the_control_socket_is_for_its_owner_only(platform: DemoPlatform) -> None:
    assert platform.options.socket.stat().st_mode & 0o777 == 0o600
    assert platform.folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in platform.folder.iterdir() if path.stat().st_mode & 0o077] == []


PROVIDER = '[providers.main]\nkind = "openai"\nbase_url = "https://provider.example/v1"\napi_keys = ["{}"]\n'
BROKEN = {
    "a provider's key that is not set": PROVIDER.format("env:NOT_SET_ANYWHERE"),
    "a provider's key that is empty": PROVIDER.format("env:SET_AND_EMPTY"),
    "a provider's key in a file that is not there": PROVIDER.format("file:nowhere.key"),
    "a master key that is not set": '[server]\nmaster_key = "env:NOT_SET_ANYWHERE"\n',
    "a master key that is empty": '[server]\nmaster_key = "env:SET_AND_EMPTY"\n',
    "a master key in a file that is not there": '[server]\nmaster_key = "file:nowhere.key"\n',
}


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database, as `init` makes it."""
    folder = tmp_path_factory.mktemp("founded")
    assert run(["init", "--dir", str(folder)]) == 0
    return folder


@pytest.fixture
def taken() -> Iterator[str]:
    """An address where somebody listens already: a start that is not refused ends there, with another code."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("broken", BROKEN)
def test_serve_with_broken_secrets_refuses_to_start(
    founded: Path,
    tmp_path: Path,
    taken: str,
    broken: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SET_AND_EMPTY", "")
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    listen = f'[server]\nlisten = "{taken}"\nmetrics_address = ""\n'
    text = BROKEN[broken]
    whole = text.replace("[server]\n", listen) if "[server]" in text else listen + text
    (tmp_path / "platform.toml").write_text(whole)
    assert run(["serve", "--dir", str(tmp_path), "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert any(name in told.err for name in ("NOT_SET_ANYWHERE", "SET_AND_EMPTY", "nowhere.key"))


def test_serve_without_broken_secrets_is_not_refused_for_them(
    founded: Path, tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    (tmp_path / "platform.toml").write_text(f'[server]\nlisten = "{taken}"\nmetrics_address = ""\n')
    assert run(["serve", "--dir", str(tmp_path), "--json"]) == 1
    assert "port_in_use" in capsys.readouterr().err
