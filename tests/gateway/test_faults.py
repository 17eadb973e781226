"""Whatever happens, in whatever order: each call of a known caller is written down once, and nothing is left behind."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.fakes import FakeCallerConnection, FakeRateLimiter, Piece, ScriptedResponse
from tests.gateway.harness import (
    CUT,
    DONE,
    FINISH,
    NOTHING_STREAMS,
    OVERLOADED,
    STORY,
    STREAMS,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    refusing,
    run,
    turns,
    word,
)
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.sse import FILLER
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.connection import ClientDisconnected

LEAVE, FALL_SILENT, UNSAVED = "the caller leaves", "15 s of silence", "the database fails"
Script = tuple[bytes | Failure | str, ...]

_mishaps: st.SearchStrategy[bytes | Failure | str] = st.sampled_from(
    (
        *(word("two "), FINISH, CUT, USAGE, DONE, OVERLOADED, b": comment\n\n", b"data: nonsense\n\n", b"<html>"),
        *(LEAVE, LEAVE, FALL_SILENT, UNSAVED, UpstreamBroke("x"), UpstreamTimeout("x")),
    )
)


@st.composite
def _scripts(draw: st.DrawFn) -> tuple[list[tuple[bytes, bytes]], Script]:
    """A good answer into which up to three mishaps are put, or which ends early."""
    streams = draw(st.sampled_from([True, True, True, False]))
    body = answer()
    steps: list[bytes | Failure | str] = [*STORY] if streams else [body[:40], body[40:]]
    for mishap in draw(st.lists(_mishaps, max_size=3)):
        steps.insert(draw(st.integers(0, len(steps))), mishap)
    if draw(st.sampled_from([False, False, False, True])):
        del steps[draw(st.integers(0, len(steps))) :]
    return (STREAMS if streams else NOTHING_STREAMS), tuple(steps)


_refusals = st.sampled_from(
    [
        ScriptedResponse(failure=UpstreamUnreachable("x")),
        ScriptedResponse(failure=UpstreamBroke("x")),
        ScriptedResponse(failure=UpstreamTimeout("x")),
        refusing(500),
        refusing(401, {"message": "x"}),
        refusing(429, {"message": "x"}, retry_after="7"),
        refusing(400, {"message": "x", "param": "n"}),
    ]
)
_plays = st.lists(st.one_of(_scripts(), _scripts(), _refusals), min_size=1, max_size=3)


class Mishaps:
    """Turns the words of a script into what they do to this call."""

    def __init__(self, harness: GatewayHarness, client: FakeCallerConnection) -> None:
        self._harness = harness
        self._client = client

    def play(self, drawn: ScriptedResponse | tuple[list[tuple[bytes, bytes]], Script]) -> ScriptedResponse:
        if isinstance(drawn, ScriptedResponse):
            return drawn
        headers, script = drawn
        return ScriptedResponse(headers=headers, pieces=[piece for step in script for piece in self._pieces(step)])

    def _pieces(self, step: bytes | Failure | str) -> list[Piece]:
        if not isinstance(step, str):
            return [step]
        if step == FALL_SILENT:
            speaks = asyncio.Event()
            return [self._silence(speaks), speaks]
        return [self._client.leave if step == LEAVE else self._lose_database]

    def _lose_database(self) -> None:
        self._harness.ledger.failing = True

    def _silence(self, speaks: asyncio.Event) -> Callable[[], None]:
        async def pass_silence() -> None:
            self._harness.clock.ms += 15_000
            await self._harness.gateway.keep_alive.tick(self._harness.clock.ticks_ns())
            await turns()
            speaks.set()

        silences: list[asyncio.Task[None]] = []
        return lambda: silences.append(asyncio.ensure_future(pass_silence()))


@settings(max_examples=800, deadline=None)
@given(
    first=_plays,
    second=_plays,
    stream=st.booleans(),
    usage=st.booleans(),
    drain=st.booleans(),
    full=st.sampled_from([False] * 15 + [True]),
    cancelled_after=st.one_of(st.none(), st.none(), st.none(), st.integers(0, 60)),
)
def test_one_record_by_any_exit(
    first: list[ScriptedResponse],
    second: list[ScriptedResponse],
    stream: bool,
    usage: bool,
    drain: bool,
    full: bool,
    cancelled_after: int | None,
) -> None:
    async def main() -> None:
        on_disconnect = "drain" if drain else "abort"
        harness = GatewayHarness(
            provider={"on_disconnect": on_disconnect}, limits=FakeRateLimiter(0 if full else 1), drain_seconds_max=0
        )
        options = {"include_usage": usage} if stream and usage else None
        client = FakeCallerConnection(asking(stream=stream, stream_options=options))
        mishaps = Mishaps(harness, client)
        harness.first.plays[:] = [mishaps.play(one) for one in first]
        harness.second.plays[:] = [mishaps.play(one) for one in second]
        asked = asyncio.create_task(harness.ask(client))
        if cancelled_after is not None:
            await turns(cancelled_after)
            asked.cancel()
        (outcome,) = await asyncio.gather(asked, return_exceptions=True)
        assert outcome is None or isinstance(outcome, Failure | ClientDisconnected | asyncio.CancelledError)
        if isinstance(outcome, Failure):
            assert not client.heads, "the edge can still write it"
        never_ran = cancelled_after == 0
        assert len(harness.observer.records) == (0 if never_ran else 1)
        assert len(harness.ledger.records) == (0 if harness.ledger.failing or never_ran else 1)
        assert harness.limits.inside == 0
        assert harness.answers_settled
        assert not harness.gateway.keep_alive.stream_writers
        if not harness.ledger.failing:
            charges = [record.charge.amount for record in harness.ledger.records if record.charge is not None]
            assert (harness.counter.spent, harness.counter.held) == (sum(charges), 0)
            assert min(charges, default=0) >= 0
        for record in harness.observer.records:
            holds(record, client, harness)

    run(main())


def holds(record: UsageRecord, client: FakeCallerConnection, harness: GatewayHarness) -> None:
    """What is true of a record, however the call went."""
    free = record.usage == Usage()
    assert free == (record.charge is None) == (record.usage_source == "none")
    told = client.data.replace(FILLER, b"")
    if record.ending in ("finished", "incomplete"):
        assert record.error is None
        assert record.status == 200
        assert not free
    if client.ended and b"[DONE]" in told:
        assert record in harness.ledger.records, "an answer that looks whole is durable"
        assert record.ending in ("finished", "incomplete")
    if record.ending in ("refused", "failed_before_first_byte", "client_left_before_dispatch"):
        assert free
        assert record.usage_source == "none"
    if record.ending.startswith("failed"):
        assert record.error is not None
    if record.ending == "failed_before_first_byte":
        assert b'"choices"' not in told
    if record.ending.endswith("after_first_byte"):
        assert record.first_byte_ms is not None
        assert not free
    if record.ending == "client_left_before_first_byte":
        assert not free
        assert told == b""
    if record.ending.startswith("client_left"):
        assert record.status == 499
    if client.ended and not client.gone and record.stream and record.ending not in ("finished", "incomplete"):
        assert client.parts[-1].startswith(b'data: {"error":'), "a stream that is not whole says so"
    if client.ended and not client.gone and record.stream:
        assert client.broken_off == (record.ending not in ("finished", "incomplete")), "and shows it in HTTP, too"
