"""A provider that writes a word, waits, and writes the next, until its caller leaves, or that breaks off in the middle:
what the simulator never does for a live key."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PAUSE_SECONDS: Final = 0.06
WORDS_MAX: Final = 500


class SlowAnswer(BaseHTTPRequestHandler):
    """An endless story as a stream of chat."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        server: Any = self.server
        try:
            for number in range(server.words):
                delta = {"content": f"word{number} "}
                self._send({"id": "c1", "model": "slow", "choices": [{"index": 0, "delta": delta}]})
                if server.ended.wait(server.pause_seconds):
                    return
            self.close_connection = True
        except OSError:
            server.left.set()

    def _send(self, event: dict[str, Any]) -> None:
        data = f"data: {json.dumps(event)}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *words: Any) -> None:
        """Says nothing."""


class SlowProvider(ThreadingHTTPServer):
    """`left`: a caller has closed the connection in the middle of an answer. Behind so many words it breaks off."""

    daemon_threads = True

    def __init__(self, words: int, pause_seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), SlowAnswer)
        self.words, self.pause_seconds = words, pause_seconds
        self.left, self.ended = threading.Event(), threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def slow_provider(words: int = WORDS_MAX, pause_seconds: float = PAUSE_SECONDS) -> Iterator[SlowProvider]:
    server = SlowProvider(words, pause_seconds)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
