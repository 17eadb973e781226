"""A call whose provider speaks another format: held, cut, charged and refused like any other, by what its own format
reported."""

import asyncio
import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Piece, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    NOTHING_STREAMS,
    ROLE,
    STREAMS,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    refusing,
    run,
    streaming,
    turns,
    word,
)
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.conversation import Opaque
from tollhouse.core.failure import ContextTooLong, Failure, UnsupportedParameter
from tollhouse.core.opaque import opened
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.gateway.flow import serve

GEMINI = {"kind": "gemini"}
REPORT = {
    "promptTokenCount": 60,
    "cachedContentTokenCount": 20,
    "candidatesTokenCount": 10,
    "thoughtsTokenCount": 2,
    "totalTokenCount": 72,
}
USED = Usage(input=40, cache_read=20, output=10, reasoning=2, requests=1)
CHARGE = 40 * 2_500 + 20 * 1_250 + 12 * 10_000


def gemini(text: str, *, finish: str | None = "STOP", report: object = REPORT) -> bytes:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    body = {"candidates": [candidate], "modelVersion": "up", "responseId": "r1"}
    return json.dumps(body if report is None else {**body, "usageMetadata": report}).encode()


def events(*texts: str, end: bool = True) -> list[bytes]:
    pieces = [b"data: %b\r\n\r\n" % gemini(text, finish=None, report=None) for text in texts]
    return [*pieces, b"data: %b\r\n\r\n" % gemini("", finish="STOP")] if end else pieces


def asked(
    *pieces: bytes,
    body: bytes,
    provider: dict[str, Any] | None = None,
    operation: Operation = "chat",
    **how: Any,
) -> tuple[GatewayHarness, FakeCallerConnection]:
    headers = NOTHING_STREAMS if pieces[0].startswith(b"{") else STREAMS
    harness = GatewayHarness(
        first=FakeUpstream(ScriptedResponse(headers=headers, pieces=pieces)), provider=provider or GEMINI, **how
    )
    client = FakeCallerConnection(body)
    run(harness.ask(client, operation))
    return harness, client


def head(client: FakeCallerConnection, name: str) -> list[str]:
    return [value.decode() for key, value in client.headers if key == name.encode()]


def chunks(stream: bytes) -> list[Any]:
    return [json.loads(one.removeprefix(b"data: ")) for one in stream.split(b"\n\n") if one and one != DONE.strip()]


