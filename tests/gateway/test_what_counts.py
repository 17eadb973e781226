"""What counts where nobody is believed, and who is believed: all that was shown, never more than was held for."""

import json
from contextlib import suppress
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse, Words
from tests.gateway.harness import (
    DONE,
    FINISH,
    NOTHING_STREAMS,
    ROLE,
    SEARCHED,
    STREAMS,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
)
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.prompt import prompt
from tollhouse.formats.openai.request import read
from tollhouse.gateway.connection import ClientDisconnected

SAID = "so the gate is shut"  # five words


class Bytes(Words):
    """A token for each four characters."""

    def count(self, text: str, model: str) -> int:
        return len(text) // 4

    async def prepare(self, model: str) -> None:
        pass

    async def count_aside(self, text: str, model: str, account_id: str) -> int:
        return self.count(text, model)


# A5: our own count.


@pytest.mark.parametrize("left_when", ["before the head", "after a word"])
def test_who_leaves_owes_no_more_than_was_held(left_when: str) -> None:
    """1.2 MB to a context of 128,000 tokens counted as 280,015, and 0.40 USD ended at -0.30."""
    body = asking(stream=True, max_tokens=12, messages=[{"role": "user", "content": "word" * 300_000}])
    client = FakeCallerConnection(body)
    harness = GatewayHarness(money=4 * 10**8, model={"context_tokens": 128_000})
    harness.gateway.count = Bytes()
    if left_when == "before the head":
        harness.first.plays = [ScriptedResponse(headers=STREAMS, before_head=(client.leave,), pieces=(ROLE,))]
    else:
        harness.first.plays = [streaming(ROLE, event(choices=[{"index": 0, "delta": {"content": "x"}}]), client.leave)]
    with suppress(ClientDisconnected):
        run(harness.ask(client))
    assert harness.record.usage_source == "counted"
    assert harness.record.usage.input == 128_000
    charge = harness.record.charge
    assert charge is not None
    assert charge.overrun == 0
    assert harness.counter.spent <= 4 * 10**8


@pytest.mark.parametrize("parts", [1, 40])
def test_pictures_and_text_together_stay_within_the_hold(parts: int) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000}}
    content = [{"type": "text", "text": "word" * 2_000}, *[picture] * parts]
    body = json.dumps({"model": "house-1", "max_tokens": 12, "messages": [{"role": "user", "content": content}]})
    harness = GatewayHarness(first=FakeUpstream(buffered(answer("one", usage=None))), money=10**9)
    harness.gateway.count = Bytes()
    run(harness.ask(FakeCallerConnection(body.encode())))
    assert harness.record.usage.tokens_in() == 1000, "the model's context"


def test_a_prompt_without_media_is_counted_as_it_was_written() -> None:
    """Looking for media means decoding all of it."""
    pictured = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}
    plain, with_media = read("chat", asking()), read("chat", asking(messages=[pictured]))
    assert prompt(plain, has_media=False) == prompt(plain)
    assert "AAAA" in prompt(with_media, has_media=False)
    assert "AAAA" not in prompt(with_media)


# B1: disbelief that protects nobody.

HOSTED = {"tools": [{"type": "web_search"}]}
LOOPED = {"prompt_tokens": 600_000, "completion_tokens": 20_000, "total_tokens": 620_000}


def looped(body: dict[str, Any], stream: bool) -> GatewayHarness:
    chunk = event(choices=[], usage=LOOPED)
    said = event(choices=[{"index": 0, "delta": {"content": "one two"}, "finish_reason": None}])
    play = streaming(ROLE, said, FINISH, chunk, DONE) if stream else buffered(answer(usage=LOOPED))
    harness = GatewayHarness(first=FakeUpstream(play), money=10**10, model={"context_tokens": 200_000}, prices=SEARCHED)
    run(harness.ask(FakeCallerConnection(asking(stream=stream, **body))))
    return harness


@pytest.mark.parametrize("stream", [True, False])
def test_a_loop_of_hosted_tools_reports_the_sum_of_its_turns(stream: bool) -> None:
    """0.00019 USD were charged instead of 6.80: the report was above the context."""
    harness = looped(HOSTED, stream)
    assert harness.record.usage == Usage(input=600_000, output=20_000, requests=1)
    assert (harness.record.usage_source, harness.record.doubt) == ("upstream", None)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("leaves", [True, False])
