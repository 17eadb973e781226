"""An upstream of one shape on a real socket, on threads of its own. It holds each request against the vendor's types
and rules, and keeps what it has to complain about: a test that leaves complaints has failed."""

import json
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.clients.upstreams.plan import AskedOfUpstream, PlannedAnswer, plan

Body = dict[str, Any]
STREAM: Final = "text/event-stream; charset=utf-8"


class VendorRefusal(Exception):
    """The vendor would answer such a request with 400 and these words."""


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: Body


@dataclass(frozen=True, kw_only=True)
class VendorShape:
    """One vendor's way: `kind` and `speaks` as platform.toml names it.

    read: raises VendorRefusal. complaints: what in a request no type of the vendor allows, or no rule. whole, events:
    an answer. error: the body of a status. error_event: the same in the midst of a stream. count: of the tokens of a
    request.
    """

    name: str
    kind: str
    speaks: str
    complaints: Callable[[ReceivedRequest], Iterable[str]]
    read: Callable[[ReceivedRequest], AskedOfUpstream]
    whole: Callable[[AskedOfUpstream, PlannedAnswer], Body]
    events: Callable[[AskedOfUpstream, PlannedAnswer], Iterable[bytes]]
    error: Callable[[int, str], Body]
    error_event: Callable[[int, str], bytes]
    count: Callable[[ReceivedRequest], Body] | None = None


@dataclass(kw_only=True)
class VendorServer:
    """`with VendorServer(shape=CHAT) as upstream`: then `upstream.port`, `received`, `complaints`."""

    shape: VendorShape
    received: list[ReceivedRequest] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "VendorServer":
        handler = partial(VendorConnection, self)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.port: int = self._server.server_address[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def forget(self) -> None:
        self.received.clear()
        self.complaints.clear()

    def fails(self, asked: AskedOfUpstream) -> int | None:
        """The status by which this call fails: `[fail=503]` for ever, `[fail=503,2,NAME]` for two calls."""
        word = asked.word("fail")
        if word is None:
            return None
        status, _, times = word.partition(",")
        if times:
            self.failures[word] += 1
            if self.failures[word] > int(times.partition(",")[0]):
                return None
        return int(status)


class VendorConnection(BaseHTTPRequestHandler):
    """One connection: call after call."""

    protocol_version = "HTTP/1.1"

    def __init__(self, serves: VendorServer, *given: Any) -> None:
        self.serves = serves
        super().__init__(*given)

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        try:
            self._serve()
        except Exception:
            self.serves.complaints.append(f"the upstream itself failed: {traceback.format_exc()}")
            raise

    def _serve(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = ReceivedRequest(path=self.path, headers=headers, body=json.loads(data))
        upstream, shape = self.serves, self.serves.shape
        upstream.received.append(received)
        try:
            complaints = list(shape.complaints(received))
            asked = shape.read(received)
        except VendorRefusal as refused:
            complaints = [str(refused)]
        if complaints:
            upstream.complaints += [f"{shape.name} upstream: {one}" for one in complaints]
            self._answer(400, shape.error(400, complaints[0]))
            return
        self._wait(asked, "slow")
        if shape.count is not None and self.path.lower().replace("_", "").endswith("counttokens"):
            self._answer(200, shape.count(received))
            return
        status = upstream.fails(asked)
        if status is not None:
            self._answer(status, shape.error(status, f"made to fail with {status}"))
        elif asked.stream:
            self._stream(asked, list(shape.events(asked, plan(asked))))
        else:
            self._answer(200, shape.whole(asked, plan(asked)))

    def _wait(self, asked: AskedOfUpstream, word: str) -> None:
        seconds = asked.word(word)
        if seconds:
            self.serves.stopping.wait(float(seconds))

    def _answer(self, status: int, body: Body) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self._write(data)

    def _stream(self, asked: AskedOfUpstream, events: list[bytes]) -> None:
        """Whole, or (`[cut]`, `[mid=STATUS]`) its first half, with nothing or with an error behind it."""
        self.send_response(200)
        self.send_header("content-type", STREAM)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        middle = asked.word("mid")
        broken = middle is not None or asked.word("cut") is not None
        for event in events[: len(events) // 2] if broken else events:
            self._write(b"%x\r\n%b\r\n" % (len(event), event))
            self._wait(asked, "pause")
        if middle is not None:
            event = self.serves.shape.error_event(int(middle), "made to fail in the midst")
            self._write(b"%x\r\n%b\r\n" % (len(event), event))
        if broken:
            self.close_connection = True
        else:
            self._write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:  # the platform hung up: its caller has gone, or it waited long enough
            self.close_connection = True


def sse(data: Body, event: str = "") -> bytes:
    named = f"event: {event}\n" if event else ""
    return f"{named}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
