"""What every answer has in common, and what becomes of requests that are no call: by path, by method, by body."""

import json
from collections.abc import Iterator

import pytest

from tests.edge.conftest import BODY_BYTES_MAX
from tests.edge.wire_client import RawClient, chunked
from tests.security import endpoints
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer
from tollhouse.edge.paths import ENDPOINTS

CHAT = "/v1/chat/completions"
HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


def every_kind_of_answer(platform: DemoPlatform) -> Iterator[DemoReply]:
    """Good ones, pages, redirects, refusals of the parser, of the router, of the gateway, of the control API."""
    key, test_key = platform.facts["api_key"], platform.facts["test_key"]
    for endpoint in [*endpoints.closed(), *endpoints.public()]:
        content = JSON if endpoint.body is not None else {}
        yield platform.ask(endpoint.method, endpoint.path, {**bearer(key), **content}, endpoint.body)
        yield platform.ask(endpoint.method, endpoint.path, content, endpoint.body)
        for method in ("HEAD", "OPTIONS", "PUT"):
            yield platform.ask(method, endpoint.path, bearer(key))
    yield platform.post(CHAT, key, {**HELLO, "stream": True})
    yield platform.post(CHAT, key, {"model": "gpt-4o"})
    for script in ("error=overloaded", "error=server_error", "status=500", "cut_after=2", "malformed"):
        yield platform.post(CHAT, test_key, HELLO, {"x-tollhouse-simulate": script})
        yield platform.post(CHAT, test_key, {**HELLO, "stream": True}, {"x-tollhouse-simulate": script})
    for data in (
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /v1 HTTP/3.0\r\nHost: x\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ):
        yield platform.send(data)


def test_every_answer_of_every_kind_names_its_request_once_and_under_both_names(platform: DemoPlatform) -> None:
    seen = set()
    for reply in every_kind_of_answer(platform):
        name = reply.headers["x-request-id"]
        assert name.startswith("req_")
        assert len(name) == len("req_") + 26
        assert reply.headers["request-id"] == name
        assert name not in seen
        seen.add(name)
    assert len(seen) > 150


def test_every_refusal_is_json_with_a_message_and_from_500_on_with_the_request_id(platform: DemoPlatform) -> None:
    for reply in every_kind_of_answer(platform):
        if reply.status < 400 or not reply.body:
            continue  # an answer to HEAD has no body
        assert reply.headers["content-type"] == "application/json"
        message = reply.error["message"]
        assert message
        if reply.status >= 500:
            assert message.rstrip(").").endswith(reply.headers["x-request-id"])
        assert "Traceback" not in message


def test_every_429_and_503_says_when_to_come_back(platform: DemoPlatform) -> None:
    key = platform.facts["test_key"]
    for script in (
        *(f"error={code}" for code in ("rate_limit_exceeded", "overloaded", "model_not_priced")),
        "status=503",
    ):
        reply = platform.post(CHAT, key, HELLO, {"x-tollhouse-simulate": script})
        assert int(reply.headers["retry-after"]) * 1000 >= int(reply.headers["retry-after-ms"]) > 0


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/nowhere", "openai"),
        ("/v1/nowhere", "openai"),
        ("/v1/audio/voices", "openai"),
        ("/v1/realtime", "openai"),
        ("/v1/music/x", "openai"),
        ("/v1/messages/batches/x", "anthropic"),
        ("/v1beta/nowhere", "gemini"),
        ("/v1beta/models/gpt-4o:predict", "gemini"),
        ("/v1beta/models/gpt-4o:predictLongRunning", "gemini"),
        ("/v1beta/models/gpt-4o:batchGenerateContent", "gemini"),
        ("/v1/models/gpt-4o:asyncBatchEmbedContent", "gemini"),
    ],
)
def test_what_is_not_offered_is_told_in_the_words_of_who_asks(platform: DemoPlatform, path: str, dialect: str) -> None:
    reply = platform.ask("POST", f"{path}?secret=in-the-query", JSON, b"{}")
    assert reply.status == 404
    error = reply.error
    assert f"POST {path} is not offered here" in error["message"]
    assert b"secret" not in reply.body
    if dialect == "openai":
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "not_found", None)
    elif dialect == "anthropic":
        assert reply.json["type"] == "error"
        assert error["type"] == "not_found_error"
        assert reply.json["request_id"] == reply.headers["x-request-id"]
    else:
        assert (error["code"], error["status"]) == (404, "NOT_FOUND")


