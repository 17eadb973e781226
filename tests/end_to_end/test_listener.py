"""What clients send at the door: odd paths, odd key spellings, held-back bodies, browsers, a plain nginx in front."""

import asyncio
import base64
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.platform_process import WAIT_SECONDS_MAX, PlatformProcess, PlatformReply, chat
from tests.support.scripted_provider import LAST, ScriptedProvider, answers, golden, said, streams, word
from tests.support.server_process import free_port


@pytest.fixture(autouse=True)
def answered(provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(said("hello")))


@pytest.mark.parametrize(
    "path", ["//v1/chat/completions", "/v1//chat/completions", "/v1/v1/chat/completions", "/v1/chat/completions?"]
)
def test_a_doubled_path_is_the_path_or_nothing(platform: PlatformProcess, path: str) -> None:
    """E05: never a redirect, which would turn the POST into a GET."""
    reply = platform.ask(chat(), path)
    assert reply.status in (200, 404)
    if reply.status == 404:
        assert reply.code == "not_found"
    else:
        assert reply.json["choices"][0]["message"]["content"] == "hello"
    assert platform.ask(chat(), path, key="").status in (401, 404)


@pytest.mark.parametrize("spelled", ["bearer {}", "BEARER {}", "Bearer  {}", "Bearer\t{}", "{}", "Bearer {}  "])
def test_a_key_however_it_is_introduced(platform: PlatformProcess, spelled: str) -> None:
    """E06"""
    reply = platform.ask(chat(), key="", headers={"Authorization": spelled.format(platform.key)})
    assert reply.status == 200


@pytest.mark.parametrize(
    ("spelled", "odd"),
    [
        ('Bearer "{}"', "quote"),
        ("Bearer '{}'", "quote"),
        ("Bearer Bearer {}", "Bearer"),
        ("Bearer {0},{0}", "comma"),
        ("Basic ", "Basic"),
    ],
)
def test_a_key_spoilt_is_refused_and_the_message_says_how(platform: PlatformProcess, spelled: str, odd: str) -> None:
    """E06"""
    value = spelled.format(platform.key)
    if value == "Basic ":
        value += base64.b64encode(f"{platform.key}:".encode()).decode()
    reply = platform.ask(chat(), key="", headers={"Authorization": value})
    assert (reply.status, reply.code) == (401, "invalid_api_key")
    assert odd.lower() in reply.json["error"]["message"].lower()
    assert platform.key not in reply.body.decode()
    assert platform.key[-12:] not in reply.body.decode()


