"""Incident 5 of the peers: callers chose where the provider's key goes, by a header, a field or an older route.

Two canaries: one is the provider, one is a trap. Whatever a caller sends, on every route, nobody ever connects to the
trap, and the provider gets its own key, its own Host and its own path, and nothing of the caller's credentials.
"""

import json
from collections.abc import Iterator

import pytest

from tests.security import endpoints
from tests.security.canary import Canary, canary
from tests.security.endpoints import EndpointCase
from tests.security.key_locations import PLACES, KeyLocation
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer

PROVIDER_KEY = "sk-canary-provider-0123456789"
CONFIG = """
[providers.canary]
kind = "openai_compatible"
base_url = "http://{}/v1"
api_keys = ["env:CANARY_KEY"]

"""
MODEL = """
[models.{0}]
offers = [{{ provider = "canary", model = "{0}" }}]
free = true
"""
REDIRECTS = (301, 302, 303, 307, 308)


def _redirected(status: int, endpoint: EndpointCase) -> str:
    """A model of its own for each failure, because one that failed is not asked again for a while."""
    return f"redirected-{status}-{endpoint.dialect}-{endpoint.operation}"


@pytest.fixture(scope="module")
def provider() -> Iterator[Canary]:
    with canary() as server:
        yield server


@pytest.fixture(scope="module")
def trap() -> Iterator[Canary]:
    with canary() as server:
        yield server


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, provider: Canary) -> Iterator[DemoPlatform]:
    folder = tmp_path_factory.mktemp("provider") / "demo"
    names = ["canary", *(_redirected(status, endpoint) for status in REDIRECTS for endpoint in endpoints.calls())]
    config = CONFIG.format(provider.address) + "".join(map(MODEL.format, names))
    running = DemoPlatform(folder, config, {"CANARY_KEY": PROVIDER_KEY})
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _well(provider: Canary) -> None:
    provider.status, provider.extra = 200, {}
    provider.seen.clear()


def ask(
    platform: DemoPlatform, endpoint: EndpointCase, headers: dict[str, str], fields: dict[str, object], query: str = ""
) -> DemoReply:
    assert endpoint.body is not None
    body = {**json.loads(endpoint.body), "model": "canary", **fields}
    return platform.ask(endpoint.method, endpoint.path + query, {**JSON, **headers}, json.dumps(body).encode())


def expect_own(provider: Canary, trap: Canary, key: str) -> None:
    """What the provider saw is its own, and the trap saw nobody."""
    assert trap.connections == 0
    paths = {f"POST {endpoint.path} HTTP/1.1" for endpoint in endpoints.calls()}
    for seen in provider.seen:
        assert seen.line in paths
        assert seen.all_of("host") == [provider.address]
        assert seen.all_of("authorization") == [f"Bearer {PROVIDER_KEY}"]
        assert key not in seen.text
        assert [name for name in ("cookie", "x-api-key", "api-key", "x-goog-api-key") if seen.all_of(name)] == []


def headers_towards(trap: str) -> dict[str, str]:
    """Every header that some gateway, proxy or framework has taken a destination from."""
    url = f"http://{trap}/v1"
    return {
        "X-Forwarded-Host": trap,
        "X-Forwarded-Server": trap,
        "X-Host": trap,
        "Forwarded": f"host={trap};proto=http",
        "X-Original-URL": url,
        "X-Rewrite-URL": url,
        "X-HTTP-Host-Override": trap,
        "X-HTTP-Method-Override": "GET",
        "X-Base-URL": url,
        "X-API-Base": url,
        "OpenAI-Base-URL": url,
        "Api-Base": url,
        "X-Target-URL": url,
        "X-Upstream": url,
        "X-Upstream-Authorization": "Bearer stolen",
        "X-Provider": "trap",
        "X-Tollhouse-Provider": "trap",
        "X-Tollhouse-Base-URL": url,
        "X-Portkey-Custom-Host": url,
        "X-Portkey-Provider": "openai",
        "X-Portkey-Config": json.dumps({"custom_host": url}),
        "Helicone-OpenAI-Api-Base": url,
        "Helicone-Target-URL": url,
        "CF-AIG-Custom-Host": url,
        "Destination": url,
        "Location": url,
        "Referer": url,
        "Origin": f"http://{trap}",
        "Via": f"1.1 {trap}",
        "Proxy": url,
        "HTTP-Proxy": url,
        "Proxy-Authorization": "Basic c3RvbGVu",
        "Cookie": f"base_url={url}",
        "Connection": "keep-alive, authorization, host",
        "OpenAI-Organization": trap,
        "Openai-Beta": "assistants=v2",
    }


