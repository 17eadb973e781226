"""Incident 14 of the peers: master keys in logs, `?key=` in access logs, provider keys in tracebacks.

Secrets and content are planted wherever they can stand; every endpoint, error, fault and command is run; then all that
the platform wrote anywhere is searched for them.
"""

import contextlib
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct, field

from tests.edge.wire_client import RawClient, get
from tests.security import endpoints
from tests.security.canary import Canary, canary
from tests.security.key_locations import PLACES
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer
from tollhouse.access.secrets import mint
from tollhouse.cli.command_line import run
from tollhouse.upstream.simulator.script import failures

PROVIDER_KEYS = ("sk-canary-in-the-environment-4711", "sk-canary-as-it-stands-in-the-file-4712")
PROVIDER_HEADER = "canary-header-of-a-provider-4713"
PROXY_PASSWORD = "canary-proxy-password-4714"
STATUSES = (400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529)
CONFIG = """
[providers.canary]
kind = "openai_compatible"
base_url = "http://{0}/v1"
api_keys = ["env:CANARY_KEY", "{1}"]
headers = {{ "x-canary" = "{2}" }}

[providers.behind_a_proxy]
kind = "openai"
base_url = "https://provider.example/v1"
api_keys = ["{1}"]
proxy = "http://user:{3}@127.0.0.1:1"

[models.unreachable]
offers = [{{ provider = "behind_a_proxy", model = "unreachable" }}]
free = true
"""
MODEL = '[models.{0}]\noffers = [{{ provider = "canary", model = "{0}" }}]\nfree = true\n'

CONTENT = "canary-prompt-4721"
HEADERS = {
    "User-Agent": "Canary/1.0 (canary-user-agent-4722)",
    "Cookie": "session=canary-cookie-4723",
    "Referer": "https://canary-referer-4724.example/?token=canary-referer-4724",
    "X-Custom-Secret": "canary-custom-header-4725",
    "Proxy-Authorization": "Basic canary-proxy-authorization-4726",
    "X-Forwarded-For": "canary-forwarded-4727",
    "OpenAI-Organization": "canary-organization-4729",
}
GARBAGE = (
    "Bearer canary-garbage-4731",
    "Basic Y2FuYXJ5OmdhcmJhZ2UtNDczMg==",
    "and more canary-garbage-4733",
    "Token canary-4734",
)
QUERY = "canary-query-4735"
PATH = "canary-path-4736"


class SecretSearch(Struct):
    """What came of it. `secrets` must be nowhere; `content` nowhere but in answers to who sent it."""

    platform: DemoPlatform
    secrets: set[str]
    content: set[str]
    errors: list[DemoReply] = field(default_factory=list)
    printed: str = ""

    def keep(self, reply: DemoReply) -> None:
        if reply.status >= 400:
            self.errors.append(reply)


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretSearch]:
    folder = tmp_path_factory.mktemp("secrets") / "demo"
    with canary() as provider:
        names = [f"canary-{status}" for status in (200, *STATUSES)]
        config = CONFIG.format(provider.address, PROVIDER_KEYS[1], PROVIDER_HEADER, PROXY_PASSWORD)
        platform = DemoPlatform(folder, config + "".join(map(MODEL.format, names)), {"CANARY_KEY": PROVIDER_KEYS[0]})
        try:
            secrets = {
                platform.facts[name] for name in ("api_key", "test_key", "admin_key", "password", "operator_password")
            }
            visit = SecretSearch(platform, secrets | {*PROVIDER_KEYS, PROVIDER_HEADER, PROXY_PASSWORD}, set())
            visit.secrets |= {secret.rpartition(" ")[2] for secret in GARBAGE} | {QUERY}
            visit.secrets |= {value.rpartition("=")[2].rpartition(" ")[2].strip("()") for value in HEADERS.values()}
            visit.content.add(CONTENT)
            _call_everything(visit)
            _provoke_every_fault(visit)
            _fail_at_the_provider(visit, provider)
            _send_nonsense(visit)
            _type_commands(visit, tmp_path_factory.mktemp("typed"))
            yield visit
        finally:
            platform.close()


def _body(endpoint: endpoints.EndpointCase, **fields: object) -> bytes:
    return json.dumps(
        {**json.loads((endpoint.body or b"{}").replace(endpoints.PROMPT.encode(), CONTENT.encode())), **fields}
    ).encode()


