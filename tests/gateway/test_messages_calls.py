"""Messages through the gateway: at Anthropic as they came, at others written anew; held, cut, charged and refused."""

import json
from typing import Any

import pytest

from tests.formats.anthropic_samples import (
    PLAIN,
    SEARCH,
    SIGNATURE,
    Object,
    assistant,
    encoded,
    end,
    event,
    message,
    start,
    text,
    texts,
    user,
)
from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import DONE, FINISH, ROLE, USAGE, GatewayHarness, buffered, run, streaming, word
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.conversation import Opaque
from tollhouse.core.failure import Overloaded, UnsupportedParameter
from tollhouse.core.opaque import sealed
from tollhouse.core.sse import Splitter
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic.wire import WIRE
from tollhouse.gateway.flow import serve
from tollhouse.gateway.token_count import count_tokens

ANTHROPIC = {"kind": "anthropic"}
OPENAI = {"kind": "openai_compatible"}
SIGNED_ELSEWHERE = sealed(Opaque("gemini_content", "c2lnbg=="), WIRE)


def asking(*messages: Object, **members: object) -> bytes:
    return encoded({"model": "house-1", "max_tokens": 99, "messages": [*messages] or [user("hi there")], **members})


def asked(
    answer: ScriptedResponse, body: bytes, provider: dict[str, Any] = ANTHROPIC, **how: Any
) -> tuple[GatewayHarness, FakeCallerConnection]:
    harness = GatewayHarness(first=FakeUpstream(answer), provider=provider, **how)
    client = FakeCallerConnection(body)
    call = harness.call(client)
    call.dialect = "anthropic"
    run(serve(harness.gateway, call))
    return harness, client


def told(client: FakeCallerConnection) -> list[Object]:
    return [json.loads(one.data) for one in Splitter().feed(client.data)]


def sent(harness: GatewayHarness) -> Object:
    body = json.loads(harness.first.calls[0].body)
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("provider", [ANTHROPIC, OPENAI])
def test_a_stream_ends_when_the_charge_is_durable(provider: dict[str, str]) -> None:
    pieces = (PLAIN,) if provider is ANTHROPIC else (ROLE, word("Zoll "), word("haus"), FINISH, USAGE, DONE)
    harness, client = asked(streaming(*pieces), asking(stream=True), provider)
    events = told(client)
    assert [one["type"] for one in events[-2:]] == ["message_delta", "message_stop"]
    assert events[-2]["usage"]["output_tokens"] == 12
    assert events[-2]["tollhouse"]["request_id"] == harness.record.id
    assert harness.record.usage == Usage(input=60, output=12, requests=1)
    assert harness.counter.spent == 60 * 2_500 + 12 * 10_000
    assert (harness.record.dialect, harness.record.operation, harness.record.ending) == (
        "anthropic",
        "chat",
        "finished",
    )


def test_the_beginning_of_a_translated_stream_tells_about_how_long_the_input_is() -> None:
    """Clients measure by it how full their context is."""
    words = user("hi there " * 400)
    _, client = asked(streaming(ROLE, word("Zoll"), FINISH, USAGE, DONE), asking(words, stream=True), OPENAI)
    assert 800 < told(client)[0]["message"]["usage"]["input_tokens"] < 1_200
    assert told(client)[-2]["usage"]["input_tokens"] == 60


def test_a_stream_that_breaks_ends_in_an_error_event() -> None:
    harness, client = asked(streaming(start() + texts("Zoll haus")), asking(stream=True))
    events = Splitter().feed(client.data)
    assert (events[-1].name, json.loads(events[-1].data)["error"]["type"]) == (b"error", "api_error")
    assert b"message_stop" not in client.data
    assert client.broken_off
    assert (harness.record.ending, harness.record.usage.output) == ("failed_after_first_byte", 2)


def test_a_stream_is_cut_at_what_was_held() -> None:
    many = start() + texts(*["w "] * 500) + end()
    harness, client = asked(streaming(many), asking(stream=True, max_tokens=40), money=10**9)
    events = told(client)
    assert [one["type"] for one in events[-3:]] == ["content_block_stop", "message_delta", "message_stop"]
    assert events[-2]["delta"]["stop_reason"] == "max_tokens"
    assert (harness.record.cut, harness.record.usage.output, events[-2]["usage"]["output_tokens"]) == (True, 60, 60)