def test_a_maximum_bounds_a_bill_and_makes_no_loop_free(stream: bool, leaves: bool) -> None:
    """0.00012 USD were charged under a maximum of 0.6, for what cost 1.7."""
    chunk = event(choices=[], usage=LOOPED)
    said = event(choices=[{"index": 0, "delta": {"content": "one two"}, "finish_reason": None}])
    client = FakeCallerConnection(asking(stream=stream, max_tokens=12, tools=HOSTED["tools"]))
    ends = (client.leave,) if leaves else ()
    play = (
        streaming(ROLE, said, FINISH, chunk, *ends, DONE)
        if stream
        else ScriptedResponse(headers=NOTHING_STREAMS, before_head=ends, pieces=(answer(usage=LOOPED),))
    )
    harness = GatewayHarness(first=FakeUpstream(play), money=10**10, model={"context_tokens": 200_000}, prices=SEARCHED)
    most = 200_000 * 2500 + 12 * 10_000
    with suppress(ClientDisconnected):
        run(harness.ask(client, headers=[(b"x-tollhouse-max-cost-usd", f"0.{most:09d}".encode())]))
    assert harness.record.usage == Usage(input=200_000, output=12, requests=1)
    assert harness.record.doubt == "beyond the maximum"
    assert harness.record.charge is not None
    assert harness.record.charge.amount == most


def test_a_maximum_is_kept_where_nothing_is_written() -> None:
    """A vector's report was charged in full, whatever its caller allowed."""
    told = {"prompt_tokens": 900, "total_tokens": 900}
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "usage": told}
    harness = GatewayHarness(first=FakeUpstream(buffered(json.dumps(vectors).encode())), money=10**10)
    body = json.dumps({"model": "house-1", "input": "hi there"}).encode()
    most = len(body) * 2500
    run(
        harness.ask(
            FakeCallerConnection(body), "embeddings", headers=[(b"x-tollhouse-max-cost-usd", f"0.{most:09d}".encode())]
        )
    )
    assert harness.record.usage == Usage(input=len(body), requests=1)
    assert harness.record.charge is not None
    assert harness.record.charge.amount == most


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("tools", [{}, {"tools": [{"type": "function", "function": {"name": "f"}}]}])
def test_without_a_loop_more_than_the_context_is_a_mistake_and_said_so(stream: bool, tools: dict[str, Any]) -> None:
    harness = looped(tools, stream)
    assert (harness.record.usage_source, harness.record.doubt) == ("counted", "impossible")
    assert json.loads(harness.record.raw_usage or b"") == LOOPED


def embedded(usage: dict[str, Any]) -> GatewayHarness:
    body = json.dumps({"object": "list", "data": [{"embedding": [0.5]}], "usage": usage}).encode()
    harness = GatewayHarness(first=FakeUpstream(buffered(body)), money=10**9)
    run(harness.ask(FakeCallerConnection(b'{"model":"house-1","input":["two","texts"]}'), "embeddings"))
    return harness


def test_the_total_of_vectors_is_what_was_read() -> None:
    assert embedded({"total_tokens": 640}).record.usage == Usage(input=640, requests=1)
    assert embedded({"total_tokens": -640}).record.doubt == "unreadable"


def test_a_vector_is_not_of_more_than_was_sent() -> None:
    """100 short texts were charged as 100 contexts."""
    vectors = json.dumps({"object": "list", "data": [{"embedding": [0.5]}], "usage": {"total_tokens": 100_000}})
    harness = GatewayHarness(first=FakeUpstream(buffered(vectors.encode())), money=10**9)
    given = json.dumps({"model": "house-1", "input": ["two words"] * 100}).encode()
    run(harness.ask(FakeCallerConnection(given), "embeddings"))
    assert (harness.record.usage_source, harness.record.doubt) == ("counted", "impossible")
    assert harness.record.usage.input == 200


def test_reasoning_beside_a_completion_that_is_smaller_is_a_part_of_its_own() -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 210, "total_tokens": 300, "reasoning_tokens": 600}
    harness = GatewayHarness(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)
    run(harness.ask(FakeCallerConnection(asking())))
    assert harness.record.usage == Usage(input=90, output=210, reasoning=600, requests=1)
    assert harness.record.usage_source == "upstream"


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_not_believed_stands_on_the_record(stream: bool) -> None:
    for usage, doubt in (
        ({"prompt_tokens": 9.5, "completion_tokens": 1}, "unreadable"),
        ({"prompt_tokens": 60, "completion_tokens": 0}, "one-sided"),
        ({"prompt_tokens": 1001, "completion_tokens": 1}, "impossible"),
        (None, None),
    ):
        chunks = [] if usage is None else [event(choices=[], usage=usage)]
        said = event(choices=[{"index": 0, "delta": {"content": "one two"}, "finish_reason": None}])
        play = streaming(ROLE, said, FINISH, *chunks, DONE) if stream else buffered(answer(usage=usage))
        harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
        run(harness.ask(FakeCallerConnection(asking(stream=stream))))
        assert (harness.record.usage_source, harness.record.doubt) == ("counted", doubt)


