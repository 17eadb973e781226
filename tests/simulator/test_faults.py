"""Faults by script, as the gateway meets them through the port of any upstream."""

import asyncio

import pytest

from tests.simulator.harness import CHAT, SimulatorHarness, StandingClock
from tollhouse.core.failure import Failure, Overloaded, RateLimited, UpstreamBroke, UpstreamTimeout
from tollhouse.core.upstream import Deadlines
from tollhouse.core.workers import InlineWorkers
from tollhouse.providers import kinds
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.simulator import simulator as room
from tollhouse.upstream.simulator.script import failures
from tollhouse.upstream.simulator.simulator import Simulator

STREAM = CHAT | {"stream": True}


@pytest.mark.parametrize("code", list(failures()))
def test_an_error_of_the_table_is_raised_as_it_is(code: str) -> None:
    test_mode_endpoints = SimulatorHarness()
    with pytest.raises(Failure) as raised:
        test_mode_endpoints.run(test_mode_endpoints.send(CHAT, f"error={code}"))
    assert type(raised.value) is failures()[code]


@pytest.mark.parametrize(
    ("status", "code", "blame"),
    [
        (400, "invalid_request_error", "request"),
        (401, "upstream_error", "key"),
        (402, "upstream_error", "key"),
        (403, "upstream_error", "key"),
        (404, "upstream_error", "model"),
        (418, "invalid_request_error", "request"),
        (429, "rate_limit_exceeded", "key"),
        (500, "upstream_error", "offer"),
        (503, "overloaded", "offer"),
        (504, "upstream_timeout", "offer"),
        (529, "overloaded", "offer"),
    ],
)
def test_a_status_comes_in_the_shape_of_a_provider_and_is_read_like_one(status: int, code: str, blame: str) -> None:
    told = SimulatorHarness().whole(CHAT, f"status={status}")
    assert told.status == status
    fault = kinds()["simulator"].read_error("chat", told.status, list(told.headers.items()), told.bytes)
    assert (fault.failure.code, fault.blame) == (code, blame)
    assert (fault.retry_after_ms == 1_000) == (status in (429, 503))


def test_status_200_is_no_fault() -> None:
    assert SimulatorHarness().whole(CHAT, "status=200").json["choices"]


def test_times_strikes_as_often_then_spares_one_call_then_begins_anew() -> None:
    test_mode_endpoints = SimulatorHarness()
    assert [test_mode_endpoints.whole(CHAT, "status=503,times=2").status for _ in range(7)] == [
        503,
        503,
        200,
        503,
        503,
        200,
        503,
    ]


def test_times_holds_for_errors_of_ours_and_for_slowness() -> None:
    test_mode_endpoints = SimulatorHarness()
    outcomes: list[int] = []
    for _ in range(4):
        try:
            outcomes.append(test_mode_endpoints.whole(CHAT, "error=overloaded,times=1").status)
        except Overloaded as failure:
            outcomes.append(failure.status)
    assert outcomes == [503, 200, 503, 200]
    for _ in range(2):
        test_mode_endpoints.whole(CHAT, "first_byte_ms=3000,times=1")
    assert test_mode_endpoints.slept == [3.0]


def test_times_is_counted_per_key_and_script() -> None:
    test_mode_endpoints = SimulatorHarness()

    async def status(key: str, script: str) -> int:
        return (await test_mode_endpoints.send(CHAT, script, key=key)).status

    one, two = "status=503,times=1", "status=500,times=1"
    calls = [("a", one), ("b", one), ("a", two), ("a", one), ("b", one), ("a", two)]
    assert [test_mode_endpoints.run(status(*call)) for call in calls] == [503, 503, 500, 200, 200, 200]


def test_counters_are_bounded() -> None:
    test_mode_endpoints = SimulatorHarness()

    async def many() -> None:
        for number in range(room.COUNTERS_MAX + 5):
            await test_mode_endpoints.send(CHAT, "status=503,times=2", key=str(number))

    test_mode_endpoints.run(many())
    assert len(test_mode_endpoints.simulator._struck) == room.COUNTERS_MAX


def test_the_head_comes_after_first_byte_ms() -> None:
    test_mode_endpoints = SimulatorHarness()
    assert test_mode_endpoints.whole(CHAT, "first_byte_ms=3000").status == 200
    assert test_mode_endpoints.slept == [3.0]


def test_chunks_come_at_the_pace_of_chunk_ms() -> None:
    test_mode_endpoints = SimulatorHarness()
    told = test_mode_endpoints.whole(STREAM, "chunk_ms=50,tokens=8")
    assert test_mode_endpoints.slept == [0.05] * (len(told.pieces) - 1)


def test_deadlines_hold_as_for_any_upstream() -> None:
    test_mode_endpoints = SimulatorHarness()
    with pytest.raises(UpstreamTimeout):
        test_mode_endpoints.run(
            test_mode_endpoints.send(CHAT, "first_byte_ms=3000", deadlines=Deadlines(first_byte_ms=2000))
        )
    assert test_mode_endpoints.slept == [2.0]

    async def read(deadlines: Deadlines) -> int:
        answer = await test_mode_endpoints.send(STREAM, "chunk_ms=1000", deadlines=deadlines)
        for count in range(1000):
            try:
                await answer.read()
            except UpstreamTimeout:
                return count
        return -1

    assert test_mode_endpoints.run(read(Deadlines(idle_ms=500))) == 1
    assert test_mode_endpoints.run(read(Deadlines(total_ms=2500))) == 3


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_stream_is_cut_after_so_many_chunks(after: int) -> None:
    told = SimulatorHarness().whole(STREAM, f"cut_after={after}")
    assert (told.status, len(told.pieces), told.broken) == (200, after, True)


