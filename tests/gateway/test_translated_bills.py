"""The same content costs the same, whoever asks for it and whoever has it: buffered, streamed, gathered, unfolded, in
the format of the provider and in every other one."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import PRICES, GatewayHarness, buffered, run, streaming
from tollhouse.billing.charges import total
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.conversation import TextPart, ToolCall
from tollhouse.core.operation import Operation
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    Finished,
    PartBegan,
    PartEnded,
    Reply,
    ReplyChoice,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    UsageTold,
)
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext, FormatWords
from tollhouse.formats import codecs
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.flow import serve
from tollhouse.providers import kinds

USAGE = Usage(input=20, cache_read=40, output=12)
CHARGE = 20 * 2_500 + 40 * 1_250 + 12 * 10_000  # nano-USD
TEXTS = ("Zoll ", "haus ", "am Fluss")
ARGUMENTS = '{"gate":"A-17"}'


class CallersFormat(NamedTuple):
    """A caller's format, by its dialect and operation, and a call in it."""

    dialect: str
    operation: Operation
    body: dict[str, Any]


ASKED = {
    "chat": CallersFormat("openai", "chat", {"messages": [{"role": "user", "content": "hi there"}]}),
    "completions": CallersFormat("openai", "completions", {"prompt": "hi there"}),
    "responses": CallersFormat("openai", "responses", {"input": "hi there"}),
    "messages": CallersFormat(
        "anthropic", "chat", {"max_tokens": 99, "messages": [{"role": "user", "content": "hi there"}]}
    ),
    "content": CallersFormat("gemini", "chat", {"contents": [{"role": "user", "parts": [{"text": "hi there"}]}]}),
}
PROVIDERS = {
    "openai_chat": "openai_compatible",
    "openai_responses": "openai_compatible",
    "anthropic_messages": "anthropic",
    "gemini_content": "gemini",
}


def words_of(wire: str) -> FormatWords:
    words = next(codec.words for codec in codecs().values() if codec.wire == wire)
    assert words is not None
    return words


def context(wire: str) -> AnswerContext:
    """Of the provider's answer, which is written by its own format."""
    codec = next(codec for codec in codecs().values() if codec.wire == wire)
    asked = next(one for one in ASKED.values() if codecs()[one.dialect, one.operation] is codec)
    return AnswerContext(request_id="req_1", created=1, request=codec.read(_body(asked, stream=True)))


def _body(asked: CallersFormat, *, stream: bool) -> bytes:
    more: dict[str, Any] = {} if asked.dialect == "gemini" else {"model": "house-1", "stream": stream}
    if asked.dialect == "openai" and asked.operation != "responses" and stream:
        more["stream_options"] = {"include_usage": True}
    return json.dumps({**asked.body, **more}).encode()


def whole(wire: str, usage: Usage | None) -> bytes:
    call = ToolCall(id="call_1", name="open_gate", arguments=ARGUMENTS)
    choice = ReplyChoice(parts=[TextPart(text="".join(TEXTS)), call], finish="tool_calls")
    reply = Reply(choices=[choice], id="r1", model="up-one", created=1, usage=usage)
    return words_of(wire).write_reply(reply, context(wire))


def stream(wire: str, usage: Usage | None) -> bytes:
    call = ToolCall(id="call_1", name="open_gate")
    events: list[ReplyEvent] = [
        Began(id="r1", model="up-one", created=1),
        PartBegan(part=TextPart(text=""), index=0),
        *(TextAdded(text=text, index=0) for text in TEXTS),
        PartEnded(index=0),
        PartBegan(part=call, index=1),
        ArgumentsAdded(text=ARGUMENTS, index=1),
        PartEnded(index=1),
        Finished(finish="tool_calls"),
        *(() if usage is None else (UsageTold(usage=usage),)),
        StreamEnded(),
    ]
    return b"".join(map(words_of(wire).write_stream(context(wire)).write, events))


