"""A provider in a process of its own that does what the prompt tells it: `[[status=429&retry_after=300]]` in a body.

`python -m tests.hostile.scripted_upstream` prints its port. Where a body holds no such words, those of the model's name
count (`up[[...]]`); else it answers like an honest server. What it can be told:

status, shape (of the body of an error), retry_after (seconds), delay_ms (before the head), hang (never answers),
reset (the connection breaks instead of an answer), broken (it breaks within the answer), close (the connection ends),
prompt, completion (tokens that are reported), usage=no, words (written, whatever cap was named), reads (the name of
the only cap that is obeyed), fill (bytes of text), reasoning (the member that the thoughts stand in), forever
(a stream that never ends), total (total_tokens), chunk_ms (between events), sound (seconds that are reported),
created (tokens of the cache), tier (that is reported).
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import parse_qsl

LOOKED_AT_BYTES: Final = 64 * 1024
_SCRIPT: Final = re.compile(rb"\[\[([^\]\[\"\\]+)\]\]")
_SHAPES: Final = {
    "json": b'{"error":{"message":"no","type":"invalid_request_error","code":"no"}}',
    "list": b'{"errors":[{"message":"no"}]}',
    "nested": b'{"error":{"error":{"error":{"message":"no"}}}}',
    "html": b"<!DOCTYPE html><html><body><h1>Forbidden</h1></body></html>",
    "sse": b'data: {"error":{"message":"no"}}\n\n',
    "empty": b"",
    "truncated": b'{"error":{"mess',
    "huge": b'{"error":{"message":"' + b"no " * 700_000 + b'"}}',
    "text": b"no",
    "array": b"[]",
    "null": b"null",
    "deep": b"[" * 5000 + b"]" * 5000,
}
_KINDS: Final = {"html": "text/html", "sse": "text/event-stream", "text": "text/plain"}

Script = dict[str, str]


class ScriptedWire(asyncio.Protocol):
    """One connection of the platform: request after request."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = bytearray()
        self._needed = 0
        self._head = b""
        self._playing: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._playing is not None:
            self._playing.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _begin(self) -> None:
        if self._playing is not None:
            return
        if not self._needed:
            end = self._received.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            self._head = bytes(self._received[:end])
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", self._head)
            self._needed = end + (int(length[1]) if length else 0)
        if len(self._received) >= self._needed:
            body = _looked_at(memoryview(self._received)[len(self._head) : self._needed])
            del self._received[: self._needed]
            self._needed = 0
            self._playing = asyncio.ensure_future(self._answer(body))

    async def _answer(self, body: bytes) -> None:
        path = self._head.split(b" ", 2)[1].decode()
        told = _SCRIPT.search(body)
        script = dict(parse_qsl(told[1].decode(), keep_blank_values=True)) if told else {}
        if "hang" in script:
            await asyncio.get_running_loop().create_future()
        await _passed(int(script.get("delay_ms", 0)))
        if "reset" in script:
            self.transport.abort()
            return
        if "status" in script:
            await self._refuse(script)
        else:
            await self._serve(path, body, script)
        self._playing = None
        if "close" in script:
            self.transport.close()
        self._begin()

    async def _refuse(self, script: Script) -> None:
        shape = script.get("shape", "json")
        wait = f"retry-after: {script['retry_after']}\r\n" if "retry_after" in script else ""
        await self._whole(int(script["status"]), _SHAPES[shape], _KINDS.get(shape, "application/json"), wait)

    async def _whole(self, status: int, body: bytes, kind: str = "application/json", more: str = "") -> None:
        head = f"HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
        self.transport.write(head.encode() + body)
        await self._writable.wait()

    async def _serve(self, path: str, body: bytes, script: Script) -> None:
        asked = json.loads(body) if len(body) < 100_000 else {"stream": b'"stream":true' in body.replace(b" ", b"")}
        if "embeddings" in path:
            await self._whole(200, json.dumps(_vectors(asked, script)).encode())
        elif "responses" in path:
            if asked.get("stream"):
                await self._stream(_response_events(asked, script), script)
            else:
                await self._whole(200, json.dumps(_response(asked, script)).encode())
        elif asked.get("stream"):
            await self._stream(_chat_events(asked, script), script)
        else:
            answer = json.dumps(_chat(asked, script, whole="chat" in path)).encode()
            if "broken" in script:
                self.transport.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"
                )
                self.transport.write(answer[:20])
                self.transport.close()
            else:
                await self._whole(200, answer)

    async def _stream(self, events: Iterator[bytes], script: Script) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        self.transport.write(head)
        for number, event in enumerate(events):
            self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
            await self._writable.wait()
            if self.transport.is_closing():
                return
            await _passed(int(script.get("chunk_ms", 0)))
            if "broken" in script and number == 1:
                self.transport.abort()
                return
        self.transport.write(b"0\r\n\r\n")