def test_a_buffered_answer_passes_as_it_came() -> None:
    answer = encoded(message(text("Zoll haus")))
    harness, client = asked(buffered(answer), asking(top_k=4, system="You keep a gate."))
    assert client.data == answer
    assert harness.first.calls[0].target == b"/v1/messages"
    assert sent(harness) == {**json.loads(asking(top_k=4, system="You keep a gate.")), "model": "up-one"}


def test_an_error_before_the_first_word_is_tried_elsewhere_and_then_told() -> None:
    overloaded = start() + event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    first, second = FakeUpstream(streaming(overloaded)), FakeUpstream(streaming(overloaded))
    harness = GatewayHarness(first=first, second=second, provider=ANTHROPIC, keys_of_first=("sk-one",))
    call = harness.call(FakeCallerConnection(asking(stream=True)))
    call.dialect = "anthropic"

    async def ask() -> None:
        with pytest.raises(Overloaded):
            await serve(harness.gateway, call)

    run(ask())
    assert harness.record.ending == "failed_before_first_byte"
    assert (len(first.calls), len(second.calls)) == (1, 1)


@pytest.mark.parametrize("padding", [0, 100_000])
def test_what_another_maker_signed_goes_to_that_maker_alone(padding: int) -> None:
    """A long request is written by another process."""
    thought = {"type": "thinking", "thinking": "Hm.", "signature": SIGNED_ELSEWHERE}
    own = {"type": "thinking", "thinking": "Hm.", "signature": SIGNATURE}
    history = [user("Open." + "x" * padding), assistant(thought, own, text("I do.")), user("And?")]
    harness, _ = asked(buffered(encoded(message(text("Yes.")))), asking(*history), model={"context_tokens": 200_000})
    assert sent(harness)["messages"][1]["content"] == [own, text("I do.")]
    gemini = {"candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}]}
    harness, _ = asked(
        buffered(encoded(gemini)), asking(*history), {"kind": "gemini"}, model={"context_tokens": 200_000}
    )
    parts = sent(harness)["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["c2lnbg==", None]


def test_a_tool_that_is_billed_by_its_use_is_refused_without_a_price() -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        asked(buffered(), asking(tools=[SEARCH]), money=10**9)
    assert refused.value.param == "tools[0]"
    answer = FakeUpstream(buffered(encoded(message(text("Zoll")))))
    harness = GatewayHarness(first=answer, provider=ANTHROPIC, money=10**12)
    search = {"input": "2.50", "output": "10.00", "per_request": "0.05"}
    price = {"input": "2.50", "output": "10.00", "service_tiers": {"web_search": search}}
    listed = PriceLists([read_price(price, id="price_1", model="house-1")])
    harness.gateway.prices = lambda: listed
    call = harness.call(FakeCallerConnection(asking(tools=[SEARCH])))
    call.dialect = "anthropic"
    run(serve(harness.gateway, call))
    assert harness.record.charge is not None
    assert harness.record.charge.amount == 60 * 2_500 + 12 * 10_000 + 50_000_000


def test_a_prompt_can_be_cached_without_an_answer() -> None:
    usage = {"input_tokens": 4, "cache_creation_input_tokens": 100, "output_tokens": 0}
    answer = buffered(encoded(message(stop="max_tokens", usage=usage)))
    harness, client = asked(answer, asking(max_tokens=0), money=10**9)
    assert (client.status, sent(harness)["max_tokens"]) == (200, 0)
    assert harness.record.usage == Usage(input=4, cache_write_5m=100, requests=1)
    assert (harness.record.usage_source, harness.counter.spent) == ("upstream", 104 * 2_500)
    assert harness.counter.held == 0


def test_tokens_are_counted_without_a_provider_and_without_a_record() -> None:
    harness = GatewayHarness(provider=ANTHROPIC)
    body = json.loads(asking(user("one two three")))
    del body["max_tokens"]
    client = FakeCallerConnection(encoded(body))
    call = harness.call(client)
    call.dialect = "anthropic"
    run(count_tokens(harness.gateway, call))
    assert (client.status, set(json.loads(client.data))) == (200, {"input_tokens"})
    assert json.loads(client.data)["input_tokens"] > 0
    assert harness.ledger.records == []
    (seen,) = harness.observer.records
    assert (seen.ending, seen.usage_source, seen.charge) == ("finished", "none", None)
    assert harness.first.calls == []
    assert harness.counter.spent == harness.counter.held == 0
