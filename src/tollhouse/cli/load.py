"""Many calls at once to a service, each timed as its caller sees it: what stands behind `tollhouse bench`."""

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tollhouse.core.amount import BadAmount, format_usd, parse_usd
from tollhouse.core.clock import Clock

_SECONDS_MAX = 120  # for which a service may say nothing
_WORDS_MAX = 60
_ERROR_BYTES_MAX = 64 * 1024


class Times(Struct, frozen=True, kw_only=True):
    """Milliseconds, of the calls that were answered whole: so many percent of them took no longer."""

    p50: float
    p95: float
    p99: float


class LoadResult(Struct, frozen=True, kw_only=True, tag_field="object", tag="bench"):
    base_url: str
    model: str
    at_once: int
    stream: bool
    requests: int
    answered: int  # whole; for a stream: to its `[DONE]`
    failed: dict[str, int]  # by the error's code
    seconds: float
    per_second: float
    whole_ms: Times | None
    first_byte_ms: Times | None  # of the answer's text, where it streams
    charge_usd: str | None  # where the service tells what it charged


class _Call(Struct):
    """One call that is over. `failure`: why it is no answer."""

    first_ns: int = 0
    whole_ns: int = 0
    charge: int | None = None
    failure: str | None = None


def run(
    base_url: str,
    key: str,
    body: dict[str, Any],
    *,
    requests: int,
    at_once: int,
    clock: Clock,
    told: Callable[[int], None] = lambda done: None,
) -> LoadResult:
    """Make `requests` calls, `at_once` at a time, each caller on a connection of its own. told: how many are over."""
    stream = bool(body.get("stream"))
    number, lock = count(1), threading.Lock()
    calls: list[_Call] = []

    def caller() -> None:
        line = _Line(base_url, key, msgspec.json.encode(body), stream, clock)
        while True:
            with lock:
                if next(number) > requests:
                    break
            call = line.call()
            with lock:
                calls.append(call)
                told(len(calls))
        line.close()

    begun_ns = clock.ticks_ns()
    with ThreadPoolExecutor(at_once) as callers:
        for one in [callers.submit(caller) for _ in range(at_once)]:
            one.result()
    seconds = (clock.ticks_ns() - begun_ns) / 1e9
    good = [call for call in calls if call.failure is None]
    charges = [call.charge for call in good if call.charge is not None]
    return LoadResult(
        base_url=base_url,
        model=str(body["model"]),
        at_once=at_once,
        stream=stream,
        requests=requests,
        answered=len(good),
        failed=dict(Counter(call.failure for call in calls if call.failure is not None).most_common()),
        seconds=round(seconds, 3),
        per_second=round(len(good) / seconds, 1),
        whole_ms=_times([call.whole_ns for call in good]),
        first_byte_ms=_times([call.first_ns for call in good]) if stream else None,
        charge_usd=format_usd(sum(charges)) if charges else None,
    )


class _Line:
    """One caller's connection, made anew when it broke."""

    def __init__(self, base_url: str, key: str, body: bytes, stream: bool, clock: Clock) -> None:
        parts = urlsplit(base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS_MAX)
        self._path = f"{parts.path}/chat/completions"
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "User-Agent": "tollhouse-bench",
        }
        self._body, self._stream, self._clock = body, stream, clock

    def call(self) -> _Call:
        call, begun_ns = _Call(), self._clock.ticks_ns()
        try:
            self._connection.request("POST", self._path, self._body, self._headers)
            answer = self._connection.getresponse()
            if answer.status != 200:
                call.failure = _code(answer.status, answer.read(_ERROR_BYTES_MAX))
                if not answer.isclosed():  # more of an error than anybody reads
                    self._connection.close()
            elif self._stream:
                self._read_events(answer, call, begun_ns)
            else:
                answer.read()
                call.charge = _amount(answer.getheader("x-tollhouse-charge-usd"))
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            call.failure = "no_answer_in_time" if isinstance(error, TimeoutError) else "connection_broke"
        call.whole_ns = self._clock.ticks_ns() - begun_ns
        return call

    def _read_events(self, answer: http.client.HTTPResponse, call: _Call, begun_ns: int) -> None:
        call.failure = "stream_broke"
        for line in answer:
            name, _, data = line.partition(b":")
            data = data.strip()
            if name != b"data":
                continue
            if data == b"[DONE]":
                call.failure = None
            elif (event := _decoded(data)).get("error"):
                call.failure = _code(answer.status, data)
                answer.read()
                return
            else:
                if not call.first_ns and event.get("choices"):
                    call.first_ns = self._clock.ticks_ns() - begun_ns
                charged = event.get("tollhouse")
                call.charge = _amount(charged.get("charge_usd")) if isinstance(charged, dict) else call.charge

    def close(self) -> None:
        self._connection.close()


def _times(spans_ns: Sequence[int]) -> Times | None:
    """By the nearest rank; None of nothing."""
    if not spans_ns:
        return None
    ordered = sorted(spans_ns)
    p50, p95, p99 = (ordered[-(-len(ordered) * percent // 100) - 1] / 1e6 for percent in (50, 95, 99))
    return Times(p50=round(p50, 2), p95=round(p95, 2), p99=round(p99, 2))


def _code(status: int, body: bytes) -> str:
    error = _decoded(body).get("error")
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    return code[:_WORDS_MAX] if isinstance(code, str) else f"http_{status}"


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _amount(text: object) -> int | None:
    try:
        return parse_usd(text) if isinstance(text, str) else None
    except BadAmount:
        return None