async def _passed(milliseconds: int) -> None:
    if milliseconds:
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(milliseconds / 1000, passed.set)
        await passed.wait()


def _written(asked: dict[str, Any], script: Script) -> int:
    """How many words are written: those that were told, and no more than the cap that this provider reads."""
    words = int(script.get("words", 3))
    cap = asked.get(script["reads"]) if "reads" in script else None
    return min(words, cap) if isinstance(cap, int) else words


def _text(asked: dict[str, Any], script: Script) -> str:
    return "x" * int(script["fill"]) if "fill" in script else "word " * _written(asked, script)


def _usage(asked: dict[str, Any], script: Script) -> dict[str, Any] | None:
    if script.get("usage") == "no":
        return None
    prompt, completion = int(script.get("prompt", 10)), int(script.get("completion", _written(asked, script)))
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage["total_tokens"] = int(script.get("total", prompt + completion))
    if "sound" in script:
        usage["prompt_audio_seconds"] = int(script["sound"])
    return usage


def _message(asked: dict[str, Any], script: Script) -> dict[str, Any]:
    text = _text(asked, script)
    shown = script.get("reasoning")
    if shown is None:
        return {"role": "assistant", "content": text}
    return {"role": "assistant", "content": "", shown: _thoughts(shown, text)}


def _thoughts(member: str, text: str) -> object:
    return [{"type": "reasoning.text", "text": text}] if member == "reasoning_details" else text


def _chat(asked: dict[str, Any], script: Script, *, whole: bool = True) -> dict[str, Any]:
    message = _message(asked, script)
    told: dict[str, Any] = {"message": message} if whole else {"text": message["content"]}
    choices = [{"index": 0, "finish_reason": "stop", **told}]
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "up", "choices": choices}
    answer |= {"service_tier": script["tier"]} if "tier" in script else {}
    usage = _usage(asked, script)
    return answer if usage is None else {**answer, "usage": usage}


def _chat_events(asked: dict[str, Any], script: Script) -> Iterator[bytes]:
    member = script.get("reasoning", "content")

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        chunk = {"id": "c", "object": "chat.completion.chunk", "choices": choices}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    if "fill" in script:
        yield event({"content": "x" * int(script["fill"])})
    else:
        word = event({member: _thoughts(member, "word ")})
        for _ in iter(int, 1) if "forever" in script else range(_written(asked, script)):
            yield word
    yield event({}, "stop")
    usage = _usage(asked, script)
    if usage is not None:
        yield b"data: " + json.dumps({"id": "c", "choices": [], "usage": usage}).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def _response(asked: dict[str, Any], script: Script) -> dict[str, Any]:
    content = [{"type": "output_text", "text": _text(asked, script), "annotations": []}]
    output = [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}]
    answer = {"id": "r", "object": "response", "created_at": 1, "status": "completed", "model": "up", "output": output}
    usage = _usage(asked, script)
    if usage is None:
        return answer
    told = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    return {**answer, "usage": {**told, "total_tokens": usage["total_tokens"]}}


def _response_events(asked: dict[str, Any], script: Script) -> Iterator[bytes]:
    def event(kind: str, **members: Any) -> bytes:
        return f"event: {kind}\n".encode() + b"data: " + json.dumps({"type": kind, **members}).encode() + b"\n\n"

    whole = _response(asked, script)
    yield event("response.created", response={**whole, "output": [], "status": "in_progress", "usage": None})
    word = event("response.output_text.delta", item_id="m", output_index=0, content_index=0, delta="word ")
    for _ in iter(int, 1) if "forever" in script else range(_written(asked, script)):
        yield word
    yield event("response.completed", response=whole)


def _looked_at(body: memoryview) -> bytes:
    """A provider that is quick: of a large body it reads the beginning and the end, so that B does not wait for it."""
    if len(body) <= 2 * LOOKED_AT_BYTES:
        return bytes(body)
    return bytes(body[:LOOKED_AT_BYTES]) + bytes(body[-LOOKED_AT_BYTES:])


def _vectors(asked: dict[str, Any], script: Script) -> dict[str, Any]:
    given = asked.get("input", "")
    size = asked.get("dimensions") or 8
    row = [0.5] * (size if isinstance(size, int) else 8)
    count = len(given) if isinstance(given, list) else 1
    rows = [{"object": "embedding", "index": n, "embedding": row} for n in range(count)]
    prompt = int(script.get("prompt", 10))
    return {"object": "list", "model": "up", "data": rows, "usage": {"prompt_tokens": prompt, "total_tokens": prompt}}


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(ScriptedWire, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started it has gone


if __name__ == "__main__":
    asyncio.run(main())
