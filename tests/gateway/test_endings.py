"""Every row of the table of endings in docs/money.md, and its variants, with real books behind the gateway.

What the caller is charged is asserted to the nano-dollar, in the ledger, the account's money, the counter of his
budget, the roll-ups and the receipt's record; that the hold is gone; and that the record says the row's own words.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Piece, ScriptedResponse
from tests.gateway.harness import (
    CUT,
    DONE,
    FINISH,
    NOTHING_STREAMS,
    OVERLOADED,
    ROLE,
    STORY,
    STREAMS,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    event,
    run,
    until,
    word,
)
from tests.gateway.store_harness import StoreHarness, Written, booked
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamTimeout
from tollhouse.core.usage import Usage, UsageSource
from tollhouse.core.usage_record import Ending
from tollhouse.gateway.connection import ClientDisconnected

PAGE = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`\w+`.*?|process killed) \|", PAGE.split("## Every ending")[1].split("\n## ")[0], re.MULTILINE)

NOTHING = Usage()
REPORTED = Usage(input=60, output=12, requests=1)
REPORTED_NUSD = 60 * 2500 + 12 * 10_000
PROMPT_NUSD = 5 * 2500  # as `Words` counts what `asking` says
WORD_NUSD = 10_000
AHEAD = event(choices=[], usage={"prompt_tokens": 60, "completion_tokens": 0, "total_tokens": 60})
SO_FAR = event(
    choices=[{"index": 0, "delta": {"content": "one "}, "finish_reason": None}],
    usage={"prompt_tokens": 60, "completion_tokens": 1, "total_tokens": 61},
)
WRONG = event(choices=[], usage={"prompt_tokens": -60, "completion_tokens": 12})
UNFINISHED = UpstreamBroke("The provider broke off.")

Pieces = Callable[[FakeCallerConnection], Sequence[Piece]]
"""What the provider's answer brings, given the caller, who may leave in between."""


def counted(words: int) -> Usage:
    return Usage(input=5, output=words, requests=1)


@dataclass(frozen=True)
class EndingCase:
    """`row`: as the page has it. `usage` and `source`: what the record says; `charge`: nano-USD, None for free."""

    row: str
    name: str
    pieces: Pieces
    ending: Ending
    usage: Usage
    source: UsageSource
    charge: int | None
    stream: bool = True
    drain: bool = False
    before_head: Pieces = lambda client: ()
    client: dict[str, Any] = field(default_factory=dict)
    harness: dict[str, Any] = field(default_factory=dict)


def reported(
    row: str, name: str, pieces: Pieces, ending: Ending, source: UsageSource = "upstream", **more: Any
) -> EndingCase:
    return EndingCase(row, name, pieces, ending, REPORTED, source, REPORTED_NUSD, **more)


def guessed(row: str, name: str, words: int, pieces: Pieces, ending: Ending, **more: Any) -> EndingCase:
    """What nobody reported, or nobody believes."""
    return EndingCase(row, name, pieces, ending, counted(words), "counted", PROMPT_NUSD + words * WORD_NUSD, **more)


def free(row: str, name: str, pieces: Pieces, ending: Ending, **more: Any) -> EndingCase:
    return EndingCase(row, name, pieces, ending, NOTHING, "none", None, **more)


def always(*pieces: Piece) -> Pieces:
    return lambda client: pieces


def never() -> Piece:
    return asyncio.Event()


DRAIN: dict[str, Any] = {"drain": True}
AT_ONCE: dict[str, Any] = {"harness": {"drain_seconds_max": 0}}  # one turn of the loop
BUFFERED: dict[str, Any] = {"stream": False}
ANSWERED = "`finished`, `incomplete`"
CUT_AT_HOLD = "`incomplete`, cut where it passed what was held for"
FAILED_BEFORE, FAILED_AFTER = (f"`failed_{when}_first_byte` (by us or the provider)" for when in ("before", "after"))
LEFT_BEFORE_BUFFERED = "`client_left_before_first_byte`, buffered"
LEFT_BEFORE_DRAIN = "`client_left_before_first_byte`, stream with `drain`"
LEFT_BEFORE_ABORT = "`client_left_before_first_byte`, stream with `abort`"
LEFT_AFTER_ABORT = "`client_left_after_first_byte`, `abort`"
LEFT_AFTER_DRAIN = "`client_left_after_first_byte`, `drain`"

