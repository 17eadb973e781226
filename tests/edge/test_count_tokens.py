"""Tokens that are counted without an answer: free, asked of nobody, and judged like any other call before that."""

import json
from typing import Any

from tests.security import endpoints
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer

PATH = "/v1/messages/count_tokens"
HELLO: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is a tollhouse?"}]}


def count(platform: DemoPlatform, body: dict[str, Any], key: str = "api_key") -> DemoReply:
    return platform.ask("POST", PATH, {**JSON, **bearer(platform.facts[key])}, json.dumps(body).encode())


def test_every_endpoint_that_counts_answers(platform: DemoPlatform) -> None:
    assert [endpoint.path for endpoint in endpoints.counts()] == [PATH]


def test_tokens_are_counted_for_nothing(platform: DemoPlatform) -> None:
    before = platform.get("/v1/key", platform.facts["api_key"]).json["balance"]
    reply = count(platform, HELLO)
    assert reply.status == 200
    assert set(reply.json) == {"input_tokens"}
    assert 5 <= reply.json["input_tokens"] <= 30
    assert "x-tollhouse-charge-usd" not in reply.headers
    assert platform.get("/v1/key", platform.facts["api_key"]).json["balance"] == before
    assert count(platform, HELLO, "test_key").json == reply.json


def test_all_that_is_read_counts(platform: DemoPlatform) -> None:
    plain = count(platform, HELLO).json["input_tokens"]
    tool = {"name": "look", "description": "Looks at the gate.", "input_schema": {"type": "object"}}
    picture = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" * 1_000}
    seen = [{"role": "user", "content": [{"type": "image", "source": picture}]}]
    for more in ({"system": "Answer in verse, and at length."}, {"tools": [tool]}, {"messages": seen}):
        counted = count(platform, {**HELLO, **more}).json["input_tokens"]
        assert plain < counted < plain + 400
    assert count(platform, {**HELLO, "system": "word " * 10_000}).json["input_tokens"] > 10_000


GEMINI = "/v1beta/models/gpt-4o:countTokens"
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "What is a tollhouse?"}]}]}


def count_contents(platform: DemoPlatform, body: dict[str, Any], path: str = GEMINI) -> DemoReply:
    return platform.ask("POST", path, {**JSON, **bearer(platform.facts["api_key"])}, json.dumps(body).encode())


def test_gemini_counts_contents_or_a_whole_request(platform: DemoPlatform) -> None:
    reply = count_contents(platform, CONTENTS)
    assert (reply.status, set(reply.json)) == (200, {"totalTokens"})
    assert 5 <= reply.json["totalTokens"] <= 40
    assert count_contents(platform, CONTENTS, "/v1/models/gpt-4o:countTokens").json == reply.json
    whole = {**CONTENTS, "model": "models/gpt-4o", "systemInstruction": {"parts": [{"text": "word " * 1_000}]}}
    for name in ("generateContentRequest", "generate_content_request"):
        assert count_contents(platform, {name: whole}).json["totalTokens"] > 1_000
    wrong: dict[str, Any]
    for wrong in ({}, {"generateContentRequest": {}}, {"contents": "x", "generateContentRequest": []}):
        assert count_contents(platform, wrong).json["error"]["status"] == "INVALID_ARGUMENT"
    unknown = count_contents(platform, CONTENTS, "/v1beta/models/nowhere:countTokens")
    assert (unknown.status, unknown.json["error"]["status"]) == (404, "NOT_FOUND")


def test_what_is_wrong_is_told_as_for_a_call(platform: DemoPlatform) -> None:
    assert count(platform, {**HELLO, "model": "nowhere"}).verdict == (404, "model_not_found")
    for wrong in ({"model": "gpt-4o"}, {**HELLO, "messages": []}, {**HELLO, "messages": "x"}):
        assert count(platform, wrong).verdict == (400, "invalid_request_error")
    assert platform.ask("POST", PATH, {**JSON, **bearer("sk-wrong")}, b"{}").status == 401


def test_counting_counts_at_no_limit(platform: DemoPlatform) -> None:
    key = platform.key("counted")
    platform.operator("limits.set", key="counted", requests_per_minute=3)
    body = json.dumps({**HELLO, "system": "You keep a gate.", "max_tokens": 9}).encode()
    asked = {**JSON, **bearer(key)}
    assert {platform.ask("POST", PATH, asked, body).status for _ in range(20)} == {200}
    assert {platform.ask("POST", "/v1/messages", asked, body).status for _ in range(3)} == {200}
    assert platform.ask("POST", "/v1/messages", asked, body).verdict == (429, "rate_limit_exceeded")
    assert platform.ask("POST", PATH, asked, body).status == 200
