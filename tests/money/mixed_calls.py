"""Calls of every kind over real sockets, seeded: answered, streamed, broken off, without usage, beyond their hold,
refused, left. The caller's side and the provider's side of each kind stand together here."""

import asyncio
import json
import random
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tests.end_to_end.platform_process import PlatformProcess
from tests.support.scripted_provider import DONE, Script, Turn, answers, refuses, said, streams, word

SIDE_BY_SIDE: Final = 24
FINISH: Final = b'data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


class MixedCaller(NamedTuple):
    account: str
    project: str
    key: str
    secret: str


@dataclass(frozen=True)
class MixedRequest:
    """One call. `kind` is what becomes of it; `dice` settles its figures, on both sides alike."""

    caller: MixedCaller
    model: str
    kind: str
    stream: bool
    dice: int

    @property
    def body(self) -> dict[str, Any]:
        messages = [{"role": "user", "content": f"{self.kind} {self.dice} " + "w " * (self.dice % 50)}]
        body: dict[str, Any] = {"model": self.model, "messages": messages, "max_tokens": 20 + self.dice % 30}
        return body | ({"stream": True} if self.stream else {})


KINDS: Final = (
    *("answered",) * 14,
    "without usage",
    "in detail",
    "beyond its hold",
    "refused by the provider",
    "broken off",
    "left",
    "unknown model",
)


def mixture(seed: int, count: int, callers: Sequence[MixedCaller], models: Sequence[str]) -> list[MixedRequest]:
    chance = random.Random(seed)
    calls = []
    for _ in range(count):
        kind = chance.choice(KINDS)
        model = "no-such-model" if kind == "unknown model" else chance.choice(models)
        stream = kind in ("broken off", "left") or chance.random() < 0.5
        calls.append(MixedRequest(chance.choice(callers), model, kind, stream, chance.randrange(1_000)))
    return calls


async def provides(turn: Turn) -> None:
    """The provider's side: the kind of a call stands in its prompt."""
    kind, _, dice = turn.json["messages"][0]["content"].strip(" w").rpartition(" ")
    await _script(kind, int(dice), bool(turn.json.get("stream")))(turn)


def _script(kind: str, dice: int, stream: bool) -> Script:
    if kind == "refused by the provider":
        return refuses(500)
    usage = _usage(kind, dice)
    if not stream:
        answer = json.loads(said("w " * (1 + dice % 9)))
        answer.pop("usage")
        return answers(json.dumps(answer | ({"usage": usage} if usage else {})).encode())
    words = [word("w ") for _ in range(1 + dice % 9)]
    if kind == "broken off":
        return streams(words, end="reset")
    if kind == "left":
        return streams([*words, asyncio.Event()], end="open")  # it says no more, whoever is there
    told = [b"data: " + json.dumps({"id": "c1", "choices": [], "usage": usage}).encode() + b"\n\n"] if usage else []
    return streams([*words, FINISH, *told, DONE])


def _usage(kind: str, dice: int) -> dict[str, Any]:
    if kind == "without usage":
        return {}
    prompt, completion = 10 + dice % 60, 1 + dice % 20
    if kind == "beyond its hold":
        completion += 500
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if kind == "in detail":
        usage["prompt_tokens_details"] = {"cached_tokens": dice % 10}
        usage["completion_tokens_details"] = {"reasoning_tokens": dice % completion}
    return usage | {"total_tokens": prompt + completion}


async def ask_all(platform: PlatformProcess, calls: Sequence[MixedRequest]) -> list[str]:
    """Give the id of each call, in their order."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(call: MixedRequest) -> str:
        async with gate:
            return await _ask(platform, call)

    return list(await asyncio.gather(*map(one, calls)))


async def _ask(platform: PlatformProcess, call: MixedRequest) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
    data, headers = platform.written(call.body, call.caller.secret, {"Connection": "close"})
    lines = [f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": str(len(data))}.items()]
    writer.write(f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n{''.join(lines)}\r\n".encode() + data)
    head = await reader.readuntil(b"\r\n\r\n")
    named = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if line)
    if call.kind == "left" and head.startswith(b"HTTP/1.1 200"):
        await reader.readuntil(b"w ")
        endpoint = writer.get_extra_info("socket")
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset: nobody reads on
        writer.transport.abort()
    else:
        await reader.read()
        writer.close()
    return named[b"x-request-id"].decode()
