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

from tests.edge.wire_client import Raw, get
from tests.walks import rooms
from tests.walks.canary import Canary, canary
from tests.walks.house import JSON, House, Reply, bearer
from tests.walks.key_places import PLACES
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


class Walked(Struct):
    """What came of it. `secrets` must be nowhere; `content` nowhere but in answers to who sent it."""

    house: House
    secrets: set[str]
    content: set[str]
    errors: list[Reply] = field(default_factory=list)
    printed: str = ""

    def keep(self, reply: Reply) -> None:
        if reply.status >= 400:
            self.errors.append(reply)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    folder = tmp_path_factory.mktemp("secrets") / "demo"
    with canary() as provider:
        names = [f"canary-{status}" for status in (200, *STATUSES)]
        config = CONFIG.format(provider.address, PROVIDER_KEYS[1], PROVIDER_HEADER, PROXY_PASSWORD)
        house = House(folder, config + "".join(map(MODEL.format, names)), {"CANARY_KEY": PROVIDER_KEYS[0]})
        try:
            secrets = {
                house.facts[name] for name in ("api_key", "test_key", "admin_key", "password", "operator_password")
            }
            walk = Walked(house, secrets | {*PROVIDER_KEYS, PROVIDER_HEADER, PROXY_PASSWORD}, set())
            walk.secrets |= {secret.rpartition(" ")[2] for secret in GARBAGE} | {QUERY}
            walk.secrets |= {value.rpartition("=")[2].rpartition(" ")[2].strip("()") for value in HEADERS.values()}
            walk.content.add(CONTENT)
            _call_everything(walk)
            _provoke_every_fault(walk)
            _fail_at_the_provider(walk, provider)
            _send_nonsense(walk)
            _type_commands(walk, tmp_path_factory.mktemp("typed"))
            yield walk
        finally:
            house.close()


def _body(room: rooms.Room, **fields: object) -> bytes:
    return json.dumps(
        {**json.loads((room.body or b"{}").replace(rooms.PROMPT.encode(), CONTENT.encode())), **fields}
    ).encode()


def _call_everything(walk: Walked) -> None:
    house = walk.house
    keys = [house.facts[name] for name in ("api_key", "test_key", "admin_key")]
    made = house.key("walked")
    keys += [made, str(house.operator("keys.rotate", "walked", overlap="1h")["secret"]), mint("live", bytes(32))]
    walk.secrets |= set(keys)
    for room in [*rooms.closed(), *rooms.public()]:
        sent = {**HEADERS, **(JSON if room.body is not None else {})}
        body = None if room.body is None else _body(room) if room.operation else room.body
        for key, place in itertools.product(keys, PLACES):
            target = room.path + (place.query(key) or f"?x={QUERY}")
            walk.keep(house.ask(room.method, target, {**sent, **place.headers(key)}, body))
        for garbage in GARBAGE:
            walk.keep(house.ask(room.method, f"{room.path}?key={QUERY}", {**sent, "Authorization": garbage}, body))


def _provoke_every_fault(walk: Walked) -> None:
    house = walk.house
    scripts = [f"error={code}" for code in failures()] + [f"status={status}" for status in STATUSES]
    scripts += ["malformed", "no_usage", "cut_after=1", "cut_after=0", "tool=look", "nonsense", "tokens=canary"]
    for room, script, stream in itertools.product(rooms.calls(), scripts, (False, True)):
        headers = {**HEADERS, **bearer(house.facts["test_key"]), **JSON, "x-tollhouse-simulate": script}
        walk.keep(house.ask("POST", room.path, headers, _body(room, stream=stream)))


def _fail_at_the_provider(walk: Walked, provider: Canary) -> None:
    """It repeats its key, our headers and the whole request in every error."""
    key = walk.house.facts["api_key"]
    first, *others = rooms.calls()
    tried = [
        *((status, first) for status in STATUSES),
        *((status, room) for status in (400, 500, 200) for room in others),
    ]
    for status, room in tried:
        provider.status = status
        body = _body(room, model=f"canary-{status}")
        walk.keep(walk.house.ask("POST", room.path, {**HEADERS, **bearer(key), **JSON}, body))
    assert {seen.all_of("authorization")[0].removeprefix("Bearer ") for seen in provider.seen} == set(PROVIDER_KEYS)
    walk.keep(walk.house.ask("POST", first.path, {**bearer(key), **JSON}, _body(first, model="unreachable")))


