"""Answers as real servers write them otherwise than documented: streamed, gathered and in one piece, by table.

The forms were read in public reports; bytes and words are ours.
"""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
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
    event,
    run,
    word,
)
from tollhouse.core.failure import BadRequest, ContentRefused, ContextTooLong, Failure, UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage

REPORT = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
REPORTED = Usage(input=60, output=12, requests=1)
JSON_LINES: Headers = [(b"content-type", b"application/x-ndjson")]


def lines(*chunks: bytes) -> bytes:
    """Events without the empty lines between them."""
    return b"".join(chunk.removesuffix(b"\n") for chunk in chunks)


def bare(*chunks: bytes) -> bytes:
    """JSON lines."""
    return b"".join(chunk.removeprefix(b"data: ").removesuffix(b"\n") for chunk in chunks)


def delta(**said: Any) -> bytes:
    return event(choices=[{"index": 0, "delta": said, "finish_reason": None}])


def ended(reason: object, **beside: Any) -> bytes:
    return event(choices=[{"index": 0, "delta": {}, "finish_reason": reason, **beside}])


def harness_of(pieces: tuple[bytes, ...], headers: Headers = STREAMS, status: int = 200) -> GatewayHarness:
    play = ScriptedResponse(status=status, headers=headers, pieces=pieces)
    return GatewayHarness(
        first=FakeUpstream(play), second=FakeUpstream(play), money=10**9, model={"context_tokens": 100_000}
    )


def streamed(*pieces: bytes, headers: Headers = STREAMS, **asked: Any) -> tuple[list[Any], GatewayHarness]:
    """The chunks that the caller reads."""
    harness = harness_of(pieces, headers)
    client = FakeCallerConnection(asking(stream=True, stream_options={"include_usage": True}, **asked))
    run(harness.ask(client))
    events = [one.removeprefix(b"data: ") for one in client.data.split(b"\n\n") if one]
    assert events[-1] == b"[DONE]"
    return [json.loads(one, parse_constant=pytest.fail) for one in events[:-1]], harness


def gathered(*pieces: bytes, headers: Headers = STREAMS, **asked: Any) -> tuple[Any, GatewayHarness]:
    harness = harness_of(pieces, headers)
    client = FakeCallerConnection(asking(**asked))
    run(harness.ask(client))
    assert client.status == 200
    return json.loads(client.data, parse_constant=pytest.fail), harness


ZOLL, HAUS = word("Zoll "), word("haus")

