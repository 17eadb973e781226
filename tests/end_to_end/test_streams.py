"""Streams as providers really send them: one text and one charge in both forms, and never whole when broken."""

import json
from typing import Any

import openai
import pytest

from tests.end_to_end.platform_process import PlatformProcess, PlatformReply, charge_nusd, chat, events, text_of
from tests.support.scripted_provider import (
    DONE,
    LAST,
    ScriptedProvider,
    answers,
    golden,
    plays_file,
    said,
    streams,
    word,
)
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.stream import open_stream

PLAIN = "Zollhaus am Fluß – 税关 🛃"
PLAIN_CHARGE = 270_000
FRAIL = ("whole", "close", "reset", "client", "endless", "before", "after", "empty")
"""Models whose provider fails in a test: each its own, so that no circuit opens for another test."""
MORE = """
[providers.up-streams]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
streams_only = true

[models."streams-only"]
offers = [{ provider = "up-streams", model = "up-streams" }]
context_tokens = 128000
price = { input = "2.50", output = "10.00" }
""" + "".join(
    f"""
[models."{name}"]
offers = [{{ provider = "up", model = "up-{name}" }}]
context_tokens = 128000
price = {{ input = "2.50", output = "10.00" }}
"""
    for name in FRAIL
)


def streamed(platform: PlatformProcess, **members: Any) -> PlatformReply:
    reply = platform.ask(chat(stream=True, **members))
    assert reply.status == 200, reply
    assert reply.headers["content-type"].startswith("text/event-stream")
    return reply


def is_plain(platform: PlatformProcess, reply: PlatformReply, *, buffered: bool) -> None:
    text = reply.json["choices"][0]["message"]["content"] if buffered else text_of(reply.body)
    assert text == PLAIN
    record = platform.record(reply.id)
    assert (record.ending, record.usage_source) == ("finished", "upstream")
    assert charge_nusd(record) == PLAIN_CHARGE
    assert record.charge is not None
    assert record.charge.amount == PLAIN_CHARGE


@pytest.mark.parametrize("end", ["whole", "open", "eof"])
@pytest.mark.parametrize("size", [None, 7, 1])
@pytest.mark.parametrize("name", ["P01.sse", "P02.sse", "P08.sse"])
def test_plain_streams(
    platform: PlatformProcess, provider: ScriptedProvider, name: str, size: int | None, end: str
) -> None:
    """No blank after `data:`; CRLF; no [DONE]. An upstream that keeps its socket open keeps nobody waiting (P27)."""
    if name == "P08.sse" and end == "open":
        end = "whole"  # its end is the end of the body
    provider.plays("up-house", streams(golden(name), size=size, end=end))
    reply = streamed(platform)
    is_plain(platform, reply, buffered=False)
    assert events(reply.body)[-1] == "[DONE]"
    assert all(chunk["choices"] for chunk in events(reply.body)[:-1]), "nobody asked for usage"
    buffered = platform.ask(chat())
    is_plain(platform, buffered, buffered=True)
    assert buffered.headers["content-type"] == "application/json"
    assert len(provider.seen(2)) == 2, "one upstream call each"


@pytest.mark.parametrize("name", ["P01.sse", "P02.sse", "P08.sse", "U01.sse", "P14.sse"])
def test_streams_cut_at_every_byte(name: str) -> None:
    body = golden(name)
    whole = _read(body)
    for cut in range(1, len(body)):
        assert _read(body[:cut], body[cut:]) == whole


def _read(*pieces: bytes) -> tuple[bytes, bytes, object]:
    reader = open_stream("chat", show_usage=True, count=len)
    out = b"".join(reader.feed(piece) for piece in pieces)
    if not reader.is_complete:
        reader.finish()
    return out, reader.held, reader.usage


@pytest.mark.parametrize("options", [None, {"include_usage": False}])
def test_usage_is_metered_and_hidden_from_who_did_not_ask(
    platform: PlatformProcess, provider: ScriptedProvider, options: dict[str, bool] | None
) -> None:
    """P40"""
    provider.plays("up-house", streams(golden("P01.sse")))
    reply = streamed(platform, **({"stream_options": options} if options else {}))
    assert b'"choices":[]' not in reply.body
    assert b'"usage"' not in reply.body
    assert provider.seen()[0].json["stream_options"] == {"include_usage": True}
    assert charge_nusd(platform.record(reply.id)) == PLAIN_CHARGE