def _send_nonsense(walk: Walked) -> None:
    house = walk.house
    key = house.facts["api_key"]
    good = {**HEADERS, **bearer(key), **JSON}
    for room in rooms.calls():
        for body in (
            CONTENT.encode(),
            b'{"model": "' + CONTENT.encode(),
            b'{"messages": "' + CONTENT.encode() + b'", "input": {"x": 1}, "prompt": {"x": 1}}',
            _body(room, stream=CONTENT),
            _body(room, max_tokens=CONTENT, max_output_tokens=CONTENT, n=CONTENT),
            _body(room, stream_options=CONTENT),
            _body(room, model=key),
            _body(room, model=f" {key}"),
            _body(room, model=f"Bearer {key}"),
            _body(room) + CONTENT.encode(),
            b"\xff" + CONTENT.encode(),
        ):
            walk.keep(house.ask("POST", room.path, good, body))
        walk.keep(house.ask("POST", room.path, {**good, "Content-Type": "text/plain"}, CONTENT.encode()))
        walk.keep(house.ask("POST", room.path, {**good, "x-api-key": house.facts["test_key"]}, room.body))
        walk.keep(house.ask("POST", f"{room.path}/{PATH}?key={key}&x={QUERY}", good, room.body))
    for target in (
        f"/{PATH}?key={key}",
        f"/v1/models/{key}",
        f"/console/{PATH}?key={key}",
        f"/api/v1/keys/{key}?x={QUERY}",
    ):
        for headers in ({}, good, {**good, "Accept": "text/html"}):
            walk.keep(house.ask("GET", target, headers))
    for data in (
        f"GET /?key={key} HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer {key}\r\n\r\n",
        f"GET /?key={key} HTTP/9.9\r\nHost: a\r\n\r\n",
        f"{key} / HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {key}@a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {key}\r\n\r\n",
        f"GET /?key={key} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nX: {key * 2000}\r\n\r\n",
    ):
        walk.keep(house.send(data.encode()))


def _type_commands(walk: Walked, folder: Path) -> None:
    """As somebody types them who takes the secret for the name."""
    at, secret = ["--dir", str(walk.house.folder)], walk.house.facts["api_key"]
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
        *([room, "list"] for room in ("accounts", "keys", "projects", "providers", "models", "audit")),
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
        for url in ("http://127.0.0.1:1", f"{walk.house.facts['base_url']}/x")
    ]
    for command, form in itertools.product([*(command + at for command in commands), *check], ([], ["--json"])):
        walk.printed += _typed([*command, *form])


def _typed(command: list[str]) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        run(command)
    return f"$ {' '.join(command[:2])}\n{out.getvalue()}{err.getvalue()}"


def _hits(walk: Walked, text: bytes, wanted: set[str]) -> list[str]:
    return sorted(secret for secret in wanted if secret.encode() in text)


def test_the_walk_went_everywhere(walked: Walked) -> None:
    codes = {reply.code for reply in walked.errors if reply.headers["content-type"] == "application/json"}
    assert codes >= set(failures())
    assert len(walked.secrets) > 20
    assert walked.printed.count("$ ") > 50
    assert "Traceback" not in walked.printed


def test_incident_14_no_error_tells_a_secret(walked: Walked) -> None:
    for reply in walked.errors:
        told = reply.body + "\n".join(reply.headers.values()).encode()
        assert _hits(walked, told, walked.secrets) == [], reply


def test_incident_14_no_log_line_tells_a_secret_or_content(walked: Walked) -> None:
    text = walked.house.log.read_bytes()
    assert text.count(b"\n") > 500
    assert _hits(walked, text, walked.secrets | walked.content | {PATH}) == []
    assert all(json.loads(line)["event"] != "defect" for line in text.splitlines())


def test_incident_14_nothing_is_printed_after_the_first_line(walked: Walked) -> None:
    assert walked.house.out.read_bytes().count(b"\n") == 1
    assert _hits(walked, walked.printed.encode(), walked.secrets | walked.content) == []


def test_incident_14_the_figures_tell_neither(walked: Walked) -> None:
    with Raw(walked.house.metrics_port) as wire:
        answer = wire.send(get(b"/metrics")).answer()
    assert answer is not None
    assert b"tollhouse_requests_total" in answer.body
    assert _hits(walked, answer.body, walked.secrets | walked.content | {PATH}) == []


def test_incident_14_no_file_of_the_data_folder_holds_either(walked: Walked) -> None:
    files = [path for path in walked.house.folder.rglob("*") if path.is_file() and path.name != "demo.env"]
    assert {"tollhouse.db", "tollhouse.db-wal"} <= {path.name for path in files}
    for path in files:
        assert _hits(walked, path.read_bytes(), walked.secrets | walked.content | {PATH}) == [], path.name
    private = walked.house.folder / "demo.env"
    assert private.stat().st_mode & 0o777 == 0o600