# B2: all that was shown counts.

THOUGHTS: list[dict[str, Any]] = [
    {"reasoning_content": SAID},
    {"reasoning": SAID},
    {"reasoning_text": SAID},
    {"thinking": SAID},
    {"thought": SAID},
    {"thoughts": [SAID]},
    {"reasoning_details": [{"type": "reasoning.text", "text": SAID, "format": "unknown", "index": 0}]},
    {"reasoning_details": [{"type": "reasoning.summary", "summary": SAID}]},
    {"thinking_blocks": [{"type": "thinking", "thinking": SAID, "signature": "Ab3x" * 50}]},
    {"reasoning": {"text": SAID}},
    {"reasoning": {"summary": [{"text": SAID}]}},
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": SAID}]}]},
    {"content": [{"type": "text", "text": SAID}]},
    {"refusal": SAID},
    {"audio": {"transcript": SAID}},
    {"tool_calls": [{"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "", "input": SAID}}]},
    {"tool_calls": [{"index": 0, "type": "function", "function": {"name": "", "arguments": SAID}}]},
    {"function_call": {"name": "", "arguments": SAID}},
    {"a_name_of_tomorrow": {"deep": [{"deeper": SAID}]}},
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("said", THOUGHTS, ids=lambda said: json.dumps(said)[:60])
def test_whatever_was_shown_counts(said: dict[str, Any], stream: bool) -> None:
    choice = {"index": 0, "delta" if stream else "message": said, "finish_reason": None if stream else "stop"}
    play = (
        streaming(event(choices=[choice]), FINISH, DONE) if stream else buffered(answer(choices=[choice], usage=None))
    )
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    run(harness.ask(FakeCallerConnection(asking(stream=stream))))
    assert harness.record.usage.output == 5


@pytest.mark.parametrize("stream", [True, False])
def test_what_is_said_by_several_names_counts_once_and_what_nobody_wrote_not_at_all(stream: bool) -> None:
    said = {
        "role": "assistant",
        "content": "The gate is shut.",
        "reasoning": SAID,
        "reasoning_content": SAID,
        "reasoning_details": [{"type": "reasoning.text", "text": SAID, "signature": "not a word of it"}],
        "annotations": [{"type": "url_citation", "url_citation": {"title": "a page", "url": "https://a.example"}}],
        "provider_specific_fields": {"citations": ["not written by a model"]},
    }
    choice = {"index": 0, "delta" if stream else "message": said, "finish_reason": None if stream else "stop"}
    play = (
        streaming(event(choices=[choice]), FINISH, DONE) if stream else buffered(answer(choices=[choice], usage=None))
    )
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    run(harness.ask(FakeCallerConnection(asking(stream=stream))))
    assert harness.record.usage.output in (8, 9)  # a word may meet another without a blank


ITEMS: list[dict[str, Any]] = [
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAID, "annotations": []}]},
    {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": SAID}]},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": SAID}], "encrypted_content": "Ab3x" * 50},
    {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": SAID}]},
    {"type": "custom_tool_call", "call_id": "call_1", "name": "", "input": SAID},
    {"type": "function_call", "call_id": "call_1", "name": "", "arguments": SAID},
    {"type": "mcp_call", "server_label": "s", "name": "", "arguments": SAID, "output": "not written by a model"},
    {"type": "code_interpreter_call", "code": SAID, "outputs": [{"type": "logs", "logs": "not by a model"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": SAID, "data": "AAAA"}]},
]


@pytest.mark.parametrize("way", ["buffered", "gathered", "whole items", "only the end", "broken off"])
@pytest.mark.parametrize("item", ITEMS, ids=lambda item: json.dumps(item)[:60])
def test_whatever_a_response_shows_counts(item: dict[str, Any], way: str) -> None:
    item = {"id": "item_1", **item}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": None}
    done = event(type="response.output_item.done", output_index=0, item=item)
    ended = event(type="response.completed", response=whole)
    pieces: dict[str, list[Any]] = {
        "buffered": [json.dumps(whole).encode()],
        "gathered": [done, ended],
        "whole items": [done, ended],
        "only the end": [ended],
        "broken off": [done, UpstreamBroke("gone")],
    }
    headers = NOTHING_STREAMS if way == "buffered" else STREAMS
    harness = GatewayHarness(first=FakeUpstream(ScriptedResponse(headers=headers, pieces=pieces[way])), money=10**9)
    body = {"model": "house-1", "input": "hi", "stream": way not in ("buffered", "gathered")}
    operation: Operation = "responses"
    run(harness.ask(FakeCallerConnection(json.dumps(body).encode()), operation))
    assert harness.record.usage.output == 5
