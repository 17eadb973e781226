"""Case E10: browser SDKs send `x-stainless-*`; a preflight that refuses them, or asks for a key, locks them out."""

import pytest

from tests.security import endpoints
from tests.security.platform_process import JSON, DemoPlatform, bearer
from tollhouse.edge.cors import EXPOSED
from tollhouse.limits.discovery import limit_kinds

ORIGIN = {"Origin": "https://app.example"}
ASKED = (
    "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,"
    "x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout,"
    "anthropic-dangerous-direct-browser-access"
)
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ASKED}
READABLE = ("x-request-id", "request-id", "retry-after", "retry-after-ms", "x-should-retry", "server-timing")


@pytest.mark.parametrize("endpoint", [*endpoints.calls(), *endpoints.lookups()], ids=lambda endpoint: endpoint.name)
def test_a_preflight_needs_no_key_and_gets_all_it_asks_for(
    platform: DemoPlatform, endpoint: endpoints.EndpointCase
) -> None:
    for path in (endpoint.path, endpoint.path + "/", "/" + endpoint.path, endpoint.path.replace("/v1/", "/", 1)):
        reply = platform.ask("OPTIONS", path, PREFLIGHT)
        assert reply.status == 204
        assert reply.body == b""
        assert reply.headers["access-control-allow-origin"] == "*"
        assert endpoint.method in reply.headers["access-control-allow-methods"]
        allowed = {name.strip() for name in reply.headers["access-control-allow-headers"].lower().split(",")}
        assert set(ASKED.split(",")) <= allowed
        assert "access-control-allow-credentials" not in reply.headers


def test_a_refusal_can_be_read_by_the_page_that_caused_it(platform: DemoPlatform) -> None:
    for endpoint in [*endpoints.calls(), *endpoints.lookups()]:
        if endpoint.path.startswith("/api/"):
            continue  # what lies beside and below is the control API's
        replies = [
            platform.ask(endpoint.method, endpoint.path, {**JSON, **ORIGIN, **bearer("sk-wrong")}, endpoint.body),
            platform.ask("PUT", endpoint.path, ORIGIN),
            platform.ask(endpoint.method, endpoint.path + "/nowhere/", {**JSON, **ORIGIN}, endpoint.body),
        ]
        for reply in replies:
            assert reply.status in (401, 404, 405)
            assert reply.headers["access-control-allow-origin"] == "*"
            exposed = reply.headers["access-control-expose-headers"].lower().split(", ")
            assert set(READABLE) <= set(exposed)


def test_what_the_parser_refuses_can_be_read_too(platform: DemoPlatform) -> None:
    for data in (
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: %b\r\n\r\n" % (b"y" * 70_000),
    ):
        reply = platform.send(data)
        assert reply.status in (400, 431)
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "x-request-id" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/api/v1/keys", "/api/openapi.json", "/console/", "/console", "/support", "/api"])
def test_elsewhere_stays_closed(platform: DemoPlatform, path: str) -> None:
    for method in ("OPTIONS", "GET", "POST"):
        reply = platform.ask(method, path, {**PREFLIGHT, **bearer(platform.facts["admin_key"])})
        assert [name for name in reply.headers if name.startswith("access-control-")] == []
        assert method != "OPTIONS" or reply.status in (404, 405)


def test_a_good_answer_and_a_stream_can_be_read_by_a_page(platform: DemoPlatform) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}
    for stream in (False, True):
        reply = platform.post("/v1/chat/completions", platform.facts["api_key"], {**body, "stream": stream}, ORIGIN)
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == "*"


def test_a_header_that_is_asked_for_cannot_write_into_the_answer(platform: DemoPlatform) -> None:
    asked = {**PREFLIGHT, "Access-Control-Request-Headers": "x-a, x-b\tx-c"}
    reply = platform.ask("OPTIONS", "/v1/models", asked)
    assert reply.status == 204
    assert set(reply.headers) <= {
        *(name for name in reply.headers if name.startswith("access-control-")),
        *("vary", "allow", "x-request-id", "request-id", "date", "connection"),
    }


def test_the_headers_of_every_limit_kind_can_be_read() -> None:
    exposed = set(EXPOSED.decode().split(", "))
    for kind in limit_kinds():
        if kind.header is not None:
            for word in ("limit", "remaining", "reset"):
                named = {f"x-ratelimit-{word}-{kind.header}", f"anthropic-ratelimit-{kind.header}-{word}"}
                assert named <= exposed