CASES = (
    reported(ANSWERED, "buffered", always(answer()), "finished", **BUFFERED),
    reported(ANSWERED, "buffered, gathered from a stream", always(*STORY), "finished", **BUFFERED),
    reported(ANSWERED, "buffered, cut at its length", always(answer(finish="length")), "incomplete", **BUFFERED),
    guessed(ANSWERED, "buffered, not reported", 2, always(answer(usage=None)), "finished", **BUFFERED),
    guessed(ANSWERED, "buffered, not believed", 2, always(answer(usage={"prompt_tokens": 9.5})), "finished",
            **BUFFERED),
    guessed(
        ANSWERED,
        "buffered, above the context",
        2,
        always(answer(usage={"prompt_tokens": 1001, "completion_tokens": 1, "total_tokens": 1002})),
        "finished",
        **BUFFERED,
    ),
    guessed(
        ANSWERED,
        "buffered, reported as nothing",
        2,
        always(answer(usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})),
        "finished",
        **BUFFERED,
    ),
    reported(ANSWERED, "streamed", always(*STORY), "finished"),
    reported(ANSWERED, "streamed, in one piece", always(answer()), "finished"),
    reported(ANSWERED, "streamed, cut at its length", always(ROLE, word("Zoll "), CUT, USAGE, DONE), "incomplete"),
    guessed(ANSWERED, "streamed, not reported", 2, always(*STORY[:4], DONE), "finished"),
    guessed(ANSWERED, "streamed, not believed", 2, always(*STORY[:4], WRONG, DONE), "finished"),
    guessed(ANSWERED, "streamed, reported ahead only", 2, always(AHEAD, *STORY[:4], DONE), "finished"),
    guessed(CUT_AT_HOLD, "streamed", 20, always(ROLE, *[word("w ")] * 30, FINISH, USAGE, DONE), "incomplete"),
    guessed(CUT_AT_HOLD, "streamed, in one piece", 20, always(answer("w " * 30)), "incomplete"),
    guessed(CUT_AT_HOLD, "gathered", 20, always(ROLE, *[word("w ")] * 30, FINISH, USAGE, DONE), "incomplete",
            **BUFFERED),
    guessed(CUT_AT_HOLD, "buffered", 20, always(answer("w " * 30, usage=None)), "incomplete", **BUFFERED),
    free("`refused` (by us, before dispatch)", "no money", always(answer()), "refused", harness={"money": 1}),
    free(FAILED_BEFORE, "buffered", always(b'{"id":', UNFINISHED), "failed_before_first_byte", **BUFFERED),
    free(FAILED_BEFORE, "buffered, an error within", always(b'{"error":{"message":"' + b"words " * 99 + b'"}}'),
         "failed_before_first_byte", **BUFFERED),
    free(FAILED_BEFORE, "buffered, gathered", always(*STORY[:3], UNFINISHED), "failed_before_first_byte", **BUFFERED),
    free(FAILED_BEFORE, "streamed", always(ROLE, UpstreamTimeout("too slow")), "failed_before_first_byte"),
    free(FAILED_BEFORE, "streamed, an error within", always(ROLE, OVERLOADED), "failed_before_first_byte"),
    free(FAILED_BEFORE, "streamed, usage before the error", always(AHEAD, OVERLOADED), "failed_before_first_byte"),
    free(FAILED_BEFORE, "buffered, nobody there", lambda client: (client.leave, b'{"id":', UNFINISHED),
         "failed_before_first_byte", **BUFFERED),
    free(FAILED_BEFORE, "streamed, nobody there", lambda client: (client.leave, ROLE, UNFINISHED),
         "failed_before_first_byte", **DRAIN),
    guessed(FAILED_AFTER, "broken off", 2, always(*STORY[:3], UNFINISHED), "failed_after_first_byte"),
    guessed(FAILED_AFTER, "ended early", 2, always(*STORY[:3]), "failed_after_first_byte"),
    guessed(FAILED_AFTER, "an error within", 1, always(ROLE, word("one "), OVERLOADED), "failed_after_first_byte"),
    guessed(FAILED_AFTER, "nonsense", 1, always(ROLE, word("one "), b"data: <html>\n\n"), "failed_after_first_byte"),
    guessed(FAILED_AFTER, "totals so far, then broken", 2, always(SO_FAR, SO_FAR, UNFINISHED),
            "failed_after_first_byte"),
    guessed(FAILED_AFTER, "a defect of ours", 2, always(ROLE, word("one "), word("two "), word("three ")),
            "failed_after_first_byte", client={"defect_at": b"two"}),
    free("`client_left_before_dispatch`", "with half a body", always(answer()), "client_left_before_dispatch",
         client={"leaves_before_body": True}),
    reported(LEFT_BEFORE_BUFFERED, "read on", lambda client: (client.leave, answer()), "client_left_before_first_byte",
             "drained", **BUFFERED),
    reported(LEFT_BEFORE_BUFFERED, "before the head", always(answer()), "client_left_before_first_byte", "drained",
             before_head=lambda client: (client.leave,), **BUFFERED),
    reported(LEFT_BEFORE_BUFFERED, "gathered from a stream", lambda client: (ROLE, client.leave, *STORY[1:]),
             "client_left_before_first_byte", "drained", **BUFFERED),
    guessed(LEFT_BEFORE_BUFFERED, "not reported", 2, lambda client: (client.leave, answer(usage=None)),
            "client_left_before_first_byte", **BUFFERED),
    guessed(LEFT_BEFORE_BUFFERED, "never ends", 0, lambda client: (b'{"id":', client.leave, never()),
            "client_left_before_first_byte", **BUFFERED, **AT_ONCE),
    reported(LEFT_BEFORE_DRAIN, "read on", lambda client: (client.leave, *STORY), "client_left_before_first_byte",
             "drained", **DRAIN),
    guessed(LEFT_BEFORE_DRAIN, "not reported", 2, lambda client: (client.leave, *STORY[:4], DONE),
            "client_left_before_first_byte", **DRAIN),
    guessed(LEFT_BEFORE_DRAIN, "never ends", 1, lambda client: (client.leave, ROLE, word("one "), never()),
            "client_left_before_first_byte", **DRAIN, **AT_ONCE),
    guessed(LEFT_BEFORE_DRAIN, "the provider breaks off", 2, lambda client: (client.leave, *STORY[:3], UNFINISHED),
            "client_left_before_first_byte", **DRAIN),
    guessed(LEFT_BEFORE_ABORT, "before the head", 0, always(*STORY), "client_left_before_first_byte",
            before_head=lambda client: (client.leave, never())),
    guessed(LEFT_BEFORE_ABORT, "before the first event", 0, lambda client: (client.leave, never()),
            "client_left_before_first_byte"),
    guessed(LEFT_BEFORE_ABORT, "usage ahead", 0, lambda client: (AHEAD, client.leave, never()),
            "client_left_before_first_byte"),
    guessed(LEFT_AFTER_ABORT, "on the way", 2, lambda client: (*STORY[:3], client.leave, word("never "), *STORY[3:]),
            "client_left_after_first_byte"),
    guessed(LEFT_AFTER_ABORT, "totals so far", 2, lambda client: (SO_FAR, SO_FAR, client.leave, never()),
            "client_left_after_first_byte"),
    guessed(LEFT_AFTER_ABORT, "reported ahead only", 2, lambda client: (AHEAD, *STORY[:3], client.leave, never()),
            "client_left_after_first_byte"),
    reported(LEFT_AFTER_ABORT, "before the usage", lambda client: (*STORY[:4], client.leave, USAGE, DONE),
             "client_left_after_first_byte", "drained"),
    reported(LEFT_AFTER_ABORT, "after the usage", lambda client: (*STORY[:5], client.leave, DONE),
             "client_left_after_first_byte", "drained"),
    reported(LEFT_AFTER_DRAIN, "on the way", lambda client: (*STORY[:3], client.leave, *STORY[3:]),
             "client_left_after_first_byte", "drained", **DRAIN),
    guessed(LEFT_AFTER_DRAIN, "not reported", 3,
            lambda client: (*STORY[:3], client.leave, word("three "), FINISH, DONE),
            "client_left_after_first_byte", **DRAIN),
    guessed(LEFT_AFTER_DRAIN, "never ends", 2, lambda client: (*STORY[:3], client.leave, never()),
            "client_left_after_first_byte", **DRAIN, **AT_ONCE),
    guessed(LEFT_AFTER_DRAIN, "the provider breaks off", 3,
            lambda client: (*STORY[:3], client.leave, word("three "), UNFINISHED),
            "client_left_after_first_byte", **DRAIN),
    guessed(LEFT_AFTER_DRAIN, "the provider reports an error", 2,
            lambda client: (*STORY[:3], client.leave, OVERLOADED), "client_left_after_first_byte", **DRAIN),
)  # fmt: skip


