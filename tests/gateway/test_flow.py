"""The request context with every part a fake: what each harness refuses, how each ending is written down, and only
once."""

import asyncio
import json
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeRateLimiter, FakeUpstream, ScriptedResponse, identity
from tests.gateway.harness import (
    CUT,
    DONE,
    FINISH,
    LIVE,
    OVERLOADED,
    ROLE,
    STORY,
    TEST,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    refusing,
    run,
    streaming,
    until,
    word,
)
from tollhouse.core.failure import (
    BadRequest,
    ContextTooLong,
    Failure,
    KeyFrozen,
    KeyRefused,
    ModelNotFound,
    Overloaded,
    RateLimited,
    RequestTooLarge,
    UpstreamBroke,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Ending
from tollhouse.routing.health import Blame

PLAIN = Usage(input=60, output=12, requests=1)


def test_an_answer_goes_through_as_it_came_and_is_written_down() -> None:
    async def main() -> None:
        harness, client = GatewayHarness(), FakeCallerConnection(asking(user="u7", max_tokens=9))
        await harness.ask(client, headers=[(b"user-agent", b"curl/8.5"), (b"x-tollhouse-tags", b"team=gate")])
        assert (client.status, client.data, client.ended) == (200, answer(), True)
        record = harness.record
        assert (record.ending, record.status, record.error) == ("finished", 200, None)
        assert (record.usage, record.usage_source) == (PLAIN, "upstream")
        assert (record.account_id, record.project_id, record.key_id) == ("acc_1", "proj_1", "key_live")
        assert (record.model, record.provider, record.stream) == ("house-1", "one", False)
        assert record.tags == {"user": "u7", "team": "gate"}
        assert record.output_cap == 9
        assert [(one.provider, one.model, one.status, one.error) for one in record.attempts] == [
            ("one", "up-one", 200, None)
        ]
        assert harness.limits.inside == 0
        assert harness.keys.last_uses["key_live"][0] == harness.clock.ms

    run(main())


def test_tags_are_read_as_utf_8_and_as_latin_1_where_they_are_not() -> None:
    for written, tags in (("teäm=区".encode(), {"teäm": "区"}), (b"te\xe4m=x", {"teäm": "x"})):
        harness = GatewayHarness()
        asyncio.run(harness.ask(FakeCallerConnection(asking()), headers=[(b"x-tollhouse-tags", written)]))
        assert harness.record.tags == tags


def test_a_stream_goes_on_event_by_event_and_its_end_waits_for_the_record() -> None:
    async def main() -> None:
        harness = GatewayHarness(first=FakeUpstream(streaming(*STORY)))
        harness.ledger.busy = asyncio.Event()
        client = FakeCallerConnection(asking(stream=True))
        asked = asyncio.create_task(harness.ask(client))
        await until(lambda: client.data.endswith(FINISH))
        assert not harness.ledger.records
        harness.ledger.busy.set()
        await asked
        assert client.parts == [ROLE + word("Zoll "), word("haus "), FINISH, DONE]
        assert client.header(b"content-type").startswith(b"text/event-stream")
        assert client.header(b"x-accel-buffering") == b"no"
        assert (harness.record.ending, harness.record.usage, harness.record.usage_source) == (
            "finished",
            PLAIN,
            "upstream",
        )
        assert harness.answers_settled

    run(main())


@pytest.mark.parametrize(
    ("play", "body"),
    [
        (buffered(answer(finish="length")), asking()),
        (streaming(ROLE, word("Zoll "), CUT, USAGE, DONE), asking(stream=True)),
    ],
    ids=["buffered", "streamed"],
)
def test_an_answer_cut_at_its_length_is_incomplete(play: ScriptedResponse, body: bytes) -> None:
    async def main() -> None:
        harness, client = GatewayHarness(first=FakeUpstream(play)), FakeCallerConnection(body)
        await harness.ask(client)
        assert client.ended
        assert (harness.record.ending, harness.record.usage) == ("incomplete", PLAIN)

    run(main())


def test_without_a_report_what_was_asked_and_answered_is_counted() -> None:
    async def main() -> None:
        for play, body in (
            (buffered(answer("three little words", usage=None)), asking()),
            (streaming(ROLE, word("three little words"), FINISH, DONE), asking(stream=True)),
            (buffered(answer("three little words", usage={"prompt_tokens": 9_999, "completion_tokens": 1})), asking()),
        ):
            harness = GatewayHarness(first=FakeUpstream(play))
            await harness.ask(FakeCallerConnection(body))
            assert harness.record.usage_source == "counted"
            assert harness.record.usage.output == 3
            assert harness.record.usage.input > 0

    run(main())


class TestRefusedBeforeDispatch:
    """Nothing is asked of a provider, nothing is charged, and no limit keeps a trace."""

    @staticmethod
    def refused(harness: GatewayHarness, client: FakeCallerConnection, kind: type[Failure], **how: Any) -> Failure:
        caught: list[Failure] = []

        async def main() -> None:
            with pytest.raises(kind) as raised:
                await harness.ask(client, **how)
            caught.append(raised.value)

        run(main())
        assert not client.heads, "the edge writes the error"
        assert not harness.first.calls
        assert not harness.second.calls
        assert harness.limits.inside == 0
        return caught[0]

    def test_an_unknown_key_leaves_no_record(self) -> None:
        harness = GatewayHarness()
        self.refused(harness, FakeCallerConnection(asking()), KeyRefused, key="sk-th-live-nobody")
        assert not harness.ledger.records
        assert harness.observer.refusals == [("invalid_api_key", 401)]
        assert not harness.keys.last_uses

    def test_a_frozen_key(self) -> None:
        harness = GatewayHarness()
        known = identity(LIVE)
        harness.keys.put(structs.replace(known, key=structs.replace(known.key, state="frozen")))
        self.refused(harness, FakeCallerConnection(asking()), KeyFrozen)
        assert not harness.ledger.records
        assert harness.observer.refusals == [("key_frozen", 403)]

    @pytest.mark.parametrize(
        ("client", "kind"),
        [
            (FakeCallerConnection(b"{"), BadRequest),
            (FakeCallerConnection(asking(n=0)), BadRequest),
            (FakeCallerConnection(asking("house-2")), ModelNotFound),
            (FakeCallerConnection(body_failure=RequestTooLarge("too large")), RequestTooLarge),
        ],
        ids=["no JSON", "no such n", "no such model", "too large"],
    )
    def test_what_cannot_be_asked(self, client: FakeCallerConnection, kind: type[Failure]) -> None:
        harness = GatewayHarness()
        failure = self.refused(harness, client, kind)
        assert (harness.record.ending, harness.record.status, harness.record.error) == (
            "refused",
            failure.status,
            failure.code,
        )
        assert (harness.record.usage, harness.record.usage_source) == (Usage(), "none")

    def test_a_full_gateway(self) -> None:
        harness = GatewayHarness(limits=FakeRateLimiter(most=0))
        self.refused(harness, FakeCallerConnection(asking()), RateLimited)
        assert (harness.record.ending, harness.record.status) == ("refused", 429)

    def test_nobody_to_ask(self) -> None:
        harness = GatewayHarness(model={"offers": ()})
        self.refused(harness, FakeCallerConnection(asking()), Overloaded)
        assert (harness.record.ending, harness.record.status, harness.record.error) == ("refused", 503, "overloaded")
        assert harness.limits.admitted == 1

    def test_tags_that_are_none(self) -> None:
        harness = GatewayHarness()
        self.refused(harness, FakeCallerConnection(asking()), BadRequest, headers=[(b"x-tollhouse-tags", b"team")])
        assert harness.record.ending == "refused"


@pytest.mark.parametrize(
    ("play", "kind", "blamed"),
    [
        (ScriptedResponse(failure=UpstreamUnreachable("x")), UpstreamUnreachable, "offer"),
        (ScriptedResponse(failure=UpstreamBroke("x")), UpstreamBroke, "offer"),
        (ScriptedResponse(failure=UpstreamTimeout("x")), UpstreamTimeout, "offer"),
        (refusing(500), UpstreamError, "offer"),
        (refusing(503, {"message": "busy"}), Overloaded, "offer"),
        (refusing(401, {"message": "who?"}), UpstreamRefusedKey, "key"),
        (refusing(402, {"message": "pay"}), UpstreamError, "key"),
        (refusing(429, {"message": "slow down"}, retry_after="7"), UpstreamSaturated, "key"),
        (refusing(400, {"message": "bad", "param": "n"}), BadRequest, "request"),
        (refusing(400, {"message": "long", "code": "context_length_exceeded"}), ContextTooLong, "request"),
        (buffered(b"<html>"), UpstreamError, "offer"),
        (buffered(b""), UpstreamError, "offer"),
        (buffered(answer()[:50], UpstreamBroke("x")), UpstreamBroke, "offer"),
        (buffered(b'{"error":{"type":"overloaded_error","message":"x"}}'), Overloaded, "offer"),
        (buffered(b'{"error":{"type":"rate_limit_error","message":"x"}}'), UpstreamSaturated, "key"),
        (buffered(b'{"error":{"code":"invalid_api_key","message":"x"}}'), UpstreamRefusedKey, "key"),
        (buffered(b'{"error":{"code":"context_length_exceeded","message":"x"}}'), ContextTooLong, "request"),
        (streaming(OVERLOADED), Overloaded, "offer"),
        (streaming(ROLE, OVERLOADED), Overloaded, "offer"),
        (streaming(ROLE), UpstreamBroke, "offer"),
        (streaming(), UpstreamBroke, "offer"),
        (streaming(b"data: nonsense\n\n"), UpstreamBroke, "offer"),
        (streaming(b'data: {"error":{"code":"context_length_exceeded","message":"x"}}\n\n'), ContextTooLong, "request"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_before_the_first_byte_is_free_and_held_against_who_caused_it(
    play: ScriptedResponse, kind: type[Failure], blamed: Blame, stream: bool
) -> None:
    """With nobody else to ask."""

    async def main() -> None:
        harness = GatewayHarness(first=FakeUpstream(play), model={"offers": _one_offer()})
        client = FakeCallerConnection(asking(stream=stream))
        with pytest.raises(kind):
            await harness.ask(client)
        assert not client.heads
        record = harness.record
        assert (record.ending, record.usage, record.usage_source) == ("failed_before_first_byte", Usage(), "none")
        assert (record.status, record.error) == (kind.status, kind.code)
        assert record.attempts[0].error == kind.code
        assert harness.answers_settled
        held = harness.health.snapshot(harness.clock.ms)
        assert [("offer" if one.slot is None else "key") for one in held] == ([] if blamed == "request" else [blamed])

    run(main())


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((ROLE, word("Zoll "), UpstreamBroke("x")), UpstreamBroke),
        ((ROLE, word("Zoll "), UpstreamTimeout("x")), UpstreamTimeout),
        ((ROLE, word("Zoll ")), UpstreamBroke),
        ((ROLE, word("Zoll "), DONE), UpstreamBroke),
        ((ROLE, word("Zoll "), OVERLOADED), Overloaded),
        ((ROLE, word("Zoll "), b"data: nonsense\n\n"), UpstreamBroke),
    ],
)
def test_a_failure_after_the_first_byte_is_an_event_and_what_was_delivered_is_counted(
    pieces: tuple[bytes | Failure, ...], kind: type[Failure]
) -> None:
    async def main() -> None:
        harness, client = (
            GatewayHarness(first=FakeUpstream(streaming(*pieces))),
            FakeCallerConnection(asking(stream=True)),
        )
        await harness.ask(client)
        assert client.ended
        assert client.data.startswith(ROLE + word("Zoll "))
        assert client.parts[-1].startswith(b'data: {"error":')
        assert b"[DONE]" not in client.data
        record = harness.record
        assert (record.ending, record.error) == ("failed_after_first_byte", kind.code)
        assert (record.usage.output, record.usage_source) == (1, "counted")
        assert record.usage.input > 0
        assert harness.answers_settled
        assert [one.provider for one in harness.health.snapshot(harness.clock.ms)] == ["one"]
        assert not harness.second.calls, "what has begun is not begun anew elsewhere"

    run(main())


def test_a_response_that_fails_in_the_providers_own_words_is_passed_on_and_counted() -> None:
    async def main() -> None:
        delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"one two"}\n\n'
        failed = {"id": "r1", "status": "failed", "usage": {"input_tokens": 60, "output_tokens": 900}}
        last = b"event: response.failed\ndata: " + _json({"type": "response.failed", "response": failed}) + b"\n\n"
        harness = GatewayHarness(first=FakeUpstream(streaming(delta, last)))
        client = FakeCallerConnection(_json({"model": "house-1", "input": "hi there", "stream": True}))
        await harness.ask(client, "responses")
        assert client.data == delta + last
        record = harness.record
        assert (record.ending, record.error) == ("failed_after_first_byte", "upstream_error")
        assert (record.usage, record.usage_source) == (Usage(input=2, output=2, requests=1), "counted")
        assert record.attempts[0].error == "upstream_error"
        assert harness.health.snapshot(harness.clock.ms)

    run(main())


def test_a_test_key_is_answered_by_the_simulator_and_its_script_is_the_answer() -> None:
    async def main() -> None:
        test_mode_endpoints = FakeUpstream(refusing(503, {"message": "as asked"}), buffered())
        harness = GatewayHarness(test_mode_endpoints=test_mode_endpoints)
        headers = [(b"x-tollhouse-simulate", b"status=503,times=1")]
        with pytest.raises(Overloaded):
            await harness.ask(FakeCallerConnection(asking()), key=TEST, headers=headers)
        await harness.ask(FakeCallerConnection(asking()), key=TEST, headers=headers)
        assert [(one.script, one.scripted_for) for one in test_mode_endpoints.calls] == [
            ("status=503,times=1", "key_test")
        ] * 2
        assert [(one.mode, one.ending) for one in harness.ledger.records] == [
            ("test", "failed_before_first_byte"),
            ("test", "finished"),
        ]
        assert not harness.health.snapshot(harness.clock.ms), "a test-mode call says nothing about any provider"
        assert not harness.first.calls

    run(main())


def test_a_live_key_cannot_script_anything() -> None:
    async def main() -> None:
        harness = GatewayHarness()
        await harness.ask(FakeCallerConnection(asking()), headers=[(b"x-tollhouse-simulate", b"status=503")])
        assert harness.first.calls[0].script == ""

    run(main())


def test_every_ending_is_told_somewhere() -> None:
    """The list of this package's tests, held against the vocabulary: a new ending needs a test here or in
    test_leaving."""
    told: set[Ending] = {
        "finished",
        "incomplete",
        "refused",
        "failed_before_first_byte",
        "failed_after_first_byte",
        "commit_failed",
        "client_left_before_dispatch",
        "client_left_before_first_byte",
        "client_left_after_first_byte",
    }
    assert told == set(Ending.__args__)  # type: ignore[attr-defined]


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def _one_offer() -> tuple[object, ...]:
    return (GatewayHarness().gateway.catalogue.models["house-1"].offers[0],)
