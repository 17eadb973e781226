"""One HTTP request over a Unix socket, and its answer. `http.client` would bring a parser of mail with it."""

import socket
from pathlib import Path

from httptools import HttpParserError, HttpResponseParser

from tollhouse.edge.socket_path import short

_READ_BYTES = 65_536


class Unreadable(Exception):
    """What came back is no answer, or ends in the middle of one."""


class _Answer:
    """What the parser says of an answer."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.is_complete = False

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        self.is_complete = True


def exchange(
    path: Path, method: str, target: str, content_type: str, body: bytes, seconds_max: int
) -> tuple[int, bytes]:
    """Status and body. seconds_max bounds each wait. Raises OSError, Unreadable."""
    headers = "Host: localhost\r\nConnection: close\r\n"
    if method != "GET":
        headers += f"Content-Length: {len(body)}\r\n"
    if body:
        headers += f"Content-Type: {content_type}\r\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds_max)
        with short(path) as name:
            connection.connect(name)
        connection.sendall(f"{method} {target} HTTP/1.1\r\n{headers}\r\n".encode() + body)
        return _read(connection)


def _read(connection: socket.socket) -> tuple[int, bytes]:
    answer = _Answer()
    parser = HttpResponseParser(answer)
    while not answer.is_complete:
        data = connection.recv(_READ_BYTES)
        if not data:
            raise Unreadable("the connection ended before the answer did")
        try:
            parser.feed_data(data)
        except HttpParserError as error:
            raise Unreadable(f"what came is no HTTP ({error})") from error
    return parser.get_status_code(), b"".join(answer.body)