def test_a_path_in_a_message_cannot_write_into_a_terminal(platform: DemoPlatform) -> None:
    reply = platform.ask("GET", "/caf\N{LATIN SMALL LETTER E WITH ACUTE}/%E2%80%AE%C2%9B31m" + "x" * 500)
    assert reply.status == 404
    message = reply.error["message"]
    assert "caf\N{LATIN SMALL LETTER E WITH ACUTE}" in message
    assert message.isprintable()
    assert len(message) < 300


@pytest.mark.parametrize("path", [*ENDPOINTS, "/v1/models/gpt-4o", "/", "/v1", "/healthz", "/readyz"])
def test_a_wrong_method_is_told_the_right_ones(platform: DemoPlatform, path: str) -> None:
    endpoint = ENDPOINTS.get(path)
    right = {"GET", "HEAD"} if endpoint is None else set(endpoint.methods)
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - right:
        reply = platform.ask(method, path, bearer(platform.facts["api_key"]))
        assert reply.status == 405
        assert set(reply.headers["allow"].split(", ")) == right | {"OPTIONS"}
        if method != "HEAD":
            assert method in reply.error["message"]


@pytest.mark.parametrize(
    "path", ["//v1/chat/completions", "/v1//chat/completions", "/v1/v1/chat/completions", "/v1/chat/completions?"]
)
def test_a_slash_too_many_is_no_redirect_but_the_same_answer(platform: DemoPlatform, path: str) -> None:
    clean = platform.post(CHAT, platform.facts["api_key"], HELLO)
    reply = platform.post(path, platform.facts["api_key"], HELLO)
    assert reply.status == clean.status == 200
    assert reply.json["choices"] == clean.json["choices"]


def test_every_call_works_with_and_without_v1_and_behind_a_doubled_one(platform: DemoPlatform) -> None:
    for endpoint in endpoints.calls():
        headers = {**JSON, **bearer(platform.facts["api_key"])}
        answers = [
            platform.ask("POST", path, headers, endpoint.body)
            for path in (
                endpoint.path,
                endpoint.path.removeprefix("/v1"),
                "/v1" + endpoint.path,
                endpoint.path + "/",
                "/" + endpoint.path,
            )
        ]
        assert [answer.status for answer in answers] == [200] * 5, endpoint.name
        is_json = answers[0].headers["content-type"] == "application/json"
        assert len({answer.json.get("object") if is_json else answer.body for answer in answers}) == 1
        assert all("upstream;dur=" in answer.headers["server-timing"] for answer in answers)
        assert all("tollhouse;dur=" in answer.headers["server-timing"] for answer in answers)


# bodies


@pytest.mark.parametrize(
    "sent", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"]
)
def test_json_is_json_however_it_is_named(platform: DemoPlatform, sent: str) -> None:
    headers = {**bearer(platform.facts["api_key"]), "Content-Type": sent}
    assert platform.ask("POST", CHAT, headers, json.dumps(HELLO).encode()).status == 200


