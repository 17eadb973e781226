"""A provider that costs next to nothing: canned answers of an OpenAI-compatible server, over real sockets.

The model's name chooses the answer: `canned` (1 kB of JSON, or a 9 kB stream written at once when the request streams),
`canned-paced` (a stream of 50 chunks, one every 100 ms), `canned-flood` (a stream of 200 MB as fast as it is taken).
Run as `python -m bench.upstream PORT`.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

EVENTS = 45
PACED_CHUNKS = 50
PACE_S = 0.1
FLOOD_BYTES = 200 * 1024 * 1024
FLOOD_TEXT = "x" * 4000


def _event(delta: dict[str, str], finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    chunk: dict[str, object] = {
        "id": "chatcmpl-canned0123456789",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "canned",
        "choices": [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    if usage:
        chunk["usage"] = usage
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


_USAGE = {"prompt_tokens": 120, "completion_tokens": EVENTS, "total_tokens": 120 + EVENTS}
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_WORD = _chunk(_event({"content": " tollhouse"}))
_LAST = (
    _chunk(_event({}, finish="stop")) + _chunk(_event({}, usage=_USAGE)) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
)
_STREAM = _STREAM_HEAD + _WORD * EVENTS + _LAST
_FLOOD_WORD = _chunk(_event({"content": FLOOD_TEXT}))


def _whole_answer() -> bytes:
    answer = {
        "id": "chatcmpl-canned0123456789",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "canned",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "tollhouse " * 75}, "finish_reason": "stop"}
        ],
        "usage": _USAGE,
    }
    body = json.dumps(answer, separators=(",", ":")).encode()
    return f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


_WHOLE = _whole_answer()


class Canned(asyncio.Protocol):
    """One connection. Reads requests with a Content-Length, one after the other."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None
        self._to_flood = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._to_flood = 0

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        if b'"canned-paced"' in body or b'"bench-paced"' in body:
            self._transport.write(_STREAM_HEAD)
            self._tick(PACED_CHUNKS)
        elif b'"canned-flood"' in body or b'"bench-flood"' in body:
            self._transport.write(_STREAM_HEAD)
            self._to_flood = FLOOD_BYTES
            self._flood()
        else:
            self._transport.write(_STREAM if b'"stream":true' in body else _WHOLE)

    def _tick(self, left: int) -> None:
        if left:
            self._transport.write(_WORD)
            self._timer = asyncio.get_running_loop().call_later(PACE_S, self._tick, left - 1)
        else:
            self._transport.write(_LAST)

    def _flood(self) -> None:
        while self._to_flood > 0 and not self._paused:
            self._transport.write(_FLOOD_WORD)
            self._to_flood -= len(_FLOOD_WORD)
            if self._to_flood <= 0:
                self._transport.write(_LAST)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flood()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