class Defective(FakeCallerConnection):
    """A caller at whom our own code fails once it writes these bytes."""

    def __init__(self, body: bytes, *, defect_at: bytes = b"", leaves_before_body: bool = False) -> None:
        super().__init__(body)
        self.leaves_before_body = leaves_before_body
        if defect_at:
            self.on_part = lambda data: self._fail(data, defect_at)

    def _fail(self, data: bytes, defect_at: bytes) -> None:
        if defect_at in data:
            raise ValueError("a defect")


def staged(case: EndingCase, client: FakeCallerConnection) -> GatewayHarness:
    pieces = case.pieces(client)
    streams = any(isinstance(piece, bytes) and piece.startswith(b"data:") for piece in pieces)
    play = ScriptedResponse(
        headers=STREAMS if streams else NOTHING_STREAMS, pieces=pieces, before_head=case.before_head(client)
    )
    provider = {"on_disconnect": "drain" if case.drain else "abort"}
    first, second = FakeUpstream(play), FakeUpstream(play)
    return GatewayHarness(first=first, second=second, provider=provider, **{"money": 10**9, **case.harness})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row.replace('`', '')}: {case.name}")
def test_an_ending_is_charged_as_the_page_says(case: EndingCase, tmp_path: Path) -> None:
    async def main() -> None:
        client = Defective(asking(stream=case.stream, max_tokens=12), **case.client)
        harness = staged(case, client)
        async with booked(harness, tmp_path) as settlement:
            with suppress(Failure, ClientDisconnected, ValueError):
                await settlement.ask(client)
            told(case, settlement, await settlement.written())
            assert harness.limits.inside == 0
            assert harness.answers_settled

    run(main())