@pytest.mark.parametrize("sent", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_any_other_content_type_is_refused_once_the_key_is_known(platform: DemoPlatform, sent: str | None) -> None:
    content = {} if sent is None else {"Content-Type": sent}
    for endpoint in endpoints.calls():
        reply = platform.ask("POST", endpoint.path, {**bearer(platform.facts["api_key"]), **content}, endpoint.body)
        assert reply.verdict == (400, "invalid_request_error")
        assert reply.error.get("param", "content-type") == "content-type"
        assert "Content-Type" in reply.error["message"]
        assert platform.ask("POST", endpoint.path, content, endpoint.body).verdict == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"   ", "empty"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'"text"', "object"),
        (b"{", "line 1, column 2"),
        (b'{"model": "gpt-4o",\n "messages": [}', "line 2, column 15"),
        (b'{"a": 1} x', "line 1, column 10"),
        (b'{"a": \x00}', "line 1, column 7"),
        (b'{"a": "\x00"}', "line 1"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": "\xc0\xaf"}', "UTF-8"),
        (b'{"a": "\\ud800\\ue000"}', "surrogate"),
        (b'{"a": NaN}', "line 1"),
        (b'{"a": ' + b"[" * 40_000 + b"]" * 40_000 + b"}", "nested"),
        (b'{"messages": ' + b'{"a":' * 40_000 + b"1" + b"}" * 40_000 + b"}", "nested"),
        (b"\xfe\xff\x00{\x00}", "UTF-8"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_body_that_cannot_be_read_is_told_where(platform: DemoPlatform, body: bytes, said: str) -> None:
    for endpoint in endpoints.calls():
        reply = platform.ask("POST", endpoint.path, {**JSON, **bearer(platform.facts["api_key"])}, body)
        assert reply.verdict == (400, "invalid_request_error")
        assert ("multipart/form-data" if endpoint.is_form else said) in reply.error["message"]


def test_of_a_duplicate_member_the_last_one_counts(platform: DemoPlatform) -> None:
    body = b'{"model": "nowhere", "messages": [], "model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}'
    assert platform.ask("POST", CHAT, {**JSON, **bearer(platform.facts["api_key"])}, body).status == 200
    body = body.replace(b"gpt-4o", b"nowhere-2")
    reply = platform.ask("POST", CHAT, {**JSON, **bearer(platform.facts["api_key"])}, body)
    assert "nowhere-2" in reply.error["message"]


# bodies that are too large


def _sized(size: int) -> bytes:
    body = json.dumps({**HELLO, "user": ""}).encode()
    return body.replace(b'"user": ""', b'"user": "' + b"x" * (size - len(body)) + b'"')


@pytest.mark.parametrize("size", [BODY_BYTES_MAX, BODY_BYTES_MAX + 1, 2 * BODY_BYTES_MAX])
def test_a_body_above_the_bound_is_413_however_it_is_framed(platform: DemoPlatform, size: int) -> None:
    body = _sized(size)
    assert len(body) == size
    key = platform.facts["api_key"]
    head = [b"Authorization: Bearer " + key.encode(), b"Content-Type: application/json"]
    whole = platform.ask("POST", CHAT, {**JSON, **bearer(key)}, body)
    pieces = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[i : i + 90_000] for i in range(0, size, 90_000))]
    at_once = platform.send(chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (size, body), *head, path=CHAT.encode()))
    in_pieces = platform.send(chunked(b"".join(pieces) + b"0\r\n\r\n", *head, path=CHAT.encode()))
    expected = (200, "") if size <= BODY_BYTES_MAX else (413, "request_too_large")
    assert [reply.verdict for reply in (whole, at_once, in_pieces)] == [expected] * 3
    if size > BODY_BYTES_MAX:
        assert str(BODY_BYTES_MAX) in whole.error["message"]


def test_a_body_that_is_announced_too_large_is_not_waited_for(platform: DemoPlatform) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n"
    for key, expected in ((platform.facts["api_key"], 413), ("sk-wrong", 401)):
        with RawClient(platform.port) as wire:
            answer = wire.send(f"{head}Authorization: Bearer {key}\r\nExpect: 100-continue\r\n\r\n".encode()).answer()
        assert answer is not None
        assert answer.status == expected
        assert answer.closes


def test_a_chunked_body_is_refused_while_it_is_read(platform: DemoPlatform) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    size = BODY_BYTES_MAX + 1
    with RawClient(platform.port) as wire:
        wire.send(f"{head}Authorization: Bearer {platform.facts['api_key']}\r\n\r\n".encode())
        wire.send(b"%x\r\n%b\r\n" % (size, b" " * size))  # and its end never comes
        answer = wire.answer()
    assert answer is not None
    assert answer.status == 413