def test_a_stream_shorter_than_the_cut_is_whole() -> None:
    whole = SimulatorHarness().whole(STREAM)
    assert SimulatorHarness().whole(STREAM, f"cut_after={len(whole.pieces)}") == whole


@pytest.mark.parametrize("operation", ["chat", "embeddings"])
def test_a_buffered_answer_is_cut_in_its_middle(operation: str) -> None:
    body = CHAT if operation == "chat" else {"model": "m", "input": "x"}
    told = SimulatorHarness().whole(body, "cut_after=20", operation)  # type: ignore[arg-type]
    assert told.broken
    with pytest.raises(ValueError, match="truncated"):
        _ = told.json


@pytest.mark.parametrize("body", [CHAT, STREAM])
def test_malformed_is_no_json_and_no_whole_stream(body: dict[str, object]) -> None:
    told = SimulatorHarness().whole(body, "malformed")
    assert not told.broken
    assert b"[DONE]" not in told.bytes
    with pytest.raises(ValueError, match=r"truncated|malformed"):
        _ = told.events or told.json


@pytest.mark.parametrize(
    ("script", "named"), [("nonsense", "nonsense"), ("error=nonsense", "nonsense"), ("status=7", "'7'")]
)
def test_an_unknown_word_is_a_400_in_the_shape_of_a_provider(script: str, named: str) -> None:
    told = SimulatorHarness().whole(CHAT, script)
    assert (told.status, told.error["type"], told.error["code"]) == (400,) + ("invalid_request_error",) * 2
    assert named in told.error["message"]


def test_a_script_may_stand_in_the_models_name() -> None:
    assert SimulatorHarness().whole(CHAT | {"model": "simulate/status=503"}).status == 503
    assert SimulatorHarness().whole(CHAT | {"model": "simulate/"}).status == 200
    assert SimulatorHarness().whole(CHAT | {"model": "simulate/status=503"}, "status=500").status == 500


def test_a_provider_refuses_a_body_it_does_not_understand() -> None:
    told = SimulatorHarness().whole({"model": "sim-1"})
    assert (told.status, told.error["param"]) == (400, "messages")


def test_closing_early_is_seen_once_and_ends_reading() -> None:
    test_mode_endpoints = SimulatorHarness()

    async def main() -> None:
        answer = await test_mode_endpoints.send(STREAM)
        await answer.read()
        answer.abort()
        answer.abort()
        with pytest.raises(UpstreamBroke):
            await answer.read()

    test_mode_endpoints.run(main())
    assert (test_mode_endpoints.simulator.sent, test_mode_endpoints.simulator.aborted) == (1, 1)


@pytest.mark.parametrize("close", ["abort", "release"])
def test_closing_what_was_read_whole_is_no_abort(close: str) -> None:
    test_mode_endpoints = SimulatorHarness()

    async def main() -> None:
        answer = await test_mode_endpoints.send(CHAT)
        await answer.read()
        getattr(answer, close)()

    test_mode_endpoints.run(main())
    assert test_mode_endpoints.simulator.aborted == 0


def test_a_read_that_waits_for_its_chunk_is_broken_by_abort() -> None:
    async def main() -> int:
        sleeping, for_ever = asyncio.Event(), asyncio.Event()

        async def sleep(seconds: float) -> None:
            sleeping.set()
            await for_ever.wait()

        test_mode_endpoints = SimulatorHarness()
        test_mode_endpoints.simulator = Simulator(Tokenizer(), StandingClock(), sleep, InlineWorkers(), InlineWorkers())
        answer = await test_mode_endpoints.send(STREAM, "chunk_ms=50")
        await answer.read()
        reading = asyncio.create_task(answer.read())
        await sleeping.wait()
        answer.abort()
        with pytest.raises(UpstreamBroke):
            await reading
        return test_mode_endpoints.simulator.aborted

    assert asyncio.run(main()) == 1


@pytest.mark.parametrize("script", ["first_byte_ms=50", "chunk_ms=50"])
def test_a_caller_who_is_cancelled_leaves_nothing_sleeping(script: str) -> None:
    async def main() -> list[str]:
        sleeping, for_ever = asyncio.Event(), asyncio.Event()
        ended: list[str] = []

        async def sleep(seconds: float) -> None:
            sleeping.set()
            try:
                await for_ever.wait()
            finally:
                ended.append("woken")

        test_mode_endpoints = SimulatorHarness()
        test_mode_endpoints.simulator = Simulator(Tokenizer(), StandingClock(), sleep, InlineWorkers(), InlineWorkers())

        async def call() -> None:
            answer = await test_mode_endpoints.send(STREAM, script)
            await answer.read()
            await answer.read()

        calling = asyncio.create_task(call())
        await sleeping.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await asyncio.sleep(0)
        return ended

    assert asyncio.run(main()) == ["woken"]


def test_a_long_answer_lets_others_have_a_turn() -> None:
    test_mode_endpoints = SimulatorHarness()

    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        others = asyncio.create_task(other())
        answer = await test_mode_endpoints.send(STREAM, "tokens=500")
        while await answer.read():
            pass
        others.cancel()
        return turns

    assert test_mode_endpoints.run(main()) > 10


def test_a_rate_limit_says_when_to_come_back() -> None:
    test_mode_endpoints = SimulatorHarness()
    with pytest.raises(RateLimited) as raised:
        test_mode_endpoints.run(test_mode_endpoints.send(CHAT, "error=rate_limit_exceeded"))
    assert raised.value.retry_after_ms == 1_000