WHOLE: dict[str, tuple[tuple[bytes, ...], Headers]] = {
    "no empty lines between events": ((ROLE, lines(ZOLL, HAUS) + b"\n", FINISH, USAGE, DONE), STREAMS),
    "no empty lines at all": ((lines(ROLE, ZOLL, HAUS, FINISH, USAGE, DONE),), STREAMS),
    "JSON lines": ((bare(ROLE, ZOLL, HAUS, FINISH, USAGE),), JSON_LINES),
    "JSON lines with [DONE]": ((bare(ROLE, ZOLL, HAUS, FINISH, USAGE, DONE),), JSON_LINES),
    "JSON lines called jsonl": ((bare(ROLE, ZOLL, HAUS, FINISH, USAGE),), [(b"content-type", b"application/jsonl")]),
    "JSON lines called events": ((bare(ROLE, ZOLL, HAUS, FINISH, USAGE),), STREAMS),
    "objects without data:": (tuple(one.removeprefix(b"data: ") for one in (ROLE, ZOLL, HAUS, FINISH, USAGE)), STREAMS),
    "[DONE] in quotes": ((ROLE, ZOLL, HAUS, FINISH, USAGE, b'data: "[DONE]"\n\n'), STREAMS),
    "[done]": ((ROLE, ZOLL, HAUS, FINISH, USAGE, b"data: [done]\n\n"), STREAMS),
    "DONE": ((ROLE, ZOLL, HAUS, FINISH, USAGE, b"data: DONE\n\n"), STREAMS),
    "[DONE] with blanks": ((ROLE, ZOLL, HAUS, FINISH, USAGE, b"data:   [DONE]  \r\n\r\n"), STREAMS),
    "a reason that is an object": ((ROLE, ZOLL, HAUS, ended({"type": "stop"}), USAGE, DONE), STREAMS),
    "a reason that is a number": ((ROLE, ZOLL, HAUS, ended(1), USAGE, DONE), STREAMS),
    "a reason that says null": (
        (ROLE, ZOLL.replace(b'"finish_reason":null', b'"finish_reason":"null"'), HAUS, FINISH, USAGE, DONE),
        STREAMS,
    ),
    **{
        f"a sign of life: {sign.decode()}": (
            (ROLE, b"data: " + sign + b"\n\n", ZOLL, HAUS, FINISH, USAGE, DONE),
            STREAMS,
        )
        for sign in (
            *(b"", b" ", b"null", b"[]", b'""', b"true", b"{}", b"ping", b'"ping"', b"[ping]", b"PING", b"pong"),
            *(b": keepalive", b": OPENROUTER PROCESSING", b"keep-alive", b"keepalive", b"heartbeat", b"[HEARTBEAT]"),
            *(b'{"type":"ping"}', b'{"type":"heartbeat"}'),
        )
    },
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_is_whole_is_taken_for_whole(name: str) -> None:
    pieces, headers = WHOLE[name]
    chunks, harness = streamed(*pieces, headers=headers)
    said = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(one or "" for one in said) == "Zoll haus"
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert [reason for reason in reasons if reason is not None] == ["stop"]
    assert chunks[-1]["usage"] == REPORT
    assert (harness.record.usage, harness.record.usage_source) == (REPORTED, "upstream")

    body, harness = gathered(*pieces, headers=headers)
    assert body["choices"][0]["message"]["content"] == "Zoll haus"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (harness.record.usage, harness.record.usage_source) == (REPORTED, "upstream")
    whole = b"".join(pieces)
    _, harness = streamed(*(whole[at : at + 7] for at in range(0, len(whole), 7)), headers=headers)
    assert harness.record.usage == REPORTED


@pytest.mark.parametrize("constant", [b"NaN", b"-Infinity", b"Infinity"])
def test_a_number_that_json_cannot_say_becomes_null(constant: bytes) -> None:
    """Log probabilities of minus infinity, as Python's own writer has them."""
    logprobs = {"content": [{"token": "Zoll", "logprob": 0.5, "bytes": None, "top_logprobs": []}]}
    choice = {"index": 0, "delta": {"content": "Zoll "}, "logprobs": logprobs, "finish_reason": None}
    odd = event(choices=[choice]).replace(b"0.5", constant)
    chunks, harness = streamed(ROLE, odd, HAUS, FINISH, USAGE, DONE)
    assert chunks[1]["choices"][0]["logprobs"]["content"][0]["logprob"] is None
    assert harness.record.usage == REPORTED
    body, _ = gathered(ROLE, odd, HAUS, FINISH, USAGE, DONE)
    assert body["choices"][0]["logprobs"]["content"][0] == {**logprobs["content"][0], "logprob": None}

    whole = json.loads(answer())
    whole["choices"][0]["logprobs"] = logprobs
    body, harness = gathered(json.dumps(whole).encode().replace(b"0.5", constant), headers=NOTHING_STREAMS)
    assert body["choices"][0]["logprobs"]["content"][0]["logprob"] is None
    assert harness.record.usage == REPORTED
    chunks, harness = streamed(json.dumps(whole).encode().replace(b"0.5", constant), headers=NOTHING_STREAMS)
    assert harness.record.usage == REPORTED


def test_a_line_end_within_a_text_is_read() -> None:
    odd = ZOLL.replace(b"Zoll ", b"Zo\tll\x0b ")
    chunks, _ = streamed(ROLE, odd, HAUS, FINISH, USAGE, DONE)
    assert chunks[1]["choices"][0]["delta"]["content"] == "Zo\tll\x0b "
    body, _ = gathered(answer("Zoll haus").replace(b"Zoll ", b"Zo\nll "), headers=NOTHING_STREAMS)
    assert body["choices"][0]["message"]["content"] == "Zo\nll haus"


def test_an_answer_with_a_byte_order_mark_is_passed_on_without_it() -> None:
    harness = harness_of((b"\xef\xbb\xbf" + answer(),), NOTHING_STREAMS)
    client = FakeCallerConnection(asking())
    run(harness.ask(client))
    assert client.data == answer()


@pytest.mark.parametrize("status", [201, 203])
def test_other_statuses_of_an_answer(status: int) -> None:
    """Some frameworks say 201 to every POST."""
    harness = harness_of((answer(),), NOTHING_STREAMS, status)
    client = FakeCallerConnection(asking())
    run(harness.ask(client))
    assert (client.status, client.data) == (200, answer())


def call(**piece: Any) -> dict[str, Any]:
    return {"type": "function", **piece}


CALLS: dict[str, tuple[list[Any], list[tuple[str, str]]]] = {
    "no index, other ids": (
        [
            [call(id="a", function={"name": "f", "arguments": "{}"})],
            [call(id="b", function={"name": "f", "arguments": "{}"})],
        ],
        [("f", "{}"), ("f", "{}")],
    ),
    "no index, no id, one list": (
        [[call(function={"name": "f", "arguments": '{"a":1}'}), call(function={"name": "f", "arguments": '{"a":2}'})]],
        [("f", '{"a":1}'), ("f", '{"a":2}')],
    ),
    "index null, one list": (
        [
            [
                call(index=None, function={"name": "f", "arguments": "{}"}),
                call(index=None, function={"name": "g", "arguments": "{}"}),
            ]
        ],
        [("f", "{}"), ("g", "{}")],
    ),
    "index as text": (
        [
            [call(index="0", id="a", function={"name": "f", "arguments": '{"a"'})],
            [call(index="1", id="b", function={"name": "g", "arguments": "{"})],
            [{"index": "0", "function": {"arguments": ":1}"}}],
            [{"index": "1", "function": {"arguments": "}"}}],
        ],
        [("f", '{"a":1}'), ("g", "{}")],
    ),
    "index as a float": (
        [
            [call(index=1.0, id="b", function={"name": "g", "arguments": "{"})],
            [{"index": 1, "function": {"arguments": "}"}}],
        ],
        [("g", "{}")],
    ),
    "an object, and no list": ([call(index=0, id="a", function={"name": "f", "arguments": "{}"})], [("f", "{}")]),
    "the same name again behind whole arguments": (
        [
            [call(index=0, function={"name": "f", "arguments": '{"a":1}'})],
            [call(index=0, function={"name": "f", "arguments": '{"a":2}'})],
        ],
        [("f", '{"a":1}'), ("f", '{"a":2}')],
    ),
    "the name on every piece": (
        [
            [call(index=0, id="a", function={"name": "f", "arguments": '{"a"'})],
            [call(index=0, id="a", function={"name": "f", "arguments": ":{}"})],
            [call(index=0, id="a", function={"name": "f", "arguments": "}"})],
        ],
        [("f", '{"a":{}}')],
    ),
    "the name on every piece, each like an object": (
        [
            [call(index=0, function={"name": "f", "arguments": '{"a":"{}'})],
            [call(index=0, function={"name": "f", "arguments": "{}"})],
            [call(index=0, function={"name": "f", "arguments": '{}"}'})],
        ],
        [("f", '{"a":"{}{}{}"}')],
    ),
    "a function that is null, ids that are": (
        [
            [call(index=0, id="a", function=None)],
            [],
            [call(index=0, id=None, function={"name": "f", "arguments": '{"'})],
            [{"index": 0, "function": {"arguments": 'a":1}'}}],
            [{"index": 0, "id": "", "function": {"name": None, "arguments": None}}],
        ],
        [("f", '{"a":1}')],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_told_apart_whatever_numbers_them(name: str) -> None:
    deltas, calls = CALLS[name]
    pieces = [ROLE, *(delta(tool_calls=one) for one in deltas), ended("tool_calls"), USAGE, DONE]
    body, harness = gathered(*pieces)
    found = [one["function"] for one in body["choices"][0]["message"]["tool_calls"]]
    assert [(one["name"], one["arguments"]) for one in found] == calls
    assert harness.record.usage == REPORTED
    _, harness = gathered(*pieces[:-2], DONE)
    assert harness.record.usage.output > 0, "and none of it is free where nobody reports"


@pytest.mark.parametrize("index", [({}, {}), ({"index": "0"}, {"index": "1"}), ({"index": None}, {"index": None})])
def test_answers_are_told_apart_whatever_numbers_them(index: tuple[dict[str, Any], dict[str, Any]]) -> None:
    def both(first: dict[str, Any], second: dict[str, Any]) -> bytes:
        return event(choices=[{**index[0], **first}, {**index[1], **second}])

    said = both(
        {"delta": {"content": "one"}, "finish_reason": None}, {"delta": {"content": "two"}, "finish_reason": None}
    )
    ends = both({"delta": {}, "finish_reason": "stop"}, {"delta": {}, "finish_reason": "stop"})
    body, _ = gathered(said, ends, USAGE, n=2)
    assert [one["message"]["content"] for one in body["choices"]] == ["one", "two"]


def test_a_chunk_without_a_head_does_not_take_the_head_away() -> None:
    """Azure's first one, and those of its asynchronous filter."""
    filtered: Any = {"id": "", "object": "", "created": 0, "model": ""}
    first = event(choices=[], prompt_filter_results=[{"prompt_index": 0}], **filtered)
    late = event(
        choices=[{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 9}}], **filtered
    )
    chunks, _ = streamed(first, ROLE, ZOLL, HAUS, FINISH, late, DONE)
    assert (chunks[-1]["id"], chunks[-1]["model"], chunks[-1]["choices"]) == ("c1", "up", [])
    body, _ = gathered(first, ROLE, ZOLL, HAUS, FINISH, late, DONE)
    assert (body["id"], body["model"], body["prompt_filter_results"]) == ("c1", "up", [{"prompt_index": 0}])


@pytest.mark.parametrize(
    ("early", "late", "cached"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 40}}, {}, 40),
        ({"prompt_tokens_details": {"cached_tokens": 40}}, {"prompt_tokens_details": None}, 40),
        ({"cached_tokens": 40}, {}, 40),
        ({"prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 20}, {}, 40),
        ({"prompt_tokens_details": {"cached_tokens": 40}}, {"prompt_tokens_details": {"cached_tokens": 0}}, 0),
        ({"prompt_tokens_details": {"cached_tokens": 40}}, {"prompt_tokens": 61, "total_tokens": 73}, 0),
    ],
)
def test_what_a_report_told_of_the_cache_is_not_forgotten(early: Any, late: Any, cached: int) -> None:
    said = event(
        choices=[{"index": 0, "delta": {"content": "Zoll "}, "finish_reason": None}], usage={**REPORT, **early}
    )
    _, harness = streamed(ROLE, said, HAUS, FINISH, event(choices=[], usage={**REPORT, **late}), DONE)
    assert harness.record.usage.cache_read == cached
    assert harness.record.usage.tokens_in() == late.get("prompt_tokens", 60)


FAILED: dict[str, tuple[bytes, ...]] = {
    "network_error": (ROLE, ended("network_error"), DONE),
    "insufficient_system_resource": (ROLE, ended("insufficient_system_resource"), DONE),
    "abort": (ROLE, ended("abort"), DONE),
    "a native reason beside a harmless one": (ROLE, ended("stop", native_finish_reason="network_error"), DONE),
    "error: as text": (ROLE, b"data: error: engine died at gpu-7.internal.example\n\n", DONE),
    "[ERROR]": (ROLE, b"data: [ERROR] out of memory\n\n", DONE),
    "an error event of text": (ROLE, b"event: error\ndata: out of memory\n\n", DONE),
}


@pytest.mark.parametrize("name", FAILED)
def test_an_end_that_is_none_is_a_failure_of_the_provider(name: str) -> None:
    for stream in (True, False):
        harness = harness_of(FAILED[name])
        with pytest.raises(UpstreamError):
            run(harness.ask(FakeCallerConnection(asking(stream=stream))))
        assert (harness.counter.spent, harness.counter.held) == (0, 0)
        assert len(harness.second.calls) == 1, "another provider is asked"


def test_an_error_that_llama_cpp_wrote_beside_the_events_keeps_its_reason() -> None:
    said = b'error: {"code":400,"message":"the request exceeds the context","type":"exceed_context_size_error"}\n\n'
    with pytest.raises(ContextTooLong, match="the request exceeds the context"):
        run(harness_of((said,)).ask(FakeCallerConnection(asking(stream=True))))


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"code": 400, "msg": "the prompt is too odd"}, BadRequest, "the prompt is too odd"),
        ({"code": "InvalidParameter", "message": "Range of n is [1, 4]", "request_id": "x"}, BadRequest, "Range of n"),
        ({"success": False, "message": "no", "code": "data_inspection_failed"}, ContentRefused, "no"),
        ({"errors": [{"message": "tools must be a list", "code": "invalid_request"}]}, BadRequest, "tools must be"),
        ({"code": 400, "msg": "too odd", "choices": []}, BadRequest, "too odd"),
        ({"code": 400, "msg": "too odd", "choices": None}, BadRequest, "too odd"),
        ({"detail": "engine died at gpu-7.internal.example"}, UpstreamError, "error instead of an answer"),
        ({"success": False, "code": 500, "msg": "404 NOT_FOUND", "data": None}, UpstreamError, "error instead"),
        ({"id": "c1", "object": "chat.completion", "choices": [], "usage": REPORT}, UpstreamError, "without 'choices'"),
        (
            {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": []},
            UpstreamError,
            "error instead",
        ),
    ],
)
def test_a_200_that_holds_no_answer_says_why(body: object, kind: type[Failure], words: str) -> None:
    harness = harness_of((json.dumps(body).encode(),), NOTHING_STREAMS)
    with pytest.raises(kind, match=words):
        run(harness.ask(FakeCallerConnection(asking())))
    assert (harness.counter.spent, harness.counter.held) == (0, 0)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("embeddings", {"object": "list", "data": [], "usage": {"prompt_tokens": 60, "total_tokens": 60}}),
        ("completions", {"object": "text_completion", "choices": [], "usage": REPORT}),
        ("responses", {"object": "response", "status": "queued", "output": [], "usage": None}),
        ("responses", {"object": "response", "status": "in_progress", "output": []}),
    ],
)
def test_nobody_pays_for_an_answer_without_one(operation: Operation, body: object) -> None:
    harness = harness_of((json.dumps(body).encode(),), NOTHING_STREAMS)
    asked = {"model": "house-1", "prompt" if operation == "completions" else "input": "hi"}
    with pytest.raises(UpstreamError):
        run(harness.ask(FakeCallerConnection(json.dumps(asked).encode()), operation))
    assert harness.counter.spent == 0