def test_a_buffered_answer_is_charged_by_what_the_provider_s_format_reported() -> None:
    harness, client = asked(gemini("Zoll haus"), body=asking())
    (call,) = harness.first.calls
    assert call.target == b"/v1/models/up-one:generateContent"
    assert json.loads(call.body) == {"contents": [{"role": "user", "parts": [{"text": "hi there"}]}]}
    told = json.loads(client.data)
    assert told["object"] == "chat.completion"
    assert told["choices"][0]["message"]["content"] == "Zoll haus"
    assert told["choices"][0]["finish_reason"] == "stop"
    assert (told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == (60, 12)
    record = harness.record
    assert (record.usage, record.usage_source, record.ending) == (USED, "upstream", "finished")
    assert record.raw_usage is not None
    assert json.loads(record.raw_usage) == REPORT
    assert record.charge is not None
    assert harness.counter.spent == record.charge.amount == CHARGE
    assert head(client, "x-tollhouse-dropped") == []


@pytest.mark.parametrize(("cap", "sent"), [(32_000, 9_000), (8_000, 8_000)])
def test_a_cap_above_the_longest_answer_asks_for_that(cap: int, sent: int) -> None:
    """Agents ask for as much as the models of their maker can answer with; others refuse more than they can."""
    harness, _ = asked(gemini("Zoll haus"), body=asking(max_tokens=cap), model={"max_output_tokens": 9_000})
    assert json.loads(harness.first.calls[0].body)["generationConfig"] == {"maxOutputTokens": sent}


@pytest.mark.parametrize("shown", [True, False])
def test_a_stream_is_charged_the_same_and_ends_when_the_charge_is_durable(shown: bool) -> None:
    body = asking(stream=True, stream_options={"include_usage": shown})
    harness, client = asked(*events("Zoll ", "haus"), body=body)
    (call,) = harness.first.calls
    assert call.target == b"/v1/models/up-one:streamGenerateContent?alt=sse"
    assert client.data.endswith(DONE)
    told = chunks(client.data)
    said = "".join(choice["delta"].get("content") or "" for chunk in told for choice in chunk["choices"])
    assert said == "Zoll haus"
    assert ("usage" in told[-1] and told[-1]["choices"] == []) is shown
    assert harness.record.usage == USED
    assert harness.counter.spent == CHARGE


@pytest.mark.parametrize("stream", [True, False])
def test_what_streams_is_gathered_and_what_does_not_is_unfolded(stream: bool) -> None:
    pieces = [gemini("Zoll haus")] if stream else events("Zoll ", "haus")
    provider = GEMINI if stream else {**GEMINI, "streams_only": True}
    harness, client = asked(*pieces, body=asking(stream=stream), provider=provider)
    assert (b":streamGenerateContent" in harness.first.calls[0].target) is True
    assert b"haus" in client.data
    assert client.data.endswith(DONE) is stream
    assert (harness.record.usage, harness.counter.spent) == (USED, CHARGE)
    assert json.loads(harness.record.raw_usage or b"") == REPORT


def test_a_stream_that_breaks_never_looks_whole_and_costs_what_was_delivered() -> None:
    harness, client = asked(*events("Zoll ", "haus ", end=False), body=asking(stream=True))
    assert DONE not in client.data
    assert chunks(client.data)[-1]["error"]["code"] == "upstream_error"
    assert client.broken_off
    assert (harness.record.ending, harness.record.usage_source) == ("failed_after_first_byte", "counted")
    assert harness.record.usage.output == 2


def test_a_stream_is_cut_at_what_was_held() -> None:
    body = asking(stream=True, max_tokens=40)
    harness, client = asked(*events(*["w "] * 500), body=body, money=10**9)
    assert client.data.endswith(DONE)
    finishes = [one["finish_reason"] for chunk in chunks(client.data) for one in chunk["choices"]]
    assert finishes[-1] == "length"
    assert client.data.count(b'"w "') == 60, "half more than was held for"
    assert harness.record.cut
    assert harness.record.usage.output == 60
    assert harness.first.answers[0].aborted


def test_what_a_format_cannot_say_is_dropped_by_name_or_refused_before_anything_is_sent() -> None:
    body = asking(store=True, prediction={"type": "content", "content": "x"})
    harness, client = asked(gemini("Zoll haus"), body=body)
    assert sorted(head(client, "x-tollhouse-dropped")[0].split(", ")) == ["prediction", "store"]
    assert sorted(harness.record.dropped.split(", ")) == ["prediction", "store"]
    assert [one.format for one in harness.record.attempts] == ["gemini_content"]
    with pytest.raises(UnsupportedParameter) as refused:
        asked(gemini("Zoll haus"), body=asking(logit_bias={"1": 5}))
    assert refused.value.param == "logit_bias"
    assert "'logit_bias' cannot be passed on" in refused.value.message


def test_where_one_provider_cannot_say_it_the_next_one_is_asked() -> None:
    harness = GatewayHarness(second=FakeUpstream(buffered(answer("Zoll haus"))), keys_of_first=("sk-one",))
    destinations = harness.gateway.destinations
    other = GatewayHarness(provider=GEMINI)
    destinations["one"] = other.gateway.destinations["one"]
    client = FakeCallerConnection(asking(logit_bias={"1": 5}))
    run(harness.ask(client))
    assert client.status == 200
    assert other.first.calls == []
    assert [(one.provider, one.status, one.error) for one in harness.record.attempts] == [
        ("one", None, "unsupported_parameter"),
        ("two", 200, None),
    ]
    assert harness.record.attempts[0].end_ms >= 0
    assert not harness.health.snapshot(harness.clock.now_ms())


def test_errors_of_the_provider_are_read_in_its_format() -> None:
    error = {"code": 400, "message": "The input token count (9) exceeds the maximum number of tokens allowed (4)."}
    refusal = refusing(400, body=json.dumps({"error": {**error, "status": "INVALID_ARGUMENT"}}).encode())
    harness = GatewayHarness(first=FakeUpstream(refusal), provider=GEMINI)
    with pytest.raises(Failure) as refused:
        run(harness.ask(FakeCallerConnection(asking())))
    assert isinstance(refused.value, ContextTooLong)
    assert harness.second.calls == []


def test_a_large_request_is_written_as_a_small_one_is() -> None:
    """The one by another process, the other on the event loop."""
    sent = []
    for text in ("hi there", "hi there" * 20_000):
        harness, _ = asked(
            gemini("Zoll haus"),
            body=json.dumps({"model": "house-1", "messages": [{"role": "user", "content": text}], "seed": 3}).encode(),
            model={"context_tokens": 200_000},
        )
        sent.append(json.loads(harness.first.calls[0].body))
        sent[-1]["contents"][0]["parts"][0]["text"] = ""
    assert sent[0] == sent[1]


def test_an_answer_in_another_style_is_written_anew_also_where_the_provider_speaks_the_caller_s_format() -> None:
    openai = {"kind": "openai_compatible"}
    harness, client = asked(answer("Zoll haus"), body=asking(style="gemini"), provider=openai)
    assert b"style" not in harness.first.calls[0].body
    told = json.loads(client.data)
    assert told["candidates"][0]["content"]["parts"] == [{"text": "Zoll haus"}]
    assert (told["candidates"][0]["finishReason"], told["usageMetadata"]["totalTokenCount"]) == ("STOP", 72)
    assert harness.record.dialect == "gemini"
    story = (ROLE, word("Zoll "), word("haus"), FINISH, USAGE, DONE)
    harness, client = asked(*story, body=asking(style="gemini", stream=True), provider=openai)
    told = chunks(client.data.replace(b"\r\n", b"\n"))
    assert told[-1]["candidates"][0]["finishReason"] == "STOP"
    assert told[-1]["usageMetadata"]["promptTokenCount"] == 60
    assert DONE not in client.data
    assert harness.record.usage == Usage(input=60, output=12, requests=1)


def test_a_failure_after_the_body_was_read_is_told_in_the_style_that_it_asked_for() -> None:
    harness = GatewayHarness()
    client = FakeCallerConnection(asking("nobody", style="gemini"))
    call = harness.call(client)

    async def ask() -> None:
        with pytest.raises(Failure):
            await serve(harness.gateway, call)

    run(ask())
    assert call.dialect == "gemini"


def test_streams_of_any_piece_size_say_the_same() -> None:
    whole = b"".join(events("Zoll ", "haus"))
    said = set()
    for size in (1, 7, 64, len(whole)):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        _, client = asked(*pieces, body=asking(stream=True, stream_options={"include_usage": True}))
        said.add(client.data)
    assert len(said) == 1


def test_a_receipt_says_the_status_that_the_caller_got() -> None:
    """The dialects differ: for want of money Anthropic's says 402, the others 429."""
    statuses = {}
    for style in ("openai", "claude", "gemini"):
        harness = GatewayHarness(money=0)
        with pytest.raises(Failure):
            run(harness.ask(FakeCallerConnection(asking(style=style))))
        statuses[style] = harness.record.status
    assert statuses == {"openai": 429, "claude": 402, "gemini": 429}


def test_what_cannot_stand_together_in_the_other_format_is_named_as_well() -> None:
    """No model of Anthropic's takes a temperature while it thinks, nor both ways of sampling."""
    said = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Zoll haus"}], "id": "m"}
    body = json.dumps({**said, "stop_reason": "end_turn", "usage": {"input_tokens": 60, "output_tokens": 12}}).encode()
    anthropic = {"kind": "anthropic"}
    named: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 9000}
    for more, dropped in (({}, "top_p"), ({"reasoning_effort": "low"}, "temperature, top_p")):
        harness, client = asked(body, body=asking(**named, **more), provider=anthropic, model={"context_tokens": 10**5})
        assert head(client, "x-tollhouse-dropped") == [dropped]
        sent = json.loads(harness.first.calls[0].body)
        assert ("thinking" in sent, "temperature" in sent, "top_p" in sent) == (bool(more), not more, False)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("style", ["openai", "gemini"])
