"""A provider that remembers what it was sent, and answers as it is asked to: well, badly, or with all it knows."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct

TEXT = "The canary sings."
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
MESSAGE = {"role": "assistant", "content": TEXT}
SOUND = "/v1/audio/speech"
ANSWERS: Mapping[str, Mapping[str, object]] = {
    "/v1/chat/completions": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "canary",
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
        "usage": USAGE,
    },
    "/v1/completions": {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "model": "canary",
        "choices": [{"index": 0, "text": TEXT, "finish_reason": "stop"}],
        "usage": USAGE,
    },
    "/v1/responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "canary",
        "output": [],
        "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13},
    },
    "/v1/embeddings": {
        "object": "list",
        "model": "canary",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "usage": {"prompt_tokens": 9, "total_tokens": 9},
    },
    "/v1/moderations": {"id": "modr-1", "model": "canary", "results": []},
    "/v1/rerank": {"results": [{"index": 0, "relevance_score": 0.5}], "usage": {"total_tokens": 9}},
    "/v1/images/generations": {"created": 1, "data": [{"url": "https://pictures.example/1"}]},
    "/v1/images/edits": {"created": 1, "data": [{"url": "https://pictures.example/1"}]},
    "/v1/images/variations": {"created": 1, "data": [{"url": "https://pictures.example/1"}]},
    "/v1/audio/transcriptions": {"text": TEXT},
    "/v1/audio/translations": {"text": TEXT},
    "/v1/models": {"object": "list", "data": [{"id": "canary", "object": "model"}]},
}


class CanaryRequest(Struct, frozen=True):
    """One request: its line, its headers as they came, its body."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def all_of(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name]

    @property
    def text(self) -> str:
        return "\n".join([self.line, *(f"{name}: {value}" for name, value in self.headers), self.body.decode()])


class Canary(ThreadingHTTPServer):
    """`status` and `extra`: of the next answers. An error tells all it was told, as careless providers do."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[CanaryRequest] = []
        self.connections = 0
        self.status = 200
        self.extra: Mapping[str, str] = {}
        canary = self

        class CanaryHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen = CanaryRequest(self.requestline, list(self.headers.items()), body)
                canary.seen.append(seen)
                data = canary.words(seen, self.path)
                self.send_response(canary.status)
                for name, value in canary.extra.items():
                    self.send_header(name, value)
                sings = canary.status == 200 and self.path == SOUND
                self.send_header("Content-Type", "audio/mpeg" if sings else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815 (names the base class looks for)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), CanaryHandler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.connections += 1
        return True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def words(self, seen: CanaryRequest, path: str) -> bytes:
        if self.status == 200 and path == SOUND:
            return TEXT.encode()
        if self.status == 200:
            return json.dumps(ANSWERS[path]).encode()
        message = f"Failed at http://{self.address}{path} with {seen.text}"
        return json.dumps({"error": {"message": message, "type": "x", "param": None, "code": seen.text}}).encode()


@contextmanager
def canary() -> Iterator[Canary]:
    """A canary that sings until the end of the block."""
    server = Canary()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
