"""A client that sends what it likes, byte for byte, and reads answers strictly."""

import json
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

PATIENCE_SECONDS = 20  # longer than anything here takes; reaching it is a failure


class WireAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return "close" in self.headers.get("connection", "")


class RawClient:
    """One connection. Reading past the end of it gives None, closed or reset."""

    def __init__(self, address: int | str) -> None:
        if isinstance(address, int):
            self.socket = socket.create_connection(("127.0.0.1", address), timeout=PATIENCE_SECONDS)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE_SECONDS)
            self.socket.connect(address)
        self._held = b""
        self.was_reset = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> Self:
        """All of it, or as much as the other side takes before it closes."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)
        return self

    def shut(self) -> Self:
        """Close our own side; go on reading."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def more(self) -> bytes:
        """What comes next; empty at the end."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            self.was_reset = True
            return b""
        return data

    def until(self, mark: bytes) -> bytes | None:
        """Up to and with the mark; None where the connection ends before it."""
        while mark not in self._held:
            data = self.more()
            if not data:
                return None
            self._held += data
        found, mark, self._held = self._held.partition(mark)
        return found + mark

    def exactly(self, count: int) -> bytes:
        pieces, size = [self._held], len(self._held)
        while size < count:
            data = self.more()
            assert data, f"the answer ends early, after {size} bytes: {pieces[0]!r}"
            pieces.append(data)
            size += len(data)
        found = b"".join(pieces)
        found, self._held = found[:count], found[count:]
        return found

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        pieces = [self._held]
        while data := self.more():
            pieces.append(data)
        self._held = b""
        return b"".join(pieces)

    def rest_of_chunks(self) -> int:
        """The length of what is left of a chunked answer, without keeping it."""
        total = 0
        while size := int((self.until(b"\r\n") or b"x")[:-2], 16):
            total += len(self.exactly(size + 2)) - 2
        assert self.exactly(2) == b"\r\n"
        return total

    def answer(self, *, to_head: bool = False) -> WireAnswer | None:
        """The next answer, read whole; None where the connection ends instead. Interim answers are passed over."""
        head = self.until(b"\r\n\r\n")
        if head is None:
            assert not self._held, f"half an answer: {self._held!r}"
            return None
        line, *fields = head[:-4].split(b"\r\n")
        version, status, _ = line.split(b" ", 2)
        assert version == b"HTTP/1.1"
        if status[:1] == b"1":
            return self.answer(to_head=to_head)
        headers: dict[str, str] = {}
        for field in fields:
            name, value = field.decode("latin-1").split(": ", 1)
            name = name.lower()
            assert name not in headers, f"{name} twice"
            headers[name] = value
        return WireAnswer(int(status), headers, b"" if to_head else self._body(int(status), headers))

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status in (204, 304):
            assert "content-length" not in headers
            return b""
        if "content-length" in headers:
            assert "transfer-encoding" not in headers
            return self.exactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return self.rest()
        pieces = []
        while line := self.until(b"\r\n"):
            size = int(line[:-2], 16)
            pieces.append(self.exactly(size))
            assert self.exactly(2) == b"\r\n"
            if not size:
                return b"".join(pieces)
        assert not self._held, "cut in the middle of a chunk"
        self.broken = True  # the answer has no end
        return b"".join(pieces)


def get(path: bytes = b"/", *fields: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + b"".join(field + b"\r\n" for field in (b"Host: x", *fields)) + b"\r\n"


def post(body: bytes, *fields: bytes, path: bytes = b"/") -> bytes:
    head = (b"Host: x", b"Content-Length: %d" % len(body), *fields)
    return b"POST " + path + b" HTTP/1.1\r\n" + b"".join(field + b"\r\n" for field in head) + b"\r\n" + body


def chunked(body: bytes, *fields: bytes, path: bytes = b"/") -> bytes:
    """`body` as it stands, sizes and line ends included."""
    head = (b"Host: x", b"Transfer-Encoding: chunked", *fields)
    return b"POST " + path + b" HTTP/1.1\r\n" + b"".join(field + b"\r\n" for field in head) + b"\r\n" + body