def told(case: EndingCase, settlement: StoreHarness, written: Written) -> None:
    record, charge = written.record, case.charge or 0
    assert record is not None
    assert record.ending == case.ending
    assert (record.usage, record.usage_source) == (case.usage, case.source)
    assert (None if record.charge is None else record.charge.amount) == case.charge
    assert written.entries == ([] if case.charge is None else [("charge", -charge)])
    assert (written.spent, written.balance, written.counted) == (charge, -charge, charge)
    assert (written.calls_rolled_up, written.charge_rolled_up) == (1, charge)
    assert (settlement.spent(), settlement.held()) == (charge, 0)
    if record.ending.startswith("client_left"):
        assert record.status == 499
    assert (record.error is not None) == record.ending.startswith(("failed", "refused"))


def test_a_buffered_answer_that_cannot_be_committed_is_free(tmp_path: Path) -> None:
    async def main() -> None:
        client, harness = FakeCallerConnection(asking(max_tokens=12)), GatewayHarness(money=10**9)
        async with booked(harness, tmp_path) as settlement:
            settlement.ledger.failing = True
            with pytest.raises(Failure) as refused:
                await settlement.ask(client)
            assert refused.value.status == 503
            assert not client.heads, "no answer"
            (seen,) = harness.observer.records
            assert (seen.ending, seen.usage_source, seen.charge) == ("commit_failed", "none", None)
            settlement.ledger.failing = False
            assert (settlement.spent(), settlement.held(), harness.gateway.deferred_commits) == (0, 0, set())
            written = await settlement.written()
            assert (written.record, written.entries, written.spent) == (None, [], 0)

    run(main())