def _call_everything(visit: SecretSearch) -> None:
    platform = visit.platform
    keys = [platform.facts[name] for name in ("api_key", "test_key", "admin_key")]
    made = platform.key("walked")
    keys += [made, str(platform.operator("keys.rotate", "walked", overlap="1h")["secret"]), mint("live", bytes(32))]
    visit.secrets |= set(keys)
    for endpoint in [*endpoints.closed(), *endpoints.public()]:
        sent = {**HEADERS, **(JSON if endpoint.body is not None else {})}
        body = None if endpoint.body is None else _body(endpoint) if endpoint.operation else endpoint.body
        for key, place in itertools.product(keys, PLACES):
            target = endpoint.path + (place.query(key) or f"?x={QUERY}")
            visit.keep(platform.ask(endpoint.method, target, {**sent, **place.headers(key)}, body))
        for garbage in GARBAGE:
            visit.keep(
                platform.ask(endpoint.method, f"{endpoint.path}?key={QUERY}", {**sent, "Authorization": garbage}, body)
            )


def _provoke_every_fault(visit: SecretSearch) -> None:
    platform = visit.platform
    scripts = [f"error={code}" for code in failures()] + [f"status={status}" for status in STATUSES]
    scripts += ["malformed", "no_usage", "cut_after=1", "cut_after=0", "tool=look", "nonsense", "tokens=canary"]
    for endpoint, script, stream in itertools.product(endpoints.calls(), scripts, (False, True)):
        headers = {**HEADERS, **bearer(platform.facts["test_key"]), **JSON, "x-tollhouse-simulate": script}
        visit.keep(platform.ask("POST", endpoint.path, headers, _body(endpoint, stream=stream)))


def _fail_at_the_provider(visit: SecretSearch, provider: Canary) -> None:
    """It repeats its key, our headers and the whole request in every error."""
    key = visit.platform.facts["api_key"]
    first, *others = endpoints.calls()
    tried = [
        *((status, first) for status in STATUSES),
        *((status, endpoint) for status in (400, 500, 200) for endpoint in others),
    ]
    for status, endpoint in tried:
        provider.status = status
        body = _body(endpoint, model=f"canary-{status}")
        visit.keep(visit.platform.ask("POST", endpoint.path, {**HEADERS, **bearer(key), **JSON}, body))
    assert {seen.all_of("authorization")[0].removeprefix("Bearer ") for seen in provider.seen} == set(PROVIDER_KEYS)
    visit.keep(visit.platform.ask("POST", first.path, {**bearer(key), **JSON}, _body(first, model="unreachable")))


def _send_nonsense(visit: SecretSearch) -> None:
    platform = visit.platform
    key = platform.facts["api_key"]
    good = {**HEADERS, **bearer(key), **JSON}
    for endpoint in endpoints.calls():
        for body in (
            CONTENT.encode(),
            b'{"model": "' + CONTENT.encode(),
            b'{"messages": "' + CONTENT.encode() + b'", "input": {"x": 1}, "prompt": {"x": 1}}',
            _body(endpoint, stream=CONTENT),
            _body(endpoint, max_tokens=CONTENT, max_output_tokens=CONTENT, n=CONTENT),
            _body(endpoint, stream_options=CONTENT),
            _body(endpoint, model=key),
            _body(endpoint, model=f" {key}"),
            _body(endpoint, model=f"Bearer {key}"),
            _body(endpoint) + CONTENT.encode(),
            b"\xff" + CONTENT.encode(),
        ):
            visit.keep(platform.ask("POST", endpoint.path, good, body))
        visit.keep(platform.ask("POST", endpoint.path, {**good, "Content-Type": "text/plain"}, CONTENT.encode()))
        visit.keep(
            platform.ask("POST", endpoint.path, {**good, "x-api-key": platform.facts["test_key"]}, endpoint.body)
        )
        visit.keep(platform.ask("POST", f"{endpoint.path}/{PATH}?key={key}&x={QUERY}", good, endpoint.body))
    for target in (
        f"/{PATH}?key={key}",
        f"/v1/models/{key}",
        f"/console/{PATH}?key={key}",
        f"/api/v1/keys/{key}?x={QUERY}",
    ):
        for headers in ({}, good, {**good, "Accept": "text/html"}):
            visit.keep(platform.ask("GET", target, headers))
    for data in (
        f"GET /?key={key} HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer {key}\r\n\r\n",
        f"GET /?key={key} HTTP/9.9\r\nHost: a\r\n\r\n",
        f"{key} / HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {key}@a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {key}\r\n\r\n",
        f"GET /?key={key} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nX: {key * 2000}\r\n\r\n",
    ):
        visit.keep(platform.send(data.encode()))


