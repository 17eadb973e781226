"""Load: wrk for whole requests as fast as they are answered, and a small client for many slow streams at once."""

import asyncio
import http.client
import json
import re
import statistics
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import Contender

CONNECTIONS = 32
PATH = "/v1/chat/completions"
MESSAGES = "/v1/messages"

_UNIT_MS: Mapping[str, float] = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_CONNECTING_AT_ONCE = 64


@dataclass(frozen=True)
class Load:
    """What the clients saw. done: requests or whole streams. bad: everything else. Latencies in milliseconds."""

    done: int
    bad: int
    per_s: float
    p50_ms: float
    p99_ms: float


def request_body(model: str, stream: bool, *, path: str = PATH) -> bytes:
    """A request of about 700 bytes, for chat completions or messages."""
    words = "Sum up what a tollhouse on a mountain road is for, in two sentences that a child can follow. " * 5
    body: dict[str, object] = {"model": model, "max_tokens": 200, "temperature": 0.7}
    body["messages"] = [{"role": "user", "content": words}]
    if path == MESSAGES:
        body["system"] = "You answer briefly."
    else:
        body["messages"] = [{"role": "system", "content": "You answer briefly."}, {"role": "user", "content": words}]
    if stream:
        body["stream"] = True
    return json.dumps(body, separators=(",", ":")).encode()


def check(contender: Contender, model: str, stream: bool) -> None:
    """One request, looked at: figures of a server that answers nonsense are worthless."""
    with closing(http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30)) as connection:
        connection.request("POST", PATH, request_body(model, stream), _headers(contender))
        answer = connection.getresponse()
        body = answer.read()
    whole = body.rstrip().endswith(b"data: [DONE]") if stream else b'"usage"' in body
    if answer.status != 200 or not whole:
        raise SystemExit(f"{contender.name} answers {answer.status}: {body[-300:].decode(errors='replace')}")


def wrk(contender: Contender, core: int, seconds: int, folder: Path, *, stream: bool) -> Load:
    """As many requests as `CONNECTIONS` clients can make, each waiting for its answer before the next."""
    script = folder / "request.lua"
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in _headers(contender).items())
    script.write_text(
        f'wrk.method = "POST"\n{headers}wrk.body = [==[{request_body("bench", stream).decode()}]==]\n',
        encoding="utf-8",
    )
    url = f"http://127.0.0.1:{contender.port}{PATH}"
    command = f"taskset -c {core} wrk -t1 -c{CONNECTIONS} -d{seconds}s --timeout 30s --latency -s {script} {url}"
    said = subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout
    return read_wrk(said)


def read_wrk(said: str) -> Load:
    """What wrk printed with --latency; requests that were answered wrongly or not at all are not done."""

    def figure(pattern: str) -> float:
        found = re.search(pattern, said)
        return float(found[1]) if found else 0.0

    def latency_ms(percent: int) -> float:
        found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", said, re.MULTILINE)
        return float(found[1]) * _UNIT_MS[found[2]] if found else 0.0

    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    bad = int(figure(r"Non-2xx or 3xx responses: (\d+)")) + (sum(map(int, errors.groups())) if errors else 0)
    done = int(figure(r"(\d+) requests in")) - bad
    return Load(done, bad, figure(r"Requests/sec:\s+([\d.]+)"), latency_ms(50), latency_ms(99))


async def paced(
    contender: Contender, streams: int, opened: asyncio.Event | None = None, *, translated: bool = False
) -> Load:
    """Open `streams` slow streams at once and read each to its end. Latency: request sent to the first event.

    opened: set as soon as every stream has brought its first event. translated: a gateway is asked in Anthropic's
    format.
    """
    path, end = (MESSAGES, b'"message_stop"}\n\n') if translated and contender.key else (PATH, b"data: [DONE]\n\n")
    gate = asyncio.Semaphore(_CONNECTING_AT_ONCE)
    first_ms: list[float] = []
    started = time.monotonic()

    async def one() -> bool:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", contender.port)
        sent = time.monotonic()
        writer.write(_raw_request(contender, "bench-paced", path))
        try:
            received = await reader.readuntil(b"data: ")
        except asyncio.IncompleteReadError:
            return False
        first_ms.append((time.monotonic() - sent) * 1000)
        if opened is not None and len(first_ms) == streams:
            opened.set()
        while data := await reader.read(65_536):
            received = (received + data)[-64:]
            if received.endswith(b"0\r\n\r\n"):
                break
        writer.close()
        return end in received and received.endswith(b"0\r\n\r\n")

    whole = sum(await asyncio.gather(*(one() for _ in range(streams))))
    ranked = statistics.quantiles(first_ms or [0.0, 0.0], n=100)
    return Load(whole, streams - whole, whole / (time.monotonic() - started), ranked[49], ranked[98])


async def open_flood(contender: Contender) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which 200 MB are coming; it takes little ahead, so that the reader's pace is the sender's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", contender.port, limit=65_536)
    writer.write(_raw_request(contender, "bench-flood"))
    return reader, writer


def _headers(contender: Contender) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": f"Bearer {contender.key or 'none'}"}


def _raw_request(contender: Contender, model: str, path: str = PATH) -> bytes:
    body = request_body(model, stream=True, path=path)
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in _headers(contender).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
