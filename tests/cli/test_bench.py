"""`bench` against services over a real socket: what was answered, what was not and why, what it cost."""

import json
from itertools import count
from typing import Any

import pytest

from tests.cli.fake_service import KEY, FakeService, error, honest
from tollhouse.cli import load
from tollhouse.cli.command_line import run

CHUNK = {"choices": [{"index": 0, "delta": {"content": "a toll"}, "finish_reason": None}]}
CHARGED = {"choices": [], "usage": {"prompt_tokens": 3}, "tollhouse": {"charge_usd": "0.000002"}}


class Ticks:
    """A clock that has gone on by a millisecond whenever it is asked."""

    def __init__(self) -> None:
        self._asked = count(1)

    def now_ms(self) -> int:
        return 0

    def ticks_ns(self) -> int:
        return next(self._asked) * 1_000_000


def events(*said: object) -> str:
    return "".join(f"data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in said)


def loaded(service: FakeService, requests: int = 6, at_once: int = 3, **body: Any) -> load.LoadResult:
    asked = {"model": "m", "messages": [], **body}
    return load.run(f"{service.url}/v1", KEY, asked, requests=requests, at_once=at_once, clock=Ticks())


def test_every_call_is_made_once_and_timed(service: FakeService) -> None:
    service.script = lambda *_: (200, {"choices": []})
    seen = loaded(service, 10)
    assert (seen.answered, seen.failed, seen.charge_usd) == (10, {}, None)
    assert service.asked == [("POST", "/v1/chat/completions")] * 10
    assert seen.first_byte_ms is None
    assert loaded(service, 10, at_once=1).whole_ms == load.Times(p50=1, p95=1, p99=1)


def test_a_stream_is_answered_when_it_is_done_and_says_what_it_cost(service: FakeService) -> None:
    service.script = lambda *_: (200, events(CHUNK, CHARGED, "[DONE]"))
    seen = loaded(service, stream=True)
    assert (seen.answered, seen.failed, seen.charge_usd) == (6, {}, "0.000012")
    alone = loaded(service, at_once=1, stream=True)
    assert alone.first_byte_ms == load.Times(p50=1, p95=1, p99=1)
    assert alone.whole_ms == load.Times(p50=2, p95=2, p99=2)


@pytest.mark.parametrize(
    ("stream", "status", "answer", "why"),
    [
        (False, 429, error("rate_limit_exceeded", "slow down"), "rate_limit_exceeded"),
        (False, 500, "<html>", "http_500"),
        (True, 429, error("insufficient_quota", "no money"), "insufficient_quota"),
        (True, 200, events(CHUNK), "stream_broke"),
        (True, 200, events(CHUNK, error("upstream_error", "gone")), "upstream_error"),
    ],
)
def test_what_is_not_answered_is_counted_by_its_reason(
    service: FakeService, stream: bool, status: int, answer: object, why: str
) -> None:
    service.script = lambda *_: (status, answer)
    seen = loaded(service, stream=stream)
    assert (seen.answered, seen.failed, seen.whole_ms) == (0, {why: 6}, None)


def test_a_service_that_is_gone_is_no_answer() -> None:
    gone = FakeService()
    gone.server.server_close()
    assert loaded(gone).failed == {"connection_broke": 6}


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert load._times([n * 1_000_000 for n in range(1, 101)]) == load.Times(p50=50, p95=95, p99=99)
    assert load._times([7_000_000]) == load.Times(p50=7, p95=7, p99=7)


def bench(service: FakeService, *more: str) -> int:
    return run(["bench", "--base-url", service.url, "--key", KEY, "--requests", "4", *more])


def test_the_command_finds_the_model_and_tells_what_it_saw(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.script = honest
    assert bench(service) == 0
    said = capsys.readouterr()
    assert "4 of 4 answered" in said.out
    assert "whole answer" in said.out
    assert "4 of 4 calls" in said.err
    assert bench(service, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["object"], told["answered"], told["failed"]) == ("bench", 4, {})
    assert bench(service, "--model", "nope") == 1
    assert "not answered: 4 x model_not_found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--requests", "0"), 2, "--requests is a number from 1"),
        (("--at-once", "513"), 2, "--at-once is a number from 1 to 512"),
        (("--key", "sk-bad"), 1, "does not accept the key"),
        (("--key", "sk-ä"), 2, "copy it again"),
        (("--base-url", "ftp://x"), 2, "is no base URL"),
        (("--base-url", "http://127.0.0.1:1"), 1, "cannot reach"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(
    service: FakeService, capsys: pytest.CaptureFixture[str], more: tuple[str, str], code: int, words: str
) -> None:
    service.script = honest
    given = {"--base-url": service.url, "--key": KEY} | dict([more])
    assert run(["bench", *(part for pair in given.items() for part in pair)]) == code
    assert words in capsys.readouterr().err
