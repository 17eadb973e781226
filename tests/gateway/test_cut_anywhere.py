"""Incident 10 of the peers: a whole hold refunded when a caller left (new-api 5235), error texts billed as output
(5289), a full bill for nothing delivered (sub2api 4408).

A stream of each operation is cut after every event, by the provider in every way it can break off and by the caller
with both kinds of provider: the charge is the declared rule of the ending, exactly.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Piece
from tests.gateway.harness import GatewayHarness, run, streaming
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamTimeout
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.formats.openai.answers import chat_events, completion_events
from tollhouse.formats.openai.response_answers import response_events
from tollhouse.gateway.connection import ClientDisconnected

SAID = ("one ", "two ", "three ", "four ")
REPORTED = Usage(input=60, output=12)
REPORTED_NUSD = 60 * 2500 + 12 * 10_000
ERROR = "the provider's own words about what went wrong " * 50


class CutStream(NamedTuple):
    """`events` as the provider sends them. `opening`: how many say nothing yet; `finish`: how many until all is said;
    `whole`: how many until nothing more is needed. `prompt`: tokens of the request as `Words` counts them."""

    body: dict[str, Any]
    events: list[bytes]
    opening: int
    finish: int
    whole: int
    prompt: int

    def words(self, events: int) -> int:
        """Said in the first so many events: each delta says one."""
        return min(max(events - self.opening, 0), len(SAID))


CHAT = list(chat_events("c1", 1, "up", SAID, usage=REPORTED, include_usage=True))
COMPLETIONS = list(completion_events("c1", 1, "up", SAID, usage=REPORTED, include_usage=True))
RESPONSES = list(response_events("resp_1", 1, "up", SAID, usage=REPORTED))
STREAMS: Mapping[Operation, CutStream] = {
    "chat": CutStream({"messages": [{"role": "user", "content": "hi there"}]}, CHAT, 1, 6, 8, 5),
    "completions": CutStream({"prompt": "hi there you"}, COMPLETIONS, 0, 5, 7, 3),
    "responses": CutStream({"input": "hi there you all"}, RESPONSES, 4, len(RESPONSES), len(RESPONSES), 4),
}
CUTS = [(operation, cut) for operation, one in STREAMS.items() for cut in range(one.whole + 1)]
BREAKS: Mapping[str, list[Piece]] = {
    "ends": [],
    "breaks off": [UpstreamBroke("broken")],
    "falls silent": [UpstreamTimeout("silent")],
    "reports an error": [b'data: {"error":{"type":"server_error","message":"' + ERROR.encode() + b'"}}\n\n'],
    "reports an error by name": [b'event: error\ndata: {"type":"error","message":"' + ERROR.encode() + b'"}\n\n'],
    "answers with a page": [b"<html>" + ERROR.encode() + b"</html>\n\n", UpstreamBroke("broken")],
    "sends nonsense": [b"data: " + ERROR.encode() + b"\n\n"],
}


def staged(pieces: list[Piece], **more: Any) -> GatewayHarness:
    upstreams = FakeUpstream(streaming(*pieces)), FakeUpstream(streaming(*pieces))
    return GatewayHarness(first=upstreams[0], second=upstreams[1], money=10**9, **more)


def asked(stream: CutStream) -> FakeCallerConnection:
    return FakeCallerConnection(json.dumps({"model": "house-1", "stream": True, **stream.body}).encode())


async def served(harness: GatewayHarness, client: FakeCallerConnection, operation: Operation) -> UsageRecord:
    with suppress(Failure, ClientDisconnected):
        await harness.ask(client, operation)
    assert harness.counter.held == 0
    assert harness.answers_settled
    record = harness.record
    charged = 0 if record.charge is None else record.charge.amount
    assert harness.counter.spent == charged
    return record


def billed(record: UsageRecord) -> tuple[str, str, int | None]:
    return record.ending, record.usage_source, None if record.charge is None else record.charge.amount


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize(("operation", "cut"), CUTS)
def test_a_provider_that_stops_anywhere(operation: Operation, cut: int, how: str) -> None:
    stream = STREAMS[operation]

    async def main() -> None:
        client = asked(stream)
        record = await served(staged([*stream.events[:cut], *BREAKS[how]]), client, operation)
        by_itself = how == "ends" and cut >= stream.finish  # only `[DONE]`, or the usage before it, is missing
        if cut == stream.whole:
            assert billed(record) == ("finished", "upstream", REPORTED_NUSD)
        elif by_itself:
            reported = cut > stream.finish
            counted = stream.prompt * 2500 + len(SAID) * 10_000
            expected = ("upstream", REPORTED_NUSD) if reported else ("counted", counted)
            assert billed(record) == ("finished", *expected)
        elif cut <= stream.opening:
            assert billed(record) == ("failed_before_first_byte", "none", None)
        else:
            charge = stream.prompt * 2500 + stream.words(cut) * 10_000
            assert billed(record) == ("failed_after_first_byte", "counted", charge)
            assert b"[DONE]" not in client.data

    run(main())


@pytest.mark.parametrize("on_disconnect", ["abort", "drain"])
@pytest.mark.parametrize(("operation", "cut"), CUTS)
def test_a_caller_who_leaves_anywhere(operation: Operation, cut: int, on_disconnect: str) -> None:
    stream = STREAMS[operation]

    async def main() -> None:
        client = asked(stream)
        pieces: list[Piece] = [*stream.events[:cut], client.leave, *stream.events[cut:]]
        record = await served(staged(pieces, provider={"on_disconnect": on_disconnect}), client, operation)
        if cut == stream.whole:
            assert billed(record) == ("finished", "upstream", REPORTED_NUSD)
            return
        ending = "client_left_before_first_byte" if cut <= stream.opening else "client_left_after_first_byte"
        if on_disconnect == "drain" or cut >= stream.finish:
            assert billed(record) == (ending, "drained", REPORTED_NUSD)
        else:
            charge = stream.prompt * 2500 + stream.words(cut) * 10_000
            assert billed(record) == (ending, "counted", charge)

    run(main())


@pytest.mark.parametrize("how", [how for how in BREAKS if how != "ends"])
@pytest.mark.parametrize(("operation", "cut"), CUTS)
def test_a_caller_who_leaves_and_a_provider_that_stops(operation: Operation, cut: int, how: str) -> None:
    """Read on for nobody, up to the provider's own end: what it had written is counted; nothing is free."""
    stream = STREAMS[operation]

    async def main() -> None:
        client = asked(stream)
        pieces: list[Piece] = [client.leave, *stream.events[:cut], *BREAKS[how]]
        record = await served(staged(pieces, provider={"on_disconnect": "drain"}), client, operation)
        if cut == stream.whole:
            assert billed(record) == ("client_left_before_first_byte", "drained", REPORTED_NUSD)
        elif cut <= stream.opening:
            assert billed(record) == ("failed_before_first_byte", "none", None)
        else:
            charge = stream.prompt * 2500 + stream.words(cut) * 10_000
            assert billed(record) == ("client_left_before_first_byte", "counted", charge)

    run(main())


def test_an_error_body_with_an_error_status_is_free_and_its_words_are_no_output() -> None:
    """new-api 5289"""

    async def main() -> None:
        for status in (400, 401, 404, 429, 500, 529):
            play = streaming(b'data: {"choices":[{"index":0,"delta":{"content":"' + ERROR.encode() + b'"}}]}\n\n')
            play.status = status
            client = asked(STREAMS["chat"])
            harness = GatewayHarness(first=FakeUpstream(play), second=FakeUpstream(play), money=10**9)
            record = await served(harness, client, "chat")
            assert billed(record) == ("failed_before_first_byte", "none", None)
            assert record.usage == Usage()

    run(main())