def fields_towards(trap: str) -> dict[str, object]:
    """Every field of a body that some gateway has taken a destination from, or would fetch."""
    url = f"http://{trap}/v1"
    names = "base_url baseURL baseUrl api_base apiBase api_host endpoint host url target proxy custom_host webhook"
    return {
        **dict.fromkeys(names.split(), url),
        "provider": {"base_url": url, "order": ["trap"]},
        "custom_llm_provider": "trap",
        "litellm_params": {"api_base": url, "model": "x"},
        "extra_headers": {"Host": trap},
        "headers": {"Host": trap, "Authorization": "Bearer stolen"},
        "fallbacks": [{"api_base": url}],
        "model_list": [{"model_name": "canary", "litellm_params": {"api_base": url}}],
        "config": {"targets": [{"custom_host": url}]},
        "organization": trap,
        "api_key": "stolen",
    }


EVERY_TIME = ("/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/audio/transcriptions")
"""Endpoints that are walked in each run: one for each way in which bodies are read. The others are in the long run."""


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param(each, marks=() if each.path in EVERY_TIME else pytest.mark.long, id=each.name)
        for each in endpoints.calls()
    ],
)
def test_no_header_field_or_query_changes_the_address(
    platform: DemoPlatform, provider: Canary, trap: Canary, endpoint: EndpointCase
) -> None:
    key = platform.facts["api_key"]
    url = f"http://{trap.address}/v1"
    tried = [
        *(({name: value}, {}, "") for name, value in headers_towards(trap.address).items()),
        (headers_towards(trap.address), fields_towards(trap.address), ""),
        *(({}, {name: value}, "") for name, value in fields_towards(trap.address).items()),
        *(({}, {}, query) for query in (f"?base_url={url}", f"?host={trap.address}&key={key}")),
    ]
    for headers, fields, query in tried:
        assert ask(platform, endpoint, {**bearer(key), **headers}, fields, query).status == 200
    assert len(provider.seen) == len(tried)
    expect_own(provider, trap, key)
    assert b"stolen" not in b"".join(value.encode() for seen in provider.seen for _, value in seen.headers)


@pytest.mark.parametrize("endpoint", endpoints.calls(), ids=lambda endpoint: endpoint.name)
def test_no_host_and_no_absolute_target_changes_the_address(
    platform: DemoPlatform, provider: Canary, trap: Canary, endpoint: EndpointCase
) -> None:
    key = platform.facts["api_key"]
    body = json.dumps({**json.loads(endpoint.body or b""), "model": "canary"}).encode()
    headers = {**JSON, **bearer(key)}
    for target in (endpoint.path, f"http://{trap.address}{endpoint.path}", f"//{trap.address}{endpoint.path}"):
        platform.ask("POST", target, headers, body, host=trap.address)
    assert len(provider.seen) == 2
    expect_own(provider, trap, key)


@pytest.mark.parametrize("endpoint", endpoints.calls(), ids=lambda endpoint: endpoint.name)
def test_no_model_name_changes_the_address(
    platform: DemoPlatform, provider: Canary, trap: Canary, endpoint: EndpointCase
) -> None:
    key = platform.facts["api_key"]
    address = trap.address
    for name in (
        f"http://{address}/v1",
        f"canary@{address}",
        f"{address}/canary",
        "canary#",
        "canary?x=1",
        "canary/../../models",
        "../canary",
        "openai/canary",
        f"canary\r\nHost: {address}",
        "canary\0",
        f"canary\\@{address}",
    ):
        reply = ask(platform, endpoint, bearer(key), {"model": name})
        assert reply.verdict == (404, "model_not_found"), name
    assert provider.seen == []
    assert trap.connections == 0


