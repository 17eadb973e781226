"""A key that somebody found and reported: refused at once, and the answer is the same whatever was sent."""

import json
import time

from tests.security.endpoints import MODEL, PROMPT
from tests.security.platform_process import JSON, DemoPlatform, DemoReply
from tollhouse.access.secrets import mint

REPORT = "/api/v1/keys/report-leak"
CALL = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}


def reported(platform: DemoPlatform, *tokens: str) -> DemoReply:
    return platform.ask("POST", REPORT, JSON, json.dumps([{"token": token} for token in tokens]).encode())


def test_found_key_is_refused_within_a_moment(platform: DemoPlatform) -> None:
    key = platform.key("found")
    assert platform.post("/v1/chat/completions", key, CALL).status == 200
    assert reported(platform, key).json == {"received": 1}
    until = time.monotonic() + 5
    while (reply := platform.post("/v1/chat/completions", key, CALL)).status == 200 and time.monotonic() < until:
        pass
    assert reply.verdict == (403, "key_frozen")


def test_answer_tells_nothing_about_the_keys(platform: DemoPlatform) -> None:
    """Valid, unknown, damaged, of nobody: the same bytes and headers, but for the ids of requests and the date."""
    valid, unknown = platform.key("found and good"), mint("live", bytes(range(32)))
    replies = [reported(platform, token) for token in (valid, unknown, valid[:-1], "x", "")]
    assert {reply.body for reply in replies} == {b'{"received":1}'}
    fixed = [
        {name: value for name, value in reply.headers.items() if name not in ("date", "x-request-id", "request-id")}
        for reply in replies
    ]
    assert all(one == fixed[0] for one in fixed)


def test_a_page_of_another_site_learns_nothing_and_a_key_is_not_needed(platform: DemoPlatform) -> None:
    headers = {**JSON, "Origin": "https://evil.example", "Authorization": "Bearer nonsense"}
    reply = platform.ask("POST", REPORT, headers, b"[]")
    assert reply.json == {"received": 0}
    assert "access-control-allow-origin" not in reply.headers
    assert platform.ask("GET", REPORT).status in (401, 404, 405)


def test_large_and_deep_reports_are_refused(platform: DemoPlatform) -> None:
    assert platform.ask("POST", REPORT, JSON, b"[" + b" " * 300_000 + b"]").status == 413
    assert platform.ask("POST", REPORT, JSON, b"[" * 100_000).status == 400
    assert reported(platform, *["x"] * 501).status == 400
