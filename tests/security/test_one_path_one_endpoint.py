"""Incident 2 of the peers: a Host header that made the check see another path than the dispatcher.

However a target is written, the path that is authorised is the path that is dispatched: a spelling of a path either
means the same endpoint, with the same verdict for every caller, or is refused.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security import endpoints
from tests.security.endpoints import EndpointCase
from tests.security.platform_process import JSON, DemoPlatform, bearer
from tollhouse.edge.paths import canonical, dialect_of, find, model_of

REFUSALS = {400, 401, 403, 404, 405}


def spellings(path: str) -> Iterator[bytes]:
    """Other ways to write a path, which some parser somewhere takes for the same."""
    raw = path.encode()
    first, _, rest = raw[1:].partition(b"/")
    yield b"/" + raw
    yield b"//" + raw
    yield raw + b"/"
    yield raw + b"//"
    yield raw + b"?"
    yield raw + b"?/../healthz"
    yield raw + b"?path=/healthz"
    yield raw + b";"
    yield raw + b";/healthz"
    yield raw + b";jsessionid=1"
    yield raw + b"%3f"
    yield raw + b"%23"
    yield raw + b"%00"
    yield raw + b"%20"
    yield raw + b"%0d%0a"
    yield raw + b"/."
    yield raw + b"/.."
    yield raw + b"/%2e%2e"
    yield raw + b".json"
    yield raw + b"\\"
    yield b"/." + raw
    yield b"/.." + raw
    yield b"/%2e%2e" + raw
    yield b"/%2f" + raw[1:]
    yield b"/x/.." + raw
    yield b"/healthz/.." + raw
    yield b"/healthz;/.." + raw
    yield b"/healthz%2f.." + raw
    yield b"/console/.." + raw
    yield b"/console/static/..%2f.." + raw
    yield b"/console/%2e%2e" + raw
    yield b"/console/..%5c" + raw[1:]
    yield b"/support/../" + raw[1:]
    yield b"/api/openapi.json/.." + raw
    yield b"/api/openapi.json/..;" + raw
    yield b"/v1/v1" + raw
    yield b"/" + raw.replace(b"/", b"//")[1:]
    yield raw.replace(b"/", b"/./")
    yield raw.replace(b"/", b"%2f")
    yield raw.replace(b"/", b"\\")
    yield raw.upper()
    yield raw.title()
    yield b"/" + b"".join(b"%%%02x" % byte for byte in first) + (b"/" + rest if rest else b"")
    yield b"".join(b"%%%02X" % byte if byte != 0x2F else b"/" for byte in raw)
    yield b"".join(b"%%25%02X" % byte if byte != 0x2F else b"/" for byte in raw)
    yield raw.replace(b"v1", "v\N{FULLWIDTH DIGIT ONE}".encode())
    yield raw.replace(b"v1", "v\N{SUPERSCRIPT ONE}".encode())
    yield raw.replace(b"k", "\N{KELVIN SIGN}".encode())


@pytest.mark.parametrize("mode", ["none", "live", pytest.param("admin", marks=pytest.mark.long)])
def test_no_spelling_of_a_path_opens_more_than_the_path(platform: DemoPlatform, mode: str) -> None:
    headers = {} if mode == "none" else bearer(platform.key(f"walk-spelling-{mode}", mode=mode))
    public = {platform.ask("GET", endpoint.path).body for endpoint in endpoints.public()}
    for endpoint in endpoints.closed():
        content = {**headers, **(JSON if endpoint.body is not None else {})}
        clean = platform.ask(endpoint.method, endpoint.path, content, endpoint.body)
        for target in spellings(endpoint.path):
            reply = platform.ask(endpoint.method, target, content, endpoint.body)
            same = reply.verdict == clean.verdict and (reply.body[:40] == clean.body[:40] or reply.status != 200)
            assert same or reply.status in REFUSALS or reply.body in public, (endpoint.name, target, reply)
            assert reply.status // 100 != 3, (endpoint.name, target)


HOSTS_REFUSED = (
    "",
    " ",
    "/#@x",
    "localhost:4000/#@x",
    "localhost/v1/models",
    "localhost?x",
    "localhost#x",
    "user@localhost",
    "user:pass@localhost",
    "localhost:80:80",
    "localhost:port",
    "local host",
    "localhost, other",
    "localhost\\@x",
    "[::1",
    "http://localhost",
    "localhost;x",
    "\N{FULLWIDTH FULL STOP}",
)
HOSTS_TAKEN = (
    "localhost",
    "LOCALHOST:8080",
    "evil.example",
    "api",
    "console",
    "127.0.0.1:",
    "[::1]:8080",
    "healthz",
    "a.b.c.",
)


@pytest.mark.parametrize("host", HOSTS_REFUSED)
def test_a_host_that_is_none_is_refused_in_every_endpoint(platform: DemoPlatform, host: str) -> None:
    key = platform.facts["api_key"]
    for endpoint in [*endpoints.closed(), *endpoints.public()]:
        reply = platform.ask(endpoint.method, endpoint.path, {**JSON, **bearer(key)}, endpoint.body, host=host)
        assert reply.verdict == (400, "invalid_request_error"), endpoint.name


@pytest.mark.parametrize("host", HOSTS_TAKEN)
def test_a_host_decides_nothing(platform: DemoPlatform, host: str) -> None:
    for key in (platform.facts["api_key"], platform.facts["admin_key"], "sk-wrong"):
        for endpoint in endpoints.closed():
            headers = {**bearer(key), **(JSON if endpoint.body is not None else {})}
            usual = platform.ask(endpoint.method, endpoint.path, headers, endpoint.body)
            assert (
                platform.ask(endpoint.method, endpoint.path, headers, endpoint.body, host=host).verdict == usual.verdict
            ), endpoint.name


def test_an_absolute_target_means_its_path_and_must_name_the_host(platform: DemoPlatform) -> None:
    key = platform.facts["api_key"]
    for endpoint in endpoints.closed():
        for headers in ({}, bearer(key)):
            sent = {**headers, **(JSON if endpoint.body is not None else {})}
            usual = platform.ask(endpoint.method, endpoint.path, sent, endpoint.body)
            same = platform.ask(endpoint.method, f"http://127.0.0.1{endpoint.path}", sent, endpoint.body)
            assert same.verdict == usual.verdict, endpoint.name
            for target in (
                f"http://healthz{endpoint.path}",
                f"http://127.0.0.1@evil.example{endpoint.path}",
                f"http:{endpoint.path}",
                f"ftp://127.0.0.1{endpoint.path}",
                f"127.0.0.1{endpoint.path}",
                f"http:///healthz{endpoint.path}",
                endpoint.path[1:],
            ):
                assert platform.ask(endpoint.method, target, sent, endpoint.body).status in (400, 404), target


@pytest.mark.parametrize(
    "target",
    [
        "/x/../v1/models",
        "/%76%31/models",
        "/console/../v1/models",
        "/v1/v1/models",
        "/models",
        "//models",
        "/v1/models/",
    ],
)
def test_behind_a_prefix_nothing_is_told_without_a_key(platform: DemoPlatform, target: str) -> None:
    reply = platform.ask("GET", target)
    assert reply.status in (401, 404)
    assert reply.code in ("invalid_api_key", "not_found")


paths = st.text(alphabet="/v1betamodlsk.:;%\\ü ", max_size=24).map(lambda text: "/" + text) | st.lists(
    st.sampled_from(
        ["/", "//", "v1", "v1beta", "models", "chat", "completions", "gpt-4o", "a:b", "..", ".", "key", "responses"]
    ),
    max_size=9,
).map(lambda parts: "/" + "".join(parts))


@given(paths)
def test_repairing_a_path_twice_is_repairing_it_once(path: str) -> None:
    once = canonical(path)
    assert canonical(once) == once
    assert find(once) == find(path)
    assert dialect_of(once) == dialect_of(path)
    assert model_of(once) == model_of(path)


@given(paths)
def test_what_is_found_is_in_the_table_or_a_model(path: str) -> None:
    found = find(path)
    if found is not None:
        assert found.path == canonical(path)
        assert found.name != "model" or model_of(path)
        assert dialect_of(path) in (found.dialect, "gemini")


def test_a_endpoint_is_found_by_its_own_path() -> None:
    for endpoint in [*endpoints.calls(), *endpoints.lookups()]:
        found = find(endpoint.path)
        assert found is not None
        assert found.path == endpoint.path
        assert endpoint.method in found.methods
    assert find(EndpointCase("GET", "/v1/models/a/b:c").path) is not None
