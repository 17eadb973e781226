"""Whatever happens, in whatever order: each call of a known caller is written down once, and nothing is left behind."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.fakes import FakeClient, FakeLimits, Piece, Play
from tests.gateway.stage import (
    CUT,
    DONE,
    FINISH,
    NOTHING_STREAMS,
    OVERLOADED,
    STORY,
    STREAMS,
    USAGE,
    Stage,
    answer,
    asking,
    refusing,
    run,
    turns,
    word,
)
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.request import Request
from tollhouse.core.usage import Usage
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.outlet import FILLER

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
        Play(failure=UpstreamUnreachable("x")),
        Play(failure=UpstreamBroke("x")),
        Play(failure=UpstreamTimeout("x")),
        refusing(500),
        refusing(401, {"message": "x"}),
        refusing(429, {"message": "x"}, retry_after="7"),
        refusing(400, {"message": "x", "param": "n"}),
    ]
)
_plays = st.lists(st.one_of(_scripts(), _scripts(), _refusals), min_size=1, max_size=3)


class Mishaps:
    """Turns the words of a script into what they do to this call."""

    def __init__(self, stage: Stage, client: FakeClient) -> None:
        self._stage = stage
        self._client = client

    def play(self, drawn: Play | tuple[list[tuple[bytes, bytes]], Script]) -> Play:
        if isinstance(drawn, Play):
            return drawn
        headers, script = drawn
        return Play(headers=headers, pieces=[piece for step in script for piece in self._pieces(step)])

    def _pieces(self, step: bytes | Failure | str) -> list[Piece]:
        if not isinstance(step, str):
            return [step]
        if step == FALL_SILENT:
            speaks = asyncio.Event()
            return [self._silence(speaks), speaks]
        return [self._client.leave if step == LEAVE else self._lose_database]

    def _lose_database(self) -> None:
        self._stage.ledger.failing = True

    def _silence(self, speaks: asyncio.Event) -> Callable[[], None]:
        async def pass_silence() -> None:
            self._stage.clock.ms += 15_000
            await self._stage.house.pulse.beat(self._stage.clock.ticks_ns())
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
    first: list[Play],
    second: list[Play],
    stream: bool,
    usage: bool,
    drain: bool,
    full: bool,
    cancelled_after: int | None,
) -> None:
    async def main() -> None:
        on_disconnect = "drain" if drain else "abort"
        stage = Stage(
            provider={"on_disconnect": on_disconnect}, limits=FakeLimits(0 if full else 1), drain_seconds_max=0
        )
        options = {"include_usage": usage} if stream and usage else None
        client = FakeClient(asking(stream=stream, stream_options=options))
        mishaps = Mishaps(stage, client)
        stage.first.plays[:] = [mishaps.play(one) for one in first]
        stage.second.plays[:] = [mishaps.play(one) for one in second]
        asked = asyncio.create_task(stage.ask(client))
        if cancelled_after is not None:
            await turns(cancelled_after)
            asked.cancel()
        (outcome,) = await asyncio.gather(asked, return_exceptions=True)
        assert outcome is None or isinstance(outcome, Failure | ClientLeft | asyncio.CancelledError)
        if isinstance(outcome, Failure):
            assert not client.heads, "the edge can still write it"
        never_ran = cancelled_after == 0
        assert len(stage.witness.records) == (0 if never_ran else 1)
        assert len(stage.ledger.records) == (0 if stage.ledger.failing or never_ran else 1)
        assert stage.limits.inside == 0
        assert stage.answers_settled
        assert not stage.house.pulse.outlets
        if not stage.ledger.failing:
            charges = [record.charge.amount for record in stage.ledger.records if record.charge is not None]
            assert (stage.purse.spent, stage.purse.held) == (sum(charges), 0)
            assert min(charges, default=0) >= 0
        for record in stage.witness.records:
            holds(record, client, stage)

    run(main())


def holds(record: Request, client: FakeClient, stage: Stage) -> None:
    """What is true of a record, however the call went."""
    free = record.usage == Usage()
    assert free == (record.charge is None) == (record.usage_source == "none")
    told = client.data.replace(FILLER, b"")
    if record.ending in ("finished", "incomplete"):
        assert record.error is None
        assert record.status == 200
        assert not free
    if client.ended and b"[DONE]" in told:
        assert record in stage.ledger.records, "an answer that looks whole is durable"
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