def test_usage_reaches_who_asked_once(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """U01: four usage objects, each the running total."""
    provider.plays("up-house", streams(golden("U01.sse")))
    reply = streamed(platform, stream_options={"include_usage": True})
    usages = [chunk["usage"] for chunk in events(reply.body)[:-1] if chunk.get("usage")]
    assert len(usages) == 1
    assert usages[0]["completion_tokens"] == 45
    record = platform.record(reply.id)
    assert record.usage == Usage(input=400, cache_read=800, output=25, reasoning=20, requests=1)
    assert charge_nusd(record) == 2_450_000


@pytest.mark.parametrize("end", ["whole", "close", "reset"])
def test_half_an_answer_never_looks_whole(platform: PlatformProcess, provider: ScriptedProvider, end: str) -> None:
    """P09"""
    provider.plays(f"up-{end}", streams(golden("P09.sse"), end=end))
    reply = streamed(platform, model=end)
    *chunks, last = events(reply.body)
    assert text_of(reply.body) == "Zollhaus am Fluß – 税关 "[: len(text_of(reply.body))]
    assert last["error"]["code"] == "upstream_error"
    assert last["error"]["message"].endswith(f" Request id: {reply.id}")
    assert "[DONE]" not in chunks
    record = platform.record(reply.id)
    assert (record.ending, record.usage_source) == ("failed_after_first_byte", "counted")
    assert record.usage.output > 0
    failed = platform.ask(chat(end))
    assert (failed.status, failed.code) == (502, "upstream_error")
    assert platform.record(failed.id).usage == Usage()


def test_half_an_answer_raises_in_the_official_client(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P09"""
    provider.plays("up-client", streams(golden("P09.sse")))
    asked: Any = [{"role": "user", "content": "hi"}]
    with openai.OpenAI(base_url=f"http://127.0.0.1:{platform.port}/v1", api_key=platform.key, max_retries=0) as client:
        stream = client.chat.completions.create(model="client", messages=asked, stream=True)
        with pytest.raises(openai.APIError):
            list(stream)


def test_two_calls_at_one_index_stay_two(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P14"""
    provider.plays("up-house", streams(golden("P14.sse")))
    message = platform.ask(chat()).json["choices"][0]["message"]
    assert [(call["id"], call["function"]["arguments"]) for call in message["tool_calls"]] == [
        ("call_a", '{"q":"first"}'),
        ("call_b", '{"q":"second"}'),
    ]
    chunks = events(streamed(platform).body)[:-1]
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert [call["id"] for call in calls] == ["call_a", "call_b"]


def test_arguments_as_an_object_pass(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P15"""
    provider.plays("up-house", answers(golden("P15.json")))
    (call,) = platform.ask(chat()).json["choices"][0]["message"]["tool_calls"]
    arguments = call["function"]["arguments"]
    assert (json.loads(arguments) if isinstance(arguments, str) else arguments) == {"city": "Oslo", "days": 2}
    chunks = events(streamed(platform).body)[:-1]
    (piece,) = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert json.loads(piece["function"]["arguments"]) == {"city": "Oslo", "days": 2}


@pytest.mark.parametrize("size", [70_000, 300_000, 3_000_000])
def test_long_events(platform: PlatformProcess, provider: ScriptedProvider, size: int) -> None:
    """P20"""
    provider.plays("up-house", streams(word("x" * size) + LAST, size=65_536))
    reply = streamed(platform)
    assert text_of(reply.body) == "x" * size
    assert charge_nusd(platform.record(reply.id)) == PLAIN_CHARGE
    assert platform.ask(chat()).json["choices"][0]["message"]["content"] == "x" * size


def test_an_endless_event_ends_with_an_error(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P20: the stated limit is 32 MiB."""
    flood = [word("begun ")] + [b"x" * 1_048_576] * 34
    provider.plays("up-endless", streams(flood))
    before = platform.rss_bytes()
    reply = streamed(platform, model="endless")
    assert events(reply.body)[-1]["error"]["code"] == "upstream_error"
    assert platform.rss_bytes() - before < 160_000_000


def test_one_answer_to_who_asked_for_a_stream(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P23"""
    provider.plays("up-house", answers(golden("P23.json")))
    reply = streamed(platform, stream_options={"include_usage": True})
    is_plain(platform, reply, buffered=False)
    *chunks, usage, done = events(reply.body)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["object"] for chunk in chunks] == ["chat.completion.chunk"] * len(chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["prompt_tokens"] == 60
    assert done == "[DONE]"


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream", "application/json"])
def test_the_body_decides_about_streaming(platform: PlatformProcess, provider: ScriptedProvider, accept: str) -> None:
    """P24"""
    response: dict[str, object] = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [],
        "usage": {"input_tokens": 11, "output_tokens": 0, "total_tokens": 11},
    }
    provider.plays("up-house", answers(json.dumps(response).encode()))
    reply = platform.ask(golden("P24.json"), "/v1/responses", headers={"Accept": accept})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == response


OVERLOADED = b'data: {"error":{"type":"overloaded_error","message":"Overloaded","code":null}}\n\n'


def test_an_error_inside_a_good_stream_before_the_first_text(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    """P29"""
    provider.plays("up-before", streams(OVERLOADED))
    for body in (chat("before", stream=True), chat("before")):
        reply = platform.ask(body)
        assert (reply.status, reply.code) == (503, "overloaded")
        assert platform.record(reply.id).usage == Usage()


def test_an_error_inside_a_good_stream_after_the_first_text(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    """P29"""
    provider.plays("up-after", streams(word("one ") + word("two ") + OVERLOADED + DONE))
    reply = streamed(platform, model="after")
    assert text_of(reply.body) == "one two "
    assert events(reply.body)[-1]["error"]["code"] == "overloaded"
    record = platform.record(reply.id)
    assert (record.ending, record.error, record.usage_source) == (
        "failed_after_first_byte",
        "overloaded",
        "counted",
    )


def test_stream_options_go_only_where_they_may(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P43"""
    provider.plays("up-house", answers(said("hello")))
    refused = platform.ask(golden("P43.json"))
    assert (refused.status, refused.code, refused.json["error"]["param"]) == (
        400,
        "invalid_request_error",
        "stream_options",
    )
    assert not provider.turns
    assert platform.record(refused.id).usage == Usage()
    assert platform.ask(chat()).status == 200
    assert "stream_options" not in provider.seen()[0].json


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_only_streams_serves_both(
    platform: PlatformProcess, provider: ScriptedProvider, stream: bool
) -> None:
    provider.plays("up-streams", streams(golden("P01.sse")))
    reply = platform.ask(chat("streams-only", stream=stream))
    is_plain(platform, reply, buffered=not stream)
    (turn,) = provider.seen()
    assert turn.json["stream"] is True
    assert turn.json["stream_options"] == {"include_usage": True}


def test_characters_cut_by_the_network_arrive_whole(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """P51"""
    provider.plays("up-house", plays_file("P51.resp"))
    reply = streamed(platform)
    assert "\N{REPLACEMENT CHARACTER}" not in reply.body.decode()
    assert PLAIN in text_of(reply.body)
    buffered = platform.ask(chat())
    assert "\N{REPLACEMENT CHARACTER}" not in buffered.body.decode()
    assert buffered.json["choices"][0]["message"]["content"] == text_of(reply.body)
    assert charge_nusd(platform.record(reply.id)) == charge_nusd(platform.record(buffered.id))


def test_an_answer_without_a_word(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """U10: passes as it came; as a stream it ends as half an answer does."""
    empty = json.loads(golden("P23.json"))
    empty["choices"][0] |= {"finish_reason": None, "message": {"role": "assistant", "content": ""}}
    empty["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    provider.plays("up-empty", answers(json.dumps(empty).encode()))
    reply = platform.ask(chat("empty"))
    assert reply.status == 200
    assert reply.json == empty
    assert platform.record(reply.id).usage_source in ("upstream", "counted")
    reply = platform.ask(chat("empty", stream=True))
    assert b"[DONE]" not in reply.body
    if reply.status == 200:
        assert events(reply.body)[-1]["error"]
    else:
        assert (reply.status, reply.code) == (502, "upstream_error")
