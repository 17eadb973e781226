"""What an attacker sends: heads and bodies on raw sockets, many at once, finished or not."""

import json
import random
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from tests.hostile.launcher import AttackedPlatform

T = TypeVar("T")
R = TypeVar("R")


def head(key: str, length: int | None, path: str = "/v1/chat/completions", *more: str, method: str = "POST") -> bytes:
    """length None: chunked."""
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    lines = ["host: h", f"authorization: Bearer {key}", "content-type: application/json", framing, *more]
    return (f"{method} {path} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


def opened(platform: AttackedPlatform, seconds: float = 60) -> socket.socket:
    return socket.create_connection(("127.0.0.1", platform.port), timeout=seconds)


def send(connection: socket.socket, data: bytes) -> bool:
    """False: the platform closed, or would not read on within the socket's time-out."""
    try:
        connection.sendall(data)
    except OSError:
        return False
    return True


def status(connection: socket.socket) -> int:
    """Of the answer that comes; 0 when none comes within the socket's time-out."""
    received = b""
    with suppress(OSError):
        while b"\r\n" not in received:
            piece = connection.recv(4096)
            if not piece:
                break
            received += piece
    words = received.split(b" ", 2)
    return int(words[1]) if len(words) > 2 and words[1].isdigit() else 0


def post(
    platform: AttackedPlatform, key: str, body: bytes, path: str = "/v1/chat/completions", seconds: float = 60
) -> int:
    """The status of one whole request on a connection of its own."""
    with opened(platform, seconds) as connection:
        send(connection, head(key, len(body), path) + body)
        return status(connection)


def at_once(count: int, transaction: Callable[[int], R]) -> list[R]:
    with ThreadPoolExecutor(count) as many:
        return list(many.map(transaction, range(count)))


def each(items: Sequence[T], transaction: Callable[[T], R], width: int = 8) -> list[R]:
    with ThreadPoolExecutor(width) as many:
        return list(many.map(transaction, items))


def close(connections: Iterable[socket.socket]) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.close()


def padded(size: int, says: str = "", **members: object) -> bytes:
    """A chat request of so many bytes, most of them words in the prompt. says: what the scripted upstream is told."""
    body = {"model": "house-1", "messages": [{"role": "user", "content": "HERE"}], **members}
    begin, _, end = json.dumps(body).encode().partition(b"HERE")
    told = f"{says} ".encode()
    return begin + told + prose(size - len(begin) - len(told) - len(end)) + end


def prose(size: int) -> bytes:
    """Words that no tokenizer has whole."""
    choice = random.Random(size)
    lines = (" ".join("".join(choices(choice)) for _ in range(9)) for _ in range(2000))
    text = " ".join(lines).encode()
    return (text * (size // len(text) + 1))[: max(size, 0)]


def choices(choice: random.Random) -> list[str]:
    return choice.choices("abcdefghijklmnopqrstuvwxyz", k=choice.randint(2, 9))