class RawSocket:
    """A bare socket to the platform."""

    def __init__(self, platform: PlatformProcess, request: bytes, key: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", platform.port), WAIT_SECONDS_MAX)
        spoken = request.replace(b"\r\n", b"\n").replace(b"@HOST@", b"h").replace(b"@KEY@", key.encode())
        head, _, self.body = spoken.partition(b"\n\n")
        self.socket.sendall(head.replace(b"\n", b"\r\n") + b"\r\n\r\n")
        self.read = b""

    def read_until(self, text: bytes) -> bytes:
        while text not in self.read:
            data = self.socket.recv(65_536)
            if not data:
                break
            self.read += data
        return self.read

    def to_the_end(self) -> bytes:
        return self.read_until(b"\0never\0")


class TestHeldBackBody:
    """E08"""

    def test_the_body_is_invited(self, platform: PlatformProcess, provider: ScriptedProvider) -> None:
        provider.plays("up-house", streams(word("hello") + LAST))
        raw = RawSocket(platform, golden("E08.req"), platform.key)
        assert raw.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 Continue\r\n")
        raw.socket.sendall(raw.body.strip())
        assert b"[DONE]" in raw.read_until(b"[DONE]")
        raw.socket.close()

    def test_a_bad_key_is_told_without_the_body(self, platform: PlatformProcess) -> None:
        raw = RawSocket(platform, golden("E08.req"), "sk-th-live-wrong")
        assert raw.to_the_end().startswith(b"HTTP/1.1 401 "), "and the connection is closed"
        raw.socket.close()

    def test_an_unknown_expectation(self, platform: PlatformProcess) -> None:
        raw = RawSocket(platform, golden("E08.req").replace(b"100-continue", b"200-ok"), platform.key)
        raw.socket.sendall(raw.body.strip())
        status = raw.read_until(b"\r\n\r\n").split(b" ")[1]
        assert status in (b"200", b"417")
        raw.socket.close()


class TestBrowsers:
    """E10"""

    ORIGIN = "https://app.example"

    def preflight(self, platform: PlatformProcess, path: str) -> PlatformReply:
        lines = golden("E10.req").decode().replace("\r\n", "\n").strip().split("\n")[2:]
        headers = dict(line.split(": ", 1) for line in lines)
        return platform.ask(path=path, method="OPTIONS", key="", headers=headers)

    def test_a_preflight_is_open(self, platform: PlatformProcess) -> None:
        reply = self.preflight(platform, "/v1/chat/completions")
        assert reply.status in (200, 204)
        asked = golden("E10.req").decode().partition("Access-Control-Request-Headers: ")[2].split()[0].split(",")
        allowed = reply.headers["access-control-allow-headers"].lower()
        assert allowed == "*" or set(asked) <= {name.strip() for name in allowed.split(",")}
        assert "POST" in reply.headers["access-control-allow-methods"]
        assert reply.headers["access-control-allow-origin"] in ("*", self.ORIGIN)

    def test_an_error_can_be_read(self, platform: PlatformProcess) -> None:
        reply = platform.ask(chat(), key="sk-th-live-wrong", headers={"Origin": self.ORIGIN})
        assert reply.status == 401
        assert reply.headers["access-control-allow-origin"] in ("*", self.ORIGIN)
        assert "x-request-id" in reply.headers["access-control-expose-headers"].lower()

    @pytest.mark.parametrize("path", ["/api/v1/keys", "/console/"])
    def test_the_rest_of_the_platform_is_closed(self, platform: PlatformProcess, path: str) -> None:
        assert "access-control-allow-origin" not in self.preflight(platform, path).headers


PLACES = (
    *("/chat/completions", "/completions", "/responses", "/embeddings", "/moderations"),
    *("/models", "/models/house-1", "/key"),
)


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1/v1", "/x/../v1", "/%76%31", "/console/../v1"])
def test_no_way_in_without_a_key(platform: PlatformProcess, provider: ScriptedProvider, prefix: str) -> None:
    """E16"""
    for place in PLACES:
        for method in ("GET", "POST"):
            reply = platform.ask(chat() if method == "POST" else None, prefix + place, method=method, key="")
            assert reply.status in (401, 404, 405), (method, prefix + place)
            assert reply.json["error"]["message"]
    assert not provider.turns


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{behind}; }}
    }}
}}
"""


@pytest.fixture
def nginx(platform: PlatformProcess, tmp_path: Path) -> Iterator[int]:
    """As its beginner's guide has it: `proxy_pass` and nothing else."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert program is not None, "nginx is missing: make test installs it"
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port, behind=platform.port), encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(config), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100_000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield port
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS_MAX)


def test_the_first_word_passes_a_plain_nginx_before_the_last_is_said(
    platform: PlatformProcess, provider: ScriptedProvider, nginx: int
) -> None:
    """E12: the provider says the second word only when the first has arrived behind nginx."""
    heard = asyncio.Event()
    provider.plays("up-house", streams([word("one "), heard, word("two ") + LAST]))
    with socket.create_connection(("127.0.0.1", nginx), WAIT_SECONDS_MAX) as caller:
        caller.sendall(platform.raw(stream=True).replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n", 1))
        read = b""
        while b"one " not in read:
            data = caller.recv(65_536)
            assert data, read
            read += data
        assert b"two " not in read
        provider.signal(heard)
        while data := caller.recv(65_536):
            read += data
    assert b"two " in read
    assert b"[DONE]" in read
    assert b"cache-control: no-cache" in read.lower()


def test_behind_nginx_a_buffered_answer_is_the_same(platform: PlatformProcess, nginx: int) -> None:
    with socket.create_connection(("127.0.0.1", nginx), WAIT_SECONDS_MAX) as caller:
        caller.sendall(platform.raw().replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n", 1))
        read = b""
        while data := caller.recv(65_536):
            read += data
    assert read.startswith(b"HTTP/1.1 200 OK")
    assert json.loads(read.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] == "hello"


def test_a_stream_says_that_nobody_on_the_way_should_hold_it(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    """E12"""
    provider.plays("up-house", streams(word("hello") + LAST))
    reply = platform.ask(chat(stream=True))
    assert reply.headers["x-accel-buffering"] == "no"
    assert reply.headers["cache-control"] in ("no-cache", "no-store")
