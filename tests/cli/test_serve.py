"""From an empty folder to an answer of a real second server, as README says it: init, apply, accounts, keys, serve."""

import json
import os
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.server_process import QUIET, TOLLHOUSE, served

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "up-house",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72},
}
PLATFORM = """\
\ufeff[server]
listen = "127.0.0.1:0"
metrics_address = ""

[models."house-1"]
offers = [{{ provider = "up", model = "up-house" }}]
price = {{ input = "2.50", output = "10.00" }}

[providers.up]
kind = "openai_compatible"
base_url = "{}/v1/"
api_keys = ["env:MAIN_KEY"]
"""


class ServedUpstream(ThreadingHTTPServer):
    """A second server that speaks OpenAI's format and remembers who asked for what."""

    def __init__(self) -> None:
        asked = self.asked = list[tuple[str, str, str | None]]()

        class UpstreamHandler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append((self.command, self.path, self.headers.get("Authorization")))
                listed = {"object": "list", "data": [{"id": "up-house"}]}
                data = json.dumps(listed if self.path.endswith("/models") else ANSWER).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815 (names the base class looks for)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), UpstreamHandler)


@pytest.fixture
def upstream() -> Iterator[ServedUpstream]:
    server = ServedUpstream()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class ServedPlatform:
    """A data folder, and commands typed beside it with the provider's key in the environment."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, **QUIET, "TOLLHOUSE_DIR": str(folder), "MAIN_KEY": "sk-upstream-1"}

    def command(self, *words: str) -> list[str]:
        return [*TOLLHOUSE, *words, "--json"]

    def type(self, *words: str) -> Any:
        ran = subprocess.run(self.command(*words), capture_output=True, text=True, env=self.environment, timeout=60)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


def test_the_readme_works(tmp_path: Path, upstream: ServedUpstream) -> None:
    gateway, folder = ServedPlatform(tmp_path / "data"), tmp_path / "data"
    gateway.type("init")
    (folder / "platform.toml").write_bytes(
        PLATFORM.format(f"http://127.0.0.1:{upstream.server_address[1]}").replace("\n", "\r\n").encode()
    )
    assert gateway.type("apply")["generation"] == 1
    gateway.type("accounts", "create", "team", "--credit-limit", "50")
    secret = gateway.type("keys", "create", "first", "--account", "team")["secret"]
    with served("serve", log=tmp_path / "log", environment=gateway.environment) as server:
        request = urllib.request.Request(
            server.facts["base_url"] + "/v1/chat/completions",
            json.dumps({"model": "house-1", "messages": [{"role": "user", "content": "ping"}]}).encode(),
            {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["choices"] == ANSWER["choices"]
        (tried,) = gateway.type("providers", "check")["data"]
        (used,) = gateway.type("usage")["data"]
    assert upstream.asked == [
        ("POST", "/v1/chat/completions", "Bearer sk-upstream-1"),
        ("GET", "/v1/models", "Bearer sk-upstream-1"),
    ]
    assert (tried["state"], tried["url"].partition("/v1")[1:]) == ("green", ("/v1", "/chat/completions"))
    assert used["usage"] == {"input": 60, "output": 12, "requests": 1}
    for path in [*folder.iterdir(), tmp_path / "log"]:
        if path.is_file():
            assert b"sk-upstream-1" not in path.read_bytes(), path
            assert secret.encode() not in path.read_bytes(), path


def test_a_server_in_a_folder_too_deep_for_a_socket_is_reached_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("a-folder-with-a-long-name/" * 6)
    gateway = ServedPlatform(folder)
    gateway.type("init")
    (folder / "platform.toml").write_text('[server]\nlisten = "127.0.0.1:0"\nmetrics_address = ""\n')
    with served("serve", log=tmp_path / "log", environment=gateway.environment):
        assert gateway.type("accounts", "create", "deep")["name"] == "deep"


def test_an_address_in_use_is_said_by_name(tmp_path: Path) -> None:
    gateway = ServedPlatform(tmp_path)
    gateway.type("init")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environment = {**gateway.environment, "TOLLHOUSE_METRICS_ADDRESS": address}
        ran = subprocess.run(
            gateway.command("serve", "--port", "0"), capture_output=True, text=True, env=environment, timeout=60
        )
    assert ran.returncode == 1
    error = json.loads(ran.stderr)["error"]
    assert error["code"] == "port_in_use"
    assert address in error["message"]
    assert "metrics_address" in error["message"]
