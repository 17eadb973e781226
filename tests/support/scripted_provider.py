"""A provider on a real socket that answers what a test lays down for it, byte by byte, and tells what it saw.

It runs on a thread of its own, because the platform before it is another process and the caller is the test itself.
A request is answered by the oldest script laid down for the model it names, the last one for ever.
"""

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar, cast

GOLDEN = Path(__file__).parents[1] / "end_to_end" / "golden"
WAIT_SECONDS_MAX = 20  # what has not happened by then will not
DONE = b"data: [DONE]\n\n"
T = TypeVar("T")


class Turn:
    """One request and the connection it came on. `left` tells how much had been written when the other side closed."""

    def __init__(self, head: bytes, body: bytes, wire: "ProviderWire") -> None:
        self.head = head
        self.body = body
        self.left: Future[int] = Future()
        self.written = 0
        self.ended = False  # the answer was written to its end
        self._wire = wire

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            known, _, value = line.partition(":")
            if known.lower() == name:
                return value.strip()
        return None

    async def write(self, data: bytes) -> None:
        self._wire.transport.write(data)
        self.written += len(data)
        await self._wire.writable.wait()
        await asyncio.sleep(0)  # one write, one packet, as far as this side can help it

    def close(self) -> None:
        self._wire.transport.close()

    def reset(self) -> None:
        endpoint = self._wire.transport.get_extra_info("socket")
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._wire.transport.abort()


Script = Callable[[Turn], Awaitable[None]]


class ProviderWire(asyncio.Protocol):
    """One connection: request after request, each answered by its script."""

    transport: asyncio.Transport

    def __init__(self, provider: "ScriptedProvider") -> None:
        self._provider = provider
        self._received = b""
        self._turn: Turn | None = None
        self._playing: asyncio.Task[None] | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._provider.connections += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._begin()

    def eof_received(self) -> None:
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def _begin(self) -> None:
        end = self._received.find(b"\r\n\r\n") + 4
        if self._turn is not None or end < 4:
            return
        head = self._received[:end]
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
        length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
        if len(self._received) < end + length:
            return
        self._turn = Turn(head, self._received[end : end + length], self)
        self._received = self._received[end + length :]
        self._playing = asyncio.ensure_future(self._play(self._provider.begins(self._turn), self._turn))

    async def _play(self, script: Script, turn: Turn) -> None:
        await script(turn)
        turn.ended = True
        self._turn = None
        self._begin()

    def _leave(self) -> None:
        if self._turn is not None:
            self._turn.left.set_result(self._turn.written)
            self._turn = None
        if self._playing is not None:
            self._playing.cancel()


class ScriptedProvider:
    """`with ScriptedProvider() as provider`: `plays(model, *scripts)`, then `seen(n)` or `turns`."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.connections = 0
        self._scripts: dict[str, deque[Script]] = {}
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> "ScriptedProvider":
        self._thread.start()
        self.port = self.run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def plays(self, model: str, *scripts: Script) -> None:
        """Lay down scripts for this model, and forget what was seen so far. Where the path names it: for the path."""
        with self._news:
            self._scripts[model] = deque(scripts)
            self.turns.clear()

    def seen(self, count: int = 1) -> list[Turn]:
        """The requests since the last `plays`, as soon as there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.turns) >= count, WAIT_SECONDS_MAX), "no such request came"
            return list(self.turns)

    def begins(self, turn: Turn) -> Script:
        """A request has come; the script that answers it."""
        with self._news:
            self.turns.append(turn)
            self._news.notify_all()
            scripts = self._scripts[str(turn.json.get("model", turn.path)) if turn.body else turn.path]
            return scripts.popleft() if len(scripts) > 1 else scripts[0]

    def signal(self, event: asyncio.Event) -> None:
        """Set an event that scripts wait for."""
        self._loop.call_soon_threadsafe(event.set)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS_MAX)

    async def _listen(self) -> int:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: ProviderWire(self), "127.0.0.1", self.port, backlog=2048)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# What scripts are made of.


def answers(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Script:
    """A whole answer with its length."""

    async def play(turn: Turn) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
        await turn.write(head.encode() + body)

    return play


def refuses(status: int, message: str = "no", **headers: str) -> Script:
    return answers(json.dumps({"error": {"message": message}}).encode(), status, **headers)


def streams(
    body: bytes | Iterable[bytes | asyncio.Event],
    *,
    size: int | None = None,
    end: str = "whole",
    kind: str = "text/event-stream",
) -> Script:
    """An event stream in chunks. size: bytes a write, each its own chunk. An event among the pieces is waited for.

    end: `whole` (last chunk), `open` (nothing more, the socket stays), `close` (without a last chunk), `reset`, or
    `eof`: not chunked at all, the connection's end is the body's.
    """

    async def play(turn: Turn) -> None:
        framing = "connection: close" if end == "eof" else "transfer-encoding: chunked"
        await turn.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n".encode())
        for piece in _pieces(body, size):
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                await turn.write(piece if end == "eof" else b"%x\r\n%b\r\n" % (len(piece), piece))
        if end == "whole":
            await turn.write(b"0\r\n\r\n")
        elif end == "open":
            await asyncio.get_running_loop().create_future()
        elif end == "reset":
            turn.reset()
        else:
            turn.close()

    return play


def _pieces(body: bytes | Iterable[bytes | asyncio.Event], size: int | None) -> Iterable[bytes | asyncio.Event]:
    if not isinstance(body, bytes):
        return body
    step = size or len(body) or 1
    return [body[at : at + step] for at in range(0, len(body), step)]


def plays_file(name: str) -> Script:
    """A whole answer as it stands in a file; each of its HTTP chunks is one write."""
    return in_chunks((GOLDEN / name).read_bytes())


def in_chunks(answer: bytes) -> Script:
    head, _, body = answer.partition(b"\r\n\r\n")
    pieces = [head + b"\r\n\r\n"]
    if b"transfer-encoding: chunked" in head.lower():
        while body:
            size = int(body.partition(b"\r\n")[0], 16)
            end = body.index(b"\r\n") + 2 + size + 2
            pieces.append(body[:end])
            body = body[end:]
    else:
        pieces.append(body)

    async def play(turn: Turn) -> None:
        for piece in pieces:
            await turn.write(piece)

    return play


async def hangs_up(turn: Turn) -> None:
    """In the middle of the head."""
    await turn.write(b"HTTP/1.1 200 OK\r\ncontent-ty")
    turn.reset()


async def says_nothing(turn: Turn) -> None:
    await asyncio.get_running_loop().create_future()


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def said(text: str, prompt_tokens: int = 60, completion_tokens: int = 12) -> bytes:
    """A buffered answer."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    choices = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "up", "choices": choices, "usage": usage}
    return json.dumps(body).encode()


def word(text: str) -> bytes:
    """An event of a stream."""
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return b"data: " + json.dumps({"id": "c1", "choices": choices}).encode() + b"\n\n"


LAST = (
    b'data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":60,"completion_tokens":12}}\n\n' + DONE
)
