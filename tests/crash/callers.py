"""Callers over real HTTP who write down what they asked and every answer they hold whole, with what it said it cost."""

import http.client
import json
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.end_to_end.platform_process import PlatformProcess, events
from tollhouse.core.amount import parse_usd

CALLERS = 6
MODEL = "gpt-4o-mini"


@dataclass(frozen=True)
class Refused:
    """A call that got no answer, or an error event on the way to its end."""

    call: str
    status: int
    code: str


@dataclass(frozen=True)
class Received:
    """An answer that arrived to its last byte."""

    call: str
    request_id: str
    charge: int  # nano-USD, as the answer said


class CrashCallers:
    """As many as `CALLERS`, each on a connection of its own, as fast as they can until their platform is gone, or they
    are told to stop."""

    def __init__(self, platform: PlatformProcess, seed: str) -> None:
        self._platform = platform
        self._seed = seed
        self._news = threading.Condition()
        self.asked: set[str] = set()
        self.received: list[Received] = []
        self.refused: list[Refused] = []
        self.stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]

    def __enter__(self) -> "CrashCallers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, holds: Callable[["CrashCallers"], bool], seconds_max: float = 60) -> None:
        """Until it holds; looked at with each answer."""
        with self._news:
            assert self._news.wait_for(lambda: holds(self), seconds_max), "the callers stand still"

    def _call(self, number: int) -> None:
        choice = random.Random(f"{self._seed} {number}")
        connection = self._platform.connect()
        with suppress(http.client.HTTPException, OSError):
            turn = 0
            while not self.stop.is_set():
                turn += 1
                self._next(connection, f"{self._seed}-{number}-{turn}", choice)
        connection.close()

    def _next(self, connection: http.client.HTTPConnection, call: str, choice: random.Random) -> None:
        with self._news:
            self.asked.add(call)
        self._tell(ask(connection, self._platform, call, body_of(choice)))

    def _tell(self, news: Received | Refused) -> None:
        with self._news:
            if isinstance(news, Received):
                self.received.append(news)
            else:
                self.refused.append(news)
            self._news.notify_all()


def body_of(choice: random.Random, model: str = MODEL) -> dict[str, object]:
    """A request whose length, cap and way of being answered are drawn."""
    stream = choice.random() < 0.5
    return {
        "model": model,
        "messages": [{"role": "user", "content": "word " * choice.randrange(1, 60)}],
        "max_tokens": choice.randrange(1, 17),  # a model of the bank answers with 16 at most
        "stream": stream,
        **({"stream_options": {"include_usage": True}} if stream else {}),
    }


def ask(
    connection: http.client.HTTPConnection,
    platform: PlatformProcess,
    call: str,
    body: dict[str, object],
    key: str | None = None,
) -> Received | Refused:
    """Raises what http.client does where the platform dies on the way."""
    connection.request(
        "POST", "/v1/chat/completions", *platform.written(body, key, {"x-tollhouse-tags": f"call={call}"})
    )
    answer = connection.getresponse()
    data = answer.read()  # IncompleteRead for half a body
    stream = bool(body["stream"])
    if answer.status != 200:
        return Refused(call, answer.status, json.loads(data)["error"]["code"])
    if stream and events(data)[-1] != "[DONE]":
        return Refused(call, 200, events(data)[-1]["error"]["code"])
    return Received(call, str(answer.getheader("x-request-id")), _charge(answer, data, stream))


def _charge(answer: http.client.HTTPResponse, data: bytes, stream: bool) -> int:
    if not stream:
        json.loads(data)
        return parse_usd(str(answer.getheader("x-tollhouse-charge-usd")))
    (usage,) = [event for event in events(data) if event != "[DONE]" and event.get("usage")]
    return parse_usd(usage["tollhouse"]["charge_usd"])