def test_what_a_prompt_links_to_is_not_fetched(platform: DemoPlatform, provider: Canary, trap: Canary) -> None:
    url = f"http://{trap.address}/picture.png"
    content = [{"type": "text", "text": url}, {"type": "image_url", "image_url": {"url": url}}]
    key = platform.facts["api_key"]
    body = {"model": "canary", "messages": [{"role": "user", "content": content}]}
    assert platform.post("/v1/chat/completions", key, body).status == 200
    assert json.loads(provider.seen[0].body)["messages"] == body["messages"]
    expect_own(provider, trap, key)


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_not_followed_and_takes_no_key_along(
    platform: DemoPlatform, provider: Canary, trap: Canary, status: int
) -> None:
    key = platform.facts["api_key"]
    for endpoint in endpoints.calls():
        provider.status, provider.extra = status, {"Location": f"http://{trap.address}{endpoint.path}"}
        reply = ask(platform, endpoint, bearer(key), {"model": _redirected(status, endpoint)})
        assert reply.verdict == (502, "upstream_error"), endpoint.name
        assert trap.address not in reply.body.decode()
        assert "location" not in reply.headers
    assert provider.seen
    expect_own(provider, trap, key)


@pytest.mark.parametrize("place", PLACES[:-1], ids=lambda place: place.name)
def test_the_callers_key_stays_here_from_every_place(
    platform: DemoPlatform, provider: Canary, trap: Canary, place: KeyLocation
) -> None:
    key = platform.key(f"stays {place.name}")
    for endpoint in endpoints.calls():
        assert ask(platform, endpoint, dict(place.headers(key)), {}).status == 200
    expect_own(provider, trap, key)


def test_a_test_mode_key_never_reaches_a_provider(platform: DemoPlatform, provider: Canary, trap: Canary) -> None:
    for endpoint in endpoints.calls():
        assert ask(platform, endpoint, bearer(platform.facts["test_key"]), {}).status == 200
    assert provider.seen == []
    assert trap.connections == 0


def test_a_providers_own_headers_stay_with_us(platform: DemoPlatform, provider: Canary) -> None:
    theirs = {
        "Set-Cookie": "session=theirs",
        "X-Request-Id": "req_theirs",
        "OpenAI-Organization": "org-theirs",
        "X-RateLimit-Limit-Requests": "77777",
        "X-Internal-Host": provider.address,
        "Server": "theirs",
        "Alt-Svc": "h2=theirs",
        "Access-Control-Allow-Credentials": "true",
    }
    provider.extra = theirs
    for endpoint in endpoints.calls():
        reply = ask(platform, endpoint, bearer(platform.facts["api_key"]), {})
        assert reply.status == 200
        head = "\n".join(reply.headers.values())
        assert [value for value in theirs.values() if value != "true" and value in head] == [], endpoint.name
        assert "access-control-allow-credentials" not in reply.headers


def test_an_operators_check_asks_the_provider_alone(platform: DemoPlatform, provider: Canary, trap: Canary) -> None:
    platform.operator("providers.check", provider="canary")
    assert [seen.line for seen in provider.seen] == ["GET /v1/models HTTP/1.1"]
    assert provider.seen[0].all_of("authorization") == [f"Bearer {PROVIDER_KEY}"]
    assert trap.connections == 0


def test_of_a_duplicate_member_the_provider_sees_what_was_judged_and_nothing_else(
    platform: DemoPlatform, provider: Canary
) -> None:
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"first"}],"n":99,"model":"canary",' + (
        b'"messages":[{"role": "user",  "content":"l\\u0061st"}],"n":1,"later":{"a":1,"a":2}}'
    )
    headers = {**JSON, **bearer(platform.facts["api_key"])}
    assert platform.ask("POST", "/v1/chat/completions", headers, body).status == 200
    sent = provider.seen[0].body
    assert [sent.count(name) for name in (b'"model"', b'"messages"', b'"n"')] == [1, 1, 1]
    assert b"first" not in sent
    assert b'[{"role": "user",  "content":"l\\u0061st"}]' in sent