LATE: dict[str, tuple[Pieces, Usage, UsageSource, int]] = {
    "finished": (always(*STORY), REPORTED, "upstream", REPORTED_NUSD),
    "not reported": (always(*STORY[:4], DONE), counted(2), "counted", PROMPT_NUSD + 2 * WORD_NUSD),
}


@pytest.mark.parametrize("name", LATE)
def test_a_stream_that_cannot_be_committed_is_charged_once_when_it_can(name: str, tmp_path: Path) -> None:
    pieces, usage, source, charge = LATE[name]

    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True, max_tokens=12))
        harness = GatewayHarness(
            first=FakeUpstream(ScriptedResponse(headers=STREAMS, pieces=pieces(client))), money=10**9
        )
        async with booked(harness, tmp_path) as settlement:
            settlement.ledger.failing = True
            await settlement.ask(client)
            assert client.parts[-1].startswith(b'data: {"error":')
            assert b"[DONE]" not in client.data
            assert settlement.spent() == 0
            assert settlement.held() > charge
            await until(lambda: len(harness.slept) > 3)  # it is tried again, and again
            settlement.ledger.failing = False
            await until(lambda: not harness.gateway.deferred_commits)
            written = await settlement.written()
            assert written.record is not None
            assert (written.record.ending, written.record.usage_source) == ("commit_failed", source)
            assert written.record.usage == usage
            assert written.entries == [("charge", -charge)]
            assert (written.spent, written.counted, written.charge_rolled_up) == (charge, charge, charge)
            assert (settlement.spent(), settlement.held()) == (charge, 0)

    run(main())


@pytest.mark.parametrize(
    ("pieces", "ending"),
    [
        (lambda client: (*STORY[:3], UNFINISHED), "failed_after_first_byte"),
        (lambda client: (*STORY[:3], client.leave, never()), "client_left_after_first_byte"),
    ],
)
def test_what_was_delivered_is_charged_also_where_the_commit_fails(pieces: Pieces, ending: str, tmp_path: Path) -> None:
    """The ending stays what it was; the record comes late."""

    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True, max_tokens=12))
        harness = GatewayHarness(
            first=FakeUpstream(ScriptedResponse(headers=STREAMS, pieces=pieces(client))), money=10**9
        )
        async with booked(harness, tmp_path) as settlement:
            settlement.ledger.failing = True
            with suppress(ClientDisconnected):
                await settlement.ask(client)
            assert settlement.held() > 0
            settlement.ledger.failing = False
            await until(lambda: not harness.gateway.deferred_commits)
            written = await settlement.written()
            assert written.record is not None
            assert written.record.ending == ending
            assert written.entries == [("charge", -PROMPT_NUSD - 2 * WORD_NUSD)]
            assert settlement.held() == 0

    run(main())


def test_every_row_of_the_page_has_its_test() -> None:
    elsewhere = {
        "`commit_failed`, buffered",
        "`commit_failed`, streamed",
        "process killed",  # tests/end_to_end/test_endings.py
    }
    assert {case.row for case in CASES} | elsewhere == set(ROWS)
    assert len(ROWS) == len(set(ROWS))


def test_the_page_and_the_receipt_use_the_same_words() -> None:
    said = {word for row in ROWS for word in re.findall(r"`(\w+)`", row)} - {"abort", "drain"}
    assert said == set(get_args(Ending))
    assert {case.ending for case in CASES} | {"commit_failed"} == said