def charge(
    asked: str, wire: str, *, asks_stream: bool, gives_stream: bool, usage: Usage | None, prices: PriceLists = PRICES
) -> tuple[int, str]:
    """The charge of a call, and who counted it."""
    answer = streaming(stream(wire, usage)) if gives_stream else buffered(whole(wire, usage))
    made = GatewayHarness(first=FakeUpstream(answer), prices=prices)
    at = made.gateway.destinations["one"]
    provider = structs.replace(
        at.provider,
        speaks=(wire,),
        streams_only=gives_stream and not asks_stream,
        buffers_only=asks_stream and not gives_stream,
    )
    made.gateway.destinations["one"] = Destination(
        provider, kinds()[PROVIDERS[wire]], at.upstream, at.route, at.path, at.keys, at.deadlines, at.secrets
    )
    how = ASKED[asked]
    caller = FakeCallerConnection(_body(how, stream=asks_stream))
    call = made.call(caller, how.operation)
    call.dialect = how.dialect
    if how.dialect == "gemini":
        call.model, call.stream = "house-1", asks_stream
    run(serve(made.gateway, call))
    assert caller.status == 200
    (sent,) = made.first.calls
    streams = b"streamGenerateContent" in sent.target or b'"stream":true' in sent.body
    assert streams is gives_stream, "the provider is asked as it can answer"
    assert made.record.charge is not None
    return made.record.charge.amount, made.record.usage_source


@pytest.mark.parametrize("wire", PROVIDERS)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("asks_stream", [True, False])
@pytest.mark.parametrize("gives_stream", [True, False])
def test_the_same_content_costs_the_same(asked: str, wire: str, asks_stream: bool, gives_stream: bool) -> None:
    found = charge(asked, wire, asks_stream=asks_stream, gives_stream=gives_stream, usage=USAGE)
    assert found == (CHARGE, "upstream")


EACH = {
    "input": "1",
    "cache_read": "3",
    "cache_write_5m": "7",
    "cache_write_1h": "13",
    "audio_in": "29",
    "image_in": "53",
    "output": "101",
    "reasoning": "211",
    "audio_out": "401",
    "image_out": "809",
}
TELLING = PriceLists(
    [
        read_price(
            {
                **EACH,
                "per_search": "0.000005",
                "tiers": [{**{name: f"{usd}.5" for name, usd in EACH.items()}, "above_input_tokens": 500}],
            },
            id="price_1",
            model="house-1",
        )
    ]
)
"""Each bucket has a price of its own, so that one that is taken for another shows."""
ALL, GEMINI, CHAT = tuple(PROVIDERS), "gemini_content", "openai_chat"
ANTHROPIC = "anthropic_messages"
SAID: Mapping[str, tuple[Usage, tuple[str, ...]]] = {
    "cached": (Usage(input=20, cache_read=40, output=12), ALL),
    "reasoned": (Usage(input=20, cache_read=4, output=12, reasoning=30), ALL),
    "above the size of a tier": (Usage(input=400, cache_read=200, output=12, reasoning=3), ALL),
    "written to the cache": (Usage(input=20, cache_write_5m=40, output=12), (CHAT, "openai_responses", ANTHROPIC)),
    "written for an hour": (
        Usage(input=20, cache_read=1, cache_write_5m=4, cache_write_1h=40, output=12),
        (ANTHROPIC,),
    ),
    "heard and spoken": (Usage(input=20, audio_in=40, output=12, audio_out=9), (CHAT, GEMINI)),
    "seen and drawn": (Usage(input=20, image_in=40, output=12, image_out=9), (GEMINI,)),
    "searched": (Usage(input=20, output=12, searches=3), (ANTHROPIC,)),
}
"""What a report may tell, and the formats that can tell it."""


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("asked", ASKED)
def test_each_figure_costs_the_same_in_every_format(asked: str, said: str) -> None:
    usage, wires = SAID[said]
    price = TELLING.find("house-1", 1)
    assert price is not None
    expected = total(price, usage)
    for wire in wires:
        for streams in (True, False):
            found = charge(asked, wire, asks_stream=streams, gives_stream=streams, usage=usage, prices=TELLING)
            assert found == (expected, "upstream"), (wire, streams)


@pytest.mark.parametrize("asked", ASKED)
def test_an_answer_without_a_report_is_counted_alike(asked: str) -> None:
    found = {
        charge(asked, wire, asks_stream=asks_stream, gives_stream=gives_stream, usage=None)
        for wire in PROVIDERS
        for asks_stream in (True, False)
        for gives_stream in (True, False)
    }
    assert len(found) == 1
    assert found.pop()[1] == "counted"