def test_a_provider_that_has_said_all_need_not_close_its_connection(style: str, whole: bool) -> None:
    pieces: list[Piece] = [*events("Zoll ", "haus", end=whole), asyncio.Event()]
    harness = GatewayHarness(first=FakeUpstream(streaming(*pieces)), provider=GEMINI)
    harness.gateway.end_seconds_max = 0
    client = FakeCallerConnection(asking(stream=True, style=style))

    async def ask() -> None:
        asked = asyncio.ensure_future(harness.ask(client))
        if not whole:
            await turns()
            assert not asked.done(), "it may go on"
            client.leave()
        await asyncio.gather(asked, return_exceptions=True)

    run(ask())
    assert harness.record.ending == ("finished" if whole else "client_left_after_first_byte")
    assert client.ended is whole


def test_no_answer_is_paid_for_that_the_style_cannot_tell() -> None:
    harness = GatewayHarness()
    with pytest.raises(UnsupportedParameter) as refused:
        run(harness.ask(FakeCallerConnection(asking(style="claude", n=2))))
    assert refused.value.param == "n"
    assert harness.first.calls == []
    assert harness.record.status == 400


def test_no_tier_is_paid_for_that_the_provider_was_not_asked_for() -> None:
    """Anthropic's fast mode, priced by the operator, for a model whose provider speaks another format."""
    price = {"input": "2.50", "output": "10.00", "service_tiers": {"fast": {"input": "15.00", "output": "75.00"}}}
    body = json.dumps(
        {"model": "house-1", "max_tokens": 20, "speed": "fast", "messages": [{"role": "user", "content": "hi"}]}
    )
    harness = GatewayHarness(provider=GEMINI, model={"price": price})
    harness.gateway.prices = lambda: PriceLists([read_price(price, id="price_1", model="house-1")])
    call = harness.call(FakeCallerConnection(body.encode()))
    call.dialect = "anthropic"

    async def ask() -> None:
        with pytest.raises(UnsupportedParameter) as refused:
            await serve(harness.gateway, call)
        assert refused.value.param == "speed"

    run(ask())
    assert harness.first.calls == []


@pytest.mark.parametrize(("stream", "streams_only"), [(True, False), (False, False), (False, True)])
def test_a_history_is_shortened_to_one_item_and_costs_what_any_answer_does(stream: bool, streams_only: bool) -> None:
    """What Codex sends when its context is full, and wants back."""
    trigger = [{"role": "user", "content": "hi there"}, {"type": "compaction_trigger"}]
    body = json.dumps({"model": "house-1", "input": trigger, "stream": stream}).encode()
    pieces = events("Zoll ", "haus") if stream or streams_only else [gemini("Zoll haus")]
    provider = {**GEMINI, "streams_only": streams_only}
    harness, client = asked(*pieces, body=body, provider=provider, operation="responses")
    told = json.loads(client.data) if not stream else json.loads(client.data.rpartition(b"data: ")[2])["response"]
    (item,) = told["output"]
    assert (item["type"], told["status"]) == ("compaction", "completed")
    assert opened(item["encrypted_content"], "openai_responses") == Opaque("tollhouse_summary", "Zoll haus")
    assert (harness.record.usage, harness.counter.spent) == (USED, CHARGE)