def _type_commands(visit: SecretSearch, folder: Path) -> None:
    """As somebody types them who takes the secret for the name."""
    at, secret = ["--dir", str(visit.platform.folder)], visit.platform.facts["api_key"]
    broken = folder / "broken.toml"
    broken.write_text(
        CONFIG.format("127.0.0.1:1", PROVIDER_KEYS[1], PROVIDER_HEADER, PROXY_PASSWORD) + "\n[plattform]\n"
    )
    refused = folder / "refused.toml"
    refused.write_text(f'[providers.x]\nkind = "openai"\napi_keys = ["{PROVIDER_KEYS[1]} x", "{PROVIDER_KEYS[1]}é"]\n')
    good = folder / "good.toml"
    good.write_text(CONFIG.format("127.0.0.1:1", PROVIDER_KEYS[1], PROVIDER_HEADER, PROXY_PASSWORD))
    commands = [
        *(["keys", verb, secret] for verb in ("show", "rotate", "revoke", "freeze", "unfreeze")),
        *([endpoint, "list"] for endpoint in ("accounts", "keys", "projects", "providers", "models", "audit")),
        ["keys", "list", "--account", secret],
        ["keys", "create", "x", "--account", secret],
        ["keys", "create", "x", "--project", secret],
        ["accounts", "show", secret],
        ["accounts", "suspend", secret, "--yes"],
        ["projects", "list", "--account", secret],
        ["providers", "check"],
        ["usage"],
        ["usage", "--by", "key", "--account", secret],
        ["audit", "list", "--object", secret],
        ["doctor"],
        *(["plan", "-f", str(file)] for file in (broken, refused, good)),
        *(["apply", "-f", str(file), "--yes"] for file in (broken, refused)),
        ["serve", "--port", "0"],
        ["migrate"],
    ]
    check = [
        ["check", "--base-url", url, "--key", secret]
        for url in ("http://127.0.0.1:1", f"{visit.platform.facts['base_url']}/x")
    ]
    for command, form in itertools.product([*(command + at for command in commands), *check], ([], ["--json"])):
        visit.printed += _typed([*command, *form])


def _typed(command: list[str]) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        run(command)
    return f"$ {' '.join(command[:2])}\n{out.getvalue()}{err.getvalue()}"


def _hits(visit: SecretSearch, text: bytes, wanted: set[str]) -> list[str]:
    return sorted(secret for secret in wanted if secret.encode() in text)


def test_the_visit_went_everywhere(visited: SecretSearch) -> None:
    codes = {reply.code for reply in visited.errors if reply.headers["content-type"] == "application/json"}
    assert codes >= set(failures())
    assert len(visited.secrets) > 20
    assert visited.printed.count("$ ") > 50
    assert "Traceback" not in visited.printed


def test_no_error_tells_a_secret(visited: SecretSearch) -> None:
    for reply in visited.errors:
        told = reply.body + "\n".join(reply.headers.values()).encode()
        assert _hits(visited, told, visited.secrets) == [], reply


def test_no_log_line_tells_a_secret_or_content(visited: SecretSearch) -> None:
    text = visited.platform.log.read_bytes()
    assert text.count(b"\n") > 500
    assert _hits(visited, text, visited.secrets | visited.content | {PATH}) == []
    assert all(json.loads(line)["event"] != "defect" for line in text.splitlines())


def test_nothing_is_printed_after_the_first_line(visited: SecretSearch) -> None:
    assert visited.platform.out.read_bytes().count(b"\n") == 1
    assert _hits(visited, visited.printed.encode(), visited.secrets | visited.content) == []


def test_the_figures_tell_neither(visited: SecretSearch) -> None:
    with RawClient(visited.platform.metrics_port) as wire:
        answer = wire.send(get(b"/metrics")).answer()
    assert answer is not None
    assert b"tollhouse_requests_total" in answer.body
    assert _hits(visited, answer.body, visited.secrets | visited.content | {PATH}) == []


def test_no_file_of_the_data_folder_holds_either(visited: SecretSearch) -> None:
    files = [path for path in visited.platform.folder.rglob("*") if path.is_file() and path.name != "demo.env"]
    assert {"tollhouse.db", "tollhouse.db-wal"} <= {path.name for path in files}
    for path in files:
        assert _hits(visited, path.read_bytes(), visited.secrets | visited.content | {PATH}) == [], path.name
    private = visited.platform.folder / "demo.env"
    assert private.stat().st_mode & 0o777 == 0o600
