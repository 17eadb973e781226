"""Harness 9 in trouble: the record cannot be written, the process ends, or a defect of ours cuts a call off."""

import asyncio

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, FakeUsageRecorder
from tests.gateway.harness import (
    ROLE,
    STORY,
    GatewayHarness,
    asking,
    refusing,
    run,
    streaming,
    turns,
    until,
    word,
)
from tollhouse.core.failure import (
    Defect,
    Failure,
    Overloaded,
    UpstreamError,
    UpstreamTimeout,
)
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway import deferred_commit
from tollhouse.limits.refusals import Refusals
from tollhouse.limits.row_allowance import REFUSED_AT_ONCE

PLAIN = Usage(input=60, output=12, requests=1)


class TestCommitFailing:
    def test_a_buffered_answer_is_kept_back(self) -> None:
        async def main() -> None:
            harness, client = GatewayHarness(), FakeCallerConnection(asking())
            harness.ledger.failing = True
            with pytest.raises(Overloaded):
                await harness.ask(client)
            assert not client.heads
            (seen,) = harness.observer.records
            assert (seen.ending, seen.status, seen.error) == ("commit_failed", 503, "overloaded")
            assert (seen.usage, seen.usage_source) == (Usage(), "none"), "free"
            assert harness.limits.inside == 0

        run(main())

    def test_a_stream_ends_with_an_error_event(self) -> None:
        async def main() -> None:
            harness, client = (
                GatewayHarness(first=FakeUpstream(streaming(*STORY))),
                FakeCallerConnection(asking(stream=True)),
            )
            harness.ledger.failing = True
            await harness.ask(client)
            assert client.ended
            assert client.parts[-1].startswith(b'data: {"error":')
            assert b'"overloaded"' in client.parts[-1]
            assert b"[DONE]" not in client.data
            (seen,) = harness.observer.records
            assert (seen.ending, seen.error, seen.usage) == ("commit_failed", "overloaded", PLAIN)
            assert harness.answers_settled

        run(main())

    def test_a_failed_call_says_why_it_failed_and_not_that_this_could_not_be_written(self) -> None:
        async def main() -> None:
            harness = GatewayHarness(first=FakeUpstream(refusing(500)), second=FakeUpstream(refusing(500)))
            harness.ledger.failing = True
            with pytest.raises(UpstreamError):
                await harness.ask(FakeCallerConnection(asking()))
            assert len(harness.observer.records) == 1

        run(main())

    def test_a_stream_that_broke_still_ends_with_its_own_error(self) -> None:
        async def main() -> None:
            harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), UpstreamTimeout("too slow"))))
            harness.ledger.failing = True
            client = FakeCallerConnection(asking(stream=True))
            await harness.ask(client)
            assert client.ended
            assert b"upstream_timeout" in client.parts[-1]

        run(main())


def test_a_defect_of_ours_is_written_down_as_one() -> None:
    class Torn(FakeUpstream):
        async def send(self, call: object) -> None:  # type: ignore[override]
            raise ValueError("a defect")

    async def main() -> None:
        harness = GatewayHarness(first=Torn())
        with pytest.raises(ValueError, match="a defect"):
            await harness.ask(FakeCallerConnection(asking()))
        assert (harness.record.ending, harness.record.status) == ("failed_before_first_byte", 500)
        assert harness.record.error == "server_error"
        assert harness.limits.inside == 0

    run(main())


