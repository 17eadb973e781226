"""A service like OpenAI's on a real socket, whose answers are scripted."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[str, str, dict[str, Any], str], tuple[int, Any]]
"""method, path, body, authorization -> status, JSON answer (or text as it is)."""

KEY = "sk-good"


class FakeService:
    """A service on a real socket that answers as a script says and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: Script = honest
        self.asked: list[tuple[str, str]] = []
        service = self

        class ServiceHandler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(size) or b"{}")
                service.asked.append((self.command, self.path))
                status, reply = service.script(self.command, self.path, body, self.headers.get("Authorization", ""))
                data = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere?key=" + KEY)
                self.send_header("X-Request-Id", "req_1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815 (names the base class looks for)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), ServiceHandler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def error(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def honest(method: str, path: str, body: dict[str, Any], authorization: str) -> tuple[int, Any]:
    """A service as it should be, with one chat model behind an embedding model on its list."""
    if not path.startswith("/v1/"):
        return 404, error("not_found", "no such path")
    if authorization != f"Bearer {KEY}":
        return 401, error("invalid_api_key", f"the key {authorization} is unknown")
    if path == "/v1/models":
        return 200, {"object": "list", "data": [{"id": "text-embedding-1"}, {"id": "toll-1"}]}
    if body.get("model") != "toll-1":
        return 404, error("model_not_found", "no such model", "model")
    return 200, {"object": "chat.completion", "choices": [{"message": {"content": "pong"}}]}
