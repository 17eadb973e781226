"""Stage 9 in trouble: the record cannot be written, the process ends, or a defect of ours cuts a call off."""

import asyncio

import pytest

from tests.gateway.fakes import FakeClient, FakeLedger, FakeUpstream
from tests.gateway.stage import (
    ROLE,
    STORY,
    Stage,
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
from tollhouse.core.request import Request
from tollhouse.core.usage import Usage
from tollhouse.gateway import late
from tollhouse.limits.refusals import Refusals
from tollhouse.limits.written import REFUSED_AT_ONCE

PLAIN = Usage(input=60, output=12, requests=1)


class TestCommitFailing:
    def test_a_buffered_answer_is_kept_back(self) -> None:
        async def main() -> None:
            stage, client = Stage(), FakeClient(asking())
            stage.ledger.failing = True
            with pytest.raises(Overloaded):
                await stage.ask(client)
            assert not client.heads
            (seen,) = stage.witness.records
            assert (seen.ending, seen.status, seen.error) == ("commit_failed", 503, "overloaded")
            assert (seen.usage, seen.usage_source) == (Usage(), "none"), "free"
            assert stage.limits.inside == 0

        run(main())

    def test_a_stream_ends_with_an_error_event(self) -> None:
        async def main() -> None:
            stage, client = Stage(first=FakeUpstream(streaming(*STORY))), FakeClient(asking(stream=True))
            stage.ledger.failing = True
            await stage.ask(client)
            assert client.ended
            assert client.parts[-1].startswith(b'data: {"error":')
            assert b'"overloaded"' in client.parts[-1]
            assert b"[DONE]" not in client.data
            (seen,) = stage.witness.records
            assert (seen.ending, seen.error, seen.usage) == ("commit_failed", "overloaded", PLAIN)
            assert stage.answers_settled

        run(main())

    def test_a_failed_call_says_why_it_failed_and_not_that_this_could_not_be_written(self) -> None:
        async def main() -> None:
            stage = Stage(first=FakeUpstream(refusing(500)), second=FakeUpstream(refusing(500)))
            stage.ledger.failing = True
            with pytest.raises(UpstreamError):
                await stage.ask(FakeClient(asking()))
            assert len(stage.witness.records) == 1

        run(main())

    def test_a_stream_that_broke_still_ends_with_its_own_error(self) -> None:
        async def main() -> None:
            stage = Stage(first=FakeUpstream(streaming(ROLE, word("Zoll "), UpstreamTimeout("too slow"))))
            stage.ledger.failing = True
            client = FakeClient(asking(stream=True))
            await stage.ask(client)
            assert client.ended
            assert b"upstream_timeout" in client.parts[-1]

        run(main())


def test_a_defect_of_ours_is_written_down_as_one() -> None:
    class Torn(FakeUpstream):
        async def send(self, call: object) -> None:  # type: ignore[override]
            raise ValueError("a defect")

    async def main() -> None:
        stage = Stage(first=Torn())
        with pytest.raises(ValueError, match="a defect"):
            await stage.ask(FakeClient(asking()))
        assert (stage.record.ending, stage.record.status) == ("failed_before_first_byte", 500)
        assert stage.record.error == "server_error"
        assert stage.limits.inside == 0

    run(main())


def test_a_process_that_ends_writes_down_what_it_cut_off() -> None:
    async def main() -> None:
        for begun, ending in ((False, "failed_before_first_byte"), (True, "failed_after_first_byte")):
            waiting = asyncio.Event()
            before = (ROLE, word("Zoll ")) if begun else ()
            stage = Stage(first=FakeUpstream(streaming(*before, waiting)))
            client = FakeClient(asking(stream=True))
            asked = asyncio.create_task(stage.ask(client))
            await until(lambda: bool(client.data if begun else stage.first.answers))  # noqa: B023 - awaited here
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert (stage.record.ending, stage.record.status, stage.record.error) == (ending, 503, "overloaded")
            assert (stage.record.usage != Usage()) == begun, "what was delivered is counted"
            assert stage.answers_settled
            assert stage.limits.inside == 0

    run(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("on_disconnect", ["abort", "drain"])
@pytest.mark.parametrize("cut_first", [False, True])
def test_whom_the_end_of_the_process_cuts_off_pays_nothing_before_the_first_byte(
    stream: bool, on_disconnect: str, cut_first: bool
) -> None:
    """The end of the process breaks off the connection, too: that is not a caller who leaves."""

    async def main() -> None:
        stage = Stage(
            first=FakeUpstream(streaming(ROLE, asyncio.Event())),
            money=10**9,
            provider={"on_disconnect": on_disconnect},
        )
        client = FakeClient(asking(stream=stream))
        asked = asyncio.create_task(stage.ask(client))
        await until(lambda: bool(stage.first.answers))
        await turns()
        if cut_first:
            client.leave()
        asked.cancel()
        client.leave()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (stage.record.ending, stage.record.status, stage.record.charge) == (
            "failed_before_first_byte",
            503,
            None,
        )
        assert (stage.purse.spent, stage.purse.held) == (0, 0)

    run(main())


class TestTroubleKnown:
    def test_no_provider_is_asked_for_what_could_not_be_charged(self) -> None:
        async def main() -> None:
            stage = Stage()
            stage.ledger.trouble = "database or disk is full"
            with pytest.raises(Overloaded) as refused:
                await stage.ask(FakeClient(asking()))
            assert "disk" not in str(refused.value), "the operator's concern"
            assert stage.first.answers == []
            assert (stage.record.ending, stage.record.status) == ("refused", 503)
            stage.ledger.trouble = None
            client = FakeClient(asking())
            await stage.ask(client)
            assert client.status == 200

        run(main())

    def test_a_charge_that_can_never_be_written_keeps_nobodys_money(self) -> None:
        class NeverWritten(FakeLedger):
            async def commit(self, record: Request) -> None:
                if not self.failing:
                    raise Defect("the call's record was refused by the database")
                await super().commit(record)

        async def main() -> None:
            stage = Stage(first=FakeUpstream(streaming(*STORY)))
            stage.house.ledger = ledger = NeverWritten()
            ledger.failing = True
            await stage.ask(FakeClient(asking(stream=True)))
            assert stage.purse.held > 0
            ledger.failing = False
            await until(lambda: not stage.house.late)
            assert (stage.purse.spent, stage.purse.held) == (0, 0)

        run(main())

    def test_a_charge_that_waits_is_tried_once_more_when_the_process_ends(self) -> None:
        async def for_ever(seconds: float) -> None:
            await asyncio.Event().wait()

        async def main(*, healed: bool) -> int:
            stage = Stage(first=FakeUpstream(streaming(*STORY)))
            stage.house.sleep = for_ever
            stage.ledger.failing = True
            await stage.ask(FakeClient(asking(stream=True)))
            assert stage.purse.held > 0
            stage.ledger.failing = not healed
            await late.finish(stage.house)
            assert not stage.house.late
            return stage.purse.spent

        assert asyncio.run(main(healed=True)) > 0
        assert asyncio.run(main(healed=False)) == 0


def test_refused_calls_beyond_their_bound_are_seen_and_not_written_down() -> None:
    async def main() -> None:
        stage = Stage(money=0)
        for _ in range(REFUSED_AT_ONCE + 50):
            with pytest.raises(Failure):
                await stage.ask(FakeClient(b"[]"))
            stage.house.refusals = Refusals()  # their own limit is another matter
        assert len(stage.ledger.records) == REFUSED_AT_ONCE
        assert len(stage.witness.records) == REFUSED_AT_ONCE + 50

    run(main())
