"""Case E10: browser SDKs send `x-stainless-*`; a preflight that refuses them, or asks for a key, locks them out."""

import pytest

from tests.walks import rooms
from tests.walks.house import JSON, House, bearer

ORIGIN = {"Origin": "https://app.example"}
ASKED = (
    "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,"
    "x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout,"
    "anthropic-dangerous-direct-browser-access"
)
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ASKED}
READABLE = ("x-request-id", "request-id", "retry-after", "retry-after-ms", "x-should-retry", "server-timing")


@pytest.mark.parametrize("room", [*rooms.calls(), *rooms.lookups()], ids=lambda room: room.name)
def test_e10_a_preflight_needs_no_key_and_gets_all_it_asks_for(house: House, room: rooms.Room) -> None:
    for path in (room.path, room.path + "/", "/" + room.path, room.path.replace("/v1/", "/", 1)):
        reply = house.ask("OPTIONS", path, PREFLIGHT)
        assert reply.status == 204
        assert reply.body == b""
        assert reply.headers["access-control-allow-origin"] == "*"
        assert room.method in reply.headers["access-control-allow-methods"]
        allowed = {name.strip() for name in reply.headers["access-control-allow-headers"].lower().split(",")}
        assert set(ASKED.split(",")) <= allowed
        assert "access-control-allow-credentials" not in reply.headers


def test_e10_a_refusal_can_be_read_by_the_page_that_caused_it(house: House) -> None:
    for room in [*rooms.calls(), *rooms.lookups()]:
        if room.path.startswith("/api/"):
            continue  # what lies beside and below is the control API's
        replies = [
            house.ask(room.method, room.path, {**JSON, **ORIGIN, **bearer("sk-wrong")}, room.body),
            house.ask("PUT", room.path, ORIGIN),
            house.ask(room.method, room.path + "/nowhere/", {**JSON, **ORIGIN}, room.body),
        ]
        for reply in replies:
            assert reply.status in (401, 404, 405)
            assert reply.headers["access-control-allow-origin"] == "*"
            exposed = reply.headers["access-control-expose-headers"].lower().split(", ")
            assert set(READABLE) <= set(exposed)


def test_what_the_parser_refuses_can_be_read_too(house: House) -> None:
    for data in (
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: %b\r\n\r\n" % (b"y" * 70_000),
    ):
        reply = house.send(data)
        assert reply.status in (400, 431)
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "x-request-id" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/api/v1/keys", "/api/openapi.json", "/console/", "/console", "/support", "/api"])
def test_e10_elsewhere_stays_closed(house: House, path: str) -> None:
    for method in ("OPTIONS", "GET", "POST"):
        reply = house.ask(method, path, {**PREFLIGHT, **bearer(house.facts["admin_key"])})
        assert [name for name in reply.headers if name.startswith("access-control-")] == []
        assert method != "OPTIONS" or reply.status in (404, 405)


def test_a_good_answer_and_a_stream_can_be_read_by_a_page(house: House) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}
    for stream in (False, True):
        reply = house.post("/v1/chat/completions", house.facts["api_key"], {**body, "stream": stream}, ORIGIN)
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == "*"


def test_a_header_that_is_asked_for_cannot_write_into_the_answer(house: House) -> None:
    asked = {**PREFLIGHT, "Access-Control-Request-Headers": "x-a, x-b\tx-c"}
    reply = house.ask("OPTIONS", "/v1/models", asked)
    assert reply.status == 204
    assert set(reply.headers) <= {
        *(name for name in reply.headers if name.startswith("access-control-")),
        *("vary", "allow", "x-request-id", "request-id", "date", "connection"),
    }