def test_a_process_that_ends_writes_down_what_it_cut_off() -> None:
    async def main() -> None:
        for begun, ending in ((False, "failed_before_first_byte"), (True, "failed_after_first_byte")):
            waiting = asyncio.Event()
            before = (ROLE, word("Zoll ")) if begun else ()
            harness = GatewayHarness(first=FakeUpstream(streaming(*before, waiting)))
            client = FakeCallerConnection(asking(stream=True))
            asked = asyncio.create_task(harness.ask(client))
            await until(lambda: bool(client.data if begun else harness.first.answers))  # noqa: B023 - awaited here
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert (harness.record.ending, harness.record.status, harness.record.error) == (ending, 503, "overloaded")
            assert (harness.record.usage != Usage()) == begun, "what was delivered is counted"
            assert harness.answers_settled
            assert harness.limits.inside == 0

    run(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("on_disconnect", ["abort", "drain"])
@pytest.mark.parametrize("cut_first", [False, True])
def test_whom_the_end_of_the_process_cuts_off_pays_nothing_before_the_first_byte(
    stream: bool, on_disconnect: str, cut_first: bool
) -> None:
    """The end of the process breaks off the connection, too: that is not a caller who leaves."""

    async def main() -> None:
        harness = GatewayHarness(
            first=FakeUpstream(streaming(ROLE, asyncio.Event())),
            money=10**9,
            provider={"on_disconnect": on_disconnect},
        )
        client = FakeCallerConnection(asking(stream=stream))
        asked = asyncio.create_task(harness.ask(client))
        await until(lambda: bool(harness.first.answers))
        await turns()
        if cut_first:
            client.leave()
        asked.cancel()
        client.leave()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (harness.record.ending, harness.record.status, harness.record.charge) == (
            "failed_before_first_byte",
            503,
            None,
        )
        assert (harness.counter.spent, harness.counter.held) == (0, 0)

    run(main())


class TestTroubleKnown:
    def test_no_provider_is_asked_for_what_could_not_be_charged(self) -> None:
        async def main() -> None:
            harness = GatewayHarness()
            harness.ledger.trouble = "database or disk is full"
            with pytest.raises(Overloaded) as refused:
                await harness.ask(FakeCallerConnection(asking()))
            assert "disk" not in str(refused.value), "the operator's concern"
            assert harness.first.answers == []
            assert (harness.record.ending, harness.record.status) == ("refused", 503)
            harness.ledger.trouble = None
            client = FakeCallerConnection(asking())
            await harness.ask(client)
            assert client.status == 200

        run(main())

    def test_a_charge_that_can_never_be_written_keeps_nobodys_money(self) -> None:
        class NeverWritten(FakeUsageRecorder):
            async def commit(self, record: UsageRecord) -> None:
                if not self.failing:
                    raise Defect("the call's record was refused by the database")
                await super().commit(record)

        async def main() -> None:
            harness = GatewayHarness(first=FakeUpstream(streaming(*STORY)))
            harness.gateway.ledger = ledger = NeverWritten()
            ledger.failing = True
            await harness.ask(FakeCallerConnection(asking(stream=True)))
            assert harness.counter.held > 0
            ledger.failing = False
            await until(lambda: not harness.gateway.deferred_commits)
            assert (harness.counter.spent, harness.counter.held) == (0, 0)

        run(main())

    def test_a_charge_that_waits_is_tried_once_more_when_the_process_ends(self) -> None:
        async def for_ever(seconds: float) -> None:
            await asyncio.Event().wait()

        async def main(*, healed: bool) -> int:
            harness = GatewayHarness(first=FakeUpstream(streaming(*STORY)))
            harness.gateway.sleep = for_ever
            harness.ledger.failing = True
            await harness.ask(FakeCallerConnection(asking(stream=True)))
            assert harness.counter.held > 0
            harness.ledger.failing = not healed
            await deferred_commit.finish(harness.gateway)
            assert not harness.gateway.deferred_commits
            return harness.counter.spent

        assert asyncio.run(main(healed=True)) > 0
        assert asyncio.run(main(healed=False)) == 0


def test_refused_calls_beyond_their_bound_are_seen_and_not_written_down() -> None:
    async def main() -> None:
        harness = GatewayHarness(money=0)
        for _ in range(REFUSED_AT_ONCE + 50):
            with pytest.raises(Failure):
                await harness.ask(FakeCallerConnection(b"[]"))
            harness.gateway.refusals = Refusals()  # their own limit is another matter
        assert len(harness.ledger.records) == REFUSED_AT_ONCE
        assert len(harness.observer.records) == REFUSED_AT_ONCE + 50

    run(main())
