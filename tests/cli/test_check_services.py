"""`tollhouse check` against what people really point it at: the right cause, in time, and never a traceback."""

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.security.platform_process import DemoPlatform
from tests.support.server_process import free_port
from tests.upstream.certificates import Authority

SECONDS_MAX: Final = 10
LOGIN: Final = b"<!doctype html><html><body><form>Sign in</form></body></html>"
INSIDE: Final = b'{"error": {"message": "quota used up", "type": "x", "code": "insufficient_quota"}}'


def check(*words: str, text: str = "") -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the steps by their ids."""
    begun = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "tollhouse", "check", *words, "--json"],
        capture_output=True, text=True, timeout=60, input=text,
    )  # fmt: skip
    assert time.monotonic() - begun < SECONDS_MAX
    assert "Traceback" not in ran.stderr + ran.stdout
    return ran.returncode, {step["id"]: step for step in json.loads(ran.stdout)["steps"]}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPlatform]:
    platform = DemoPlatform(tmp_path_factory.mktemp("demo"))
    try:
        yield platform
    finally:
        platform.close()


@pytest.fixture(scope="module")
def keys(platform: DemoPlatform) -> Mapping[str, str]:
    live = platform.key("live")
    made = {name: platform.key(name) for name in ("revoked", "frozen")}
    platform.operator("keys.revoke", "revoked")
    platform.operator("keys.freeze", "frozen")
    for name in ("suspended", "poor"):
        platform.operator("accounts.create", name=name)
        made[name] = platform.key(name, account=name)
    platform.operator("accounts.suspend", "suspended")
    made["expired"] = platform.key("expired", expires="1s")
    while platform.get("/v1/models", made["expired"]).status == 200:
        pass  # until its second is over
    return {**made, "live": live, "admin": platform.key("admin", mode="admin")}


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_a_good_platform_is_green_with_and_without_v1(
    platform: DemoPlatform, keys: Mapping[str, str], tail: str
) -> None:
    code, steps = check("--base-url", f"http://127.0.0.1:{platform.port}{tail}", "--key", keys["live"])
    assert (code, {one["state"] for one in steps.values()}) == (0, {"green", "not_run"})


@pytest.mark.parametrize(
    ("key", "step", "reason"),
    [
        ("revoked", "api_key", "was revoked"),
        ("expired", "api_key", "expired on"),
        ("frozen", "api_key", "is frozen"),
        ("suspended", "api_key", "is suspended"),
        ("admin", "api_key", "admin key"),
        ("poor", "rate_limits", "money"),
        ('"{live}"', "api_key", "quotes"),
        ("Bearer {live}", "api_key", "Bearer"),
        ("{live}x", "api_key", "damaged"),
        ("sk-th-live-abcd\u2026wxyz", "api_key", "short form"),
        ("$OPENAI_API_KEY", "api_key", "placeholder"),
        ("sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz", "api_key", "OpenAI"),
        ("", "api_key", "empty"),
    ],
)
def test_each_kind_of_bad_key_is_named(
    platform: DemoPlatform, keys: Mapping[str, str], key: str, step: str, reason: str
) -> None:
    text = keys.get(key, key.replace("{live}", keys["live"]))
    code, steps = check("--base-url", f"http://127.0.0.1:{platform.port}", "--key", text)
    assert (code, steps[step]["state"]) == (1, "red")
    assert reason in steps[step]["reason"]
    assert steps[step]["cure"]
    assert not text or text not in json.dumps(steps)


def test_a_body_is_judged_and_sent_only_when_asked(platform: DemoPlatform, keys: Mapping[str, str]) -> None:
    words = ("--base-url", f"http://127.0.0.1:{platform.port}", "--key", keys["live"], "--body", "/dev/stdin")
    body = {"model": "gpt-4o", "messages": [{"role": "human", "content": "Hello"}], "stream": True}
    code, steps = check(*words, text=json.dumps(body))
    assert (code, steps["request_format"]["state"]) == (1, "red")
    assert "human" in steps["request_format"]["reason"]
    body["messages"] = [{"role": "user", "content": "Hello"}]
    assert check(*words, "--send", text=json.dumps(body))[0] == 0
    body["n"] = 500
    code, steps = check(*words, "--send", text=json.dumps(body))
    assert (code, steps["request_format"]["state"]) == (1, "red")
    assert "n" in steps["request_format"]["reason"]


def test_every_format_is_tried_where_it_is_asked_for(platform: DemoPlatform, keys: Mapping[str, str]) -> None:
    for tail in ("", "/v1"):
        words = ("--base-url", f"http://127.0.0.1:{platform.port}{tail}", "--key", keys["live"], "--every-format")
        code, steps = check(*words)
        assert (code, steps["request_format"]["state"]) == (0, "green")
        assert "OpenAI and Anthropic and Gemini" in steps["request_format"]["reason"]


HELLO: Final = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (
            "",
            {
                "model": "gpt-4o",
                "max_tokens": 9,
                "system": "Be brief.",
                "messages": [{"role": "user", "content": "Hi"}],
            },
        ),
        ("/v1/messages", {"model": "gpt-4o", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}),
        ("https://toll.example/v1beta/models/gpt-4o:generateContent", {"contents": [{"parts": [{"text": "Hi"}]}]}),
    ],
)
def test_bodies_of_other_formats_are_judged_and_sent(
    platform: DemoPlatform, keys: Mapping[str, str], endpoint: str, body: dict[str, Any]
) -> None:
    words = ["--base-url", f"http://127.0.0.1:{platform.port}", "--key", keys["live"], "--body", "/dev/stdin", "--send"]
    words += ["--endpoint", endpoint] if endpoint else []
    code, steps = check(*words, text=json.dumps(body))
    assert (code, steps["request_format"]["state"]) == (0, "green"), steps
    spoilt = {name: [{"role": "robot"}] if isinstance(value, list) else value for name, value in body.items()}
    code, steps = check(*words, text=json.dumps(spoilt))
    assert (code, steps["request_format"]["state"]) == (1, "red"), steps


def test_an_error_is_read(platform: DemoPlatform, keys: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "error").write_text("HTTP/1.1 429 X\nretry-after: 3\n\n{}", encoding="utf-8")
    words = ("--base-url", f"http://127.0.0.1:{platform.port}", "--key", keys["live"])
    _, steps = check(*words, "--error", str(tmp_path / "error"))
    assert (steps["error_body"]["state"], steps["error_body"]["code"]) == ("red", "rate_limit_exceeded")


class Answers:
    """A server that gives one answer to everything. certificate: with TLS."""

    def __init__(self, kind: str, body: bytes, certificate: ssl.SSLContext | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 (names the base class looks for)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            self.server.socket = certificate.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def first(*words: str) -> dict[str, Any]:
    code, steps = check(*words, "--key", "sk-good")
    assert code == 1
    return next(step for step in steps.values() if step["state"] == "red")


def test_a_stopped_server_and_a_wrong_port() -> None:
    step = first("--base-url", f"http://127.0.0.1:{free_port()}/v1")
    assert "refused" in step["reason"]
    assert "port" in step["cure"]


def test_a_host_that_nobody_knows() -> None:
    assert "not known" in first("--base-url", "http://toll.invalid/v1")["reason"]


def test_a_port_that_speaks_something_else_or_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        step = first("--base-url", f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert "no answer in time" in step["reason"]


def test_a_page_for_people_is_no_service() -> None:
    step = first("--base-url", f"http://127.0.0.1:{Answers('text/html', LOGIN).port}")
    assert "HTML" in step["reason"]
    assert "login" in step["cure"]


def test_an_error_within_a_200() -> None:
    step = first("--base-url", f"http://127.0.0.1:{Answers('application/json', INSIDE).port}", "--model", "m")
    assert "200" in step["reason"]
    assert "quota used up" in step["reason"]


def test_https_to_a_port_without_tls() -> None:
    step = first("--base-url", f"https://127.0.0.1:{Answers('text/html', LOGIN).port}")
    assert "no TLS" in step["reason"]


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    server = Answers("text/html", LOGIN, Authority(tmp_path).server("localhost"))
    step = first("--base-url", f"https://localhost:{server.port}")
    assert "certificate is not accepted" in step["reason"]
