"""Streams as providers really send them: one text and one charge in both forms, and never whole when broken."""

import json
from typing import Any

import openai
import pytest

from tests.journey.platform_process import Platform, Reply, charge_nusd, chat, events, text_of
from tests.journey.scripted_provider import DONE, LAST, Provider, answers, golden, plays_file, said, streams, word
from tollhouse.core.usage import Usage
from tollhouse.protocols.openai.stream import StreamReader

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


def streamed(house: Platform, **members: Any) -> Reply:
    reply = house.ask(chat(stream=True, **members))
    assert reply.status == 200, reply
    assert reply.headers["content-type"].startswith("text/event-stream")
    return reply


def is_plain(house: Platform, reply: Reply, *, buffered: bool) -> None:
    text = reply.json["choices"][0]["message"]["content"] if buffered else text_of(reply.body)
    assert text == PLAIN
    record = house.record(reply.id)
    assert (record.ending, record.usage_source) == ("finished", "upstream")
    assert charge_nusd(record) == PLAIN_CHARGE
    assert record.charge is not None
    assert record.charge.amount == PLAIN_CHARGE


@pytest.mark.parametrize("end", ["whole", "open", "eof"])
@pytest.mark.parametrize("size", [None, 7, 1])
@pytest.mark.parametrize("name", ["P01.sse", "P02.sse", "P08.sse"])
def test_plain_streams(house: Platform, provider: Provider, name: str, size: int | None, end: str) -> None:
    """No blank after `data:`; CRLF; no [DONE]. An upstream that keeps its socket open keeps nobody waiting (P27)."""
    if name == "P08.sse" and end == "open":
        end = "whole"  # its end is the end of the body
    provider.plays("up-house", streams(golden(name), size=size, end=end))
    reply = streamed(house)
    is_plain(house, reply, buffered=False)
    assert events(reply.body)[-1] == "[DONE]"
    assert all(chunk["choices"] for chunk in events(reply.body)[:-1]), "nobody asked for usage"
    buffered = house.ask(chat())
    is_plain(house, buffered, buffered=True)
    assert buffered.headers["content-type"] == "application/json"
    assert len(provider.seen(2)) == 2, "one upstream call each"


@pytest.mark.parametrize("name", ["P01.sse", "P02.sse", "P08.sse", "U01.sse", "P14.sse"])
def test_streams_cut_at_every_byte(name: str) -> None:
    body = golden(name)
    whole = _read(body)
    for cut in range(1, len(body)):
        assert _read(body[:cut], body[cut:]) == whole


def _read(*pieces: bytes) -> tuple[bytes, bytes, object]:
    reader = StreamReader("chat", show_usage=True, count=len)
    out = b"".join(reader.feed(piece) for piece in pieces)
    if not reader.whole:
        reader.finish()
    return out, reader.held, reader.usage


@pytest.mark.parametrize("options", [None, {"include_usage": False}])
def test_usage_is_metered_and_hidden_from_who_did_not_ask(
    house: Platform, provider: Provider, options: dict[str, bool] | None
) -> None:
    """P40"""
    provider.plays("up-house", streams(golden("P01.sse")))
    reply = streamed(house, **({"stream_options": options} if options else {}))
    assert b'"choices":[]' not in reply.body
    assert b'"usage"' not in reply.body
    assert provider.seen()[0].json["stream_options"] == {"include_usage": True}
    assert charge_nusd(house.record(reply.id)) == PLAIN_CHARGE


def test_usage_reaches_who_asked_once(house: Platform, provider: Provider) -> None:
    """U01: four usage objects, each the running total."""
    provider.plays("up-house", streams(golden("U01.sse")))
    reply = streamed(house, stream_options={"include_usage": True})
    usages = [chunk["usage"] for chunk in events(reply.body)[:-1] if chunk.get("usage")]
    assert len(usages) == 1
    assert usages[0]["completion_tokens"] == 45
    record = house.record(reply.id)
    assert record.usage == Usage(input=400, cache_read=800, output=25, reasoning=20, requests=1)
    assert charge_nusd(record) == 2_450_000


@pytest.mark.parametrize("end", ["whole", "close", "reset"])
def test_half_an_answer_never_looks_whole(house: Platform, provider: Provider, end: str) -> None:
    """P09"""
    provider.plays(f"up-{end}", streams(golden("P09.sse"), end=end))
    reply = streamed(house, model=end)
    *chunks, last = events(reply.body)
    assert text_of(reply.body) == "Zollhaus am Fluß – 税关 "[: len(text_of(reply.body))]
    assert last["error"]["code"] == "upstream_error"
    assert last["error"]["message"].endswith(f" Request id: {reply.id}")
    assert "[DONE]" not in chunks
    record = house.record(reply.id)
    assert (record.ending, record.usage_source) == ("failed_after_first_byte", "counted")
    assert record.usage.output > 0
    failed = house.ask(chat(end))
    assert (failed.status, failed.code) == (502, "upstream_error")
    assert house.record(failed.id).usage == Usage()


def test_half_an_answer_raises_in_the_official_client(house: Platform, provider: Provider) -> None:
    """P09"""
    provider.plays("up-client", streams(golden("P09.sse")))
    asked: Any = [{"role": "user", "content": "hi"}]
    with openai.OpenAI(base_url=f"http://127.0.0.1:{house.port}/v1", api_key=house.key, max_retries=0) as client:
        stream = client.chat.completions.create(model="client", messages=asked, stream=True)
        with pytest.raises(openai.APIError):
            list(stream)


def test_two_calls_at_one_index_stay_two(house: Platform, provider: Provider) -> None:
    """P14"""
    provider.plays("up-house", streams(golden("P14.sse")))
    message = house.ask(chat()).json["choices"][0]["message"]
    assert [(call["id"], call["function"]["arguments"]) for call in message["tool_calls"]] == [
        ("call_a", '{"q":"first"}'),
        ("call_b", '{"q":"second"}'),
    ]
    chunks = events(streamed(house).body)[:-1]
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert [call["id"] for call in calls] == ["call_a", "call_b"]


def test_arguments_as_an_object_pass(house: Platform, provider: Provider) -> None:
    """P15"""
    provider.plays("up-house", answers(golden("P15.json")))
    (call,) = house.ask(chat()).json["choices"][0]["message"]["tool_calls"]
    arguments = call["function"]["arguments"]
    assert (json.loads(arguments) if isinstance(arguments, str) else arguments) == {"city": "Oslo", "days": 2}
    chunks = events(streamed(house).body)[:-1]
    (piece,) = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert json.loads(piece["function"]["arguments"]) == {"city": "Oslo", "days": 2}


@pytest.mark.parametrize("size", [70_000, 300_000, 3_000_000])
def test_long_events(house: Platform, provider: Provider, size: int) -> None:
    """P20"""
    provider.plays("up-house", streams(word("x" * size) + LAST, size=65_536))
    reply = streamed(house)
    assert text_of(reply.body) == "x" * size
    assert charge_nusd(house.record(reply.id)) == PLAIN_CHARGE
    assert house.ask(chat()).json["choices"][0]["message"]["content"] == "x" * size


def test_an_endless_event_ends_with_an_error(house: Platform, provider: Provider) -> None:
    """P20: the stated limit is 32 MiB."""
    flood = [word("begun ")] + [b"x" * 1_048_576] * 34
    provider.plays("up-endless", streams(flood))
    before = house.rss_bytes()
    reply = streamed(house, model="endless")
    assert events(reply.body)[-1]["error"]["code"] == "upstream_error"
    assert house.rss_bytes() - before < 160_000_000


def test_one_answer_to_who_asked_for_a_stream(house: Platform, provider: Provider) -> None:
    """P23"""
    provider.plays("up-house", answers(golden("P23.json")))
    reply = streamed(house, stream_options={"include_usage": True})
    is_plain(house, reply, buffered=False)
    *chunks, usage, done = events(reply.body)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["object"] for chunk in chunks] == ["chat.completion.chunk"] * len(chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["prompt_tokens"] == 60
    assert done == "[DONE]"


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream", "application/json"])
def test_the_body_decides_about_streaming(house: Platform, provider: Provider, accept: str) -> None:
    """P24"""
    response: dict[str, object] = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [],
        "usage": {"input_tokens": 11, "output_tokens": 0, "total_tokens": 11},
    }
    provider.plays("up-house", answers(json.dumps(response).encode()))
    reply = house.ask(golden("P24.json"), "/v1/responses", headers={"Accept": accept})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json == response


OVERLOADED = b'data: {"error":{"type":"overloaded_error","message":"Overloaded","code":null}}\n\n'


def test_an_error_inside_a_good_stream_before_the_first_text(house: Platform, provider: Provider) -> None:
    """P29"""
    provider.plays("up-before", streams(OVERLOADED))
    for body in (chat("before", stream=True), chat("before")):
        reply = house.ask(body)
        assert (reply.status, reply.code) == (503, "overloaded")
        assert house.record(reply.id).usage == Usage()


def test_an_error_inside_a_good_stream_after_the_first_text(house: Platform, provider: Provider) -> None:
    """P29"""
    provider.plays("up-after", streams(word("one ") + word("two ") + OVERLOADED + DONE))
    reply = streamed(house, model="after")
    assert text_of(reply.body) == "one two "
    assert events(reply.body)[-1]["error"]["code"] == "overloaded"
    record = house.record(reply.id)
    assert (record.ending, record.error, record.usage_source) == (
        "failed_after_first_byte",
        "overloaded",
        "counted",
    )


def test_stream_options_go_only_where_they_may(house: Platform, provider: Provider) -> None:
    """P43"""
    provider.plays("up-house", answers(said("hello")))
    refused = house.ask(golden("P43.json"))
    assert (refused.status, refused.code, refused.json["error"]["param"]) == (
        400,
        "invalid_request_error",
        "stream_options",
    )
    assert not provider.turns
    assert house.record(refused.id).usage == Usage()
    assert house.ask(chat()).status == 200
    assert "stream_options" not in provider.seen()[0].json


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_only_streams_serves_both(house: Platform, provider: Provider, stream: bool) -> None:
    provider.plays("up-streams", streams(golden("P01.sse")))
    reply = house.ask(chat("streams-only", stream=stream))
    is_plain(house, reply, buffered=not stream)
    (turn,) = provider.seen()
    assert turn.json["stream"] is True
    assert turn.json["stream_options"] == {"include_usage": True}


def test_characters_cut_by_the_network_arrive_whole(house: Platform, provider: Provider) -> None:
    """P51"""
    provider.plays("up-house", plays_file("P51.resp"))
    reply = streamed(house)
    assert "\N{REPLACEMENT CHARACTER}" not in reply.body.decode()
    assert PLAIN in text_of(reply.body)
    buffered = house.ask(chat())
    assert "\N{REPLACEMENT CHARACTER}" not in buffered.body.decode()
    assert buffered.json["choices"][0]["message"]["content"] == text_of(reply.body)
    assert charge_nusd(house.record(reply.id)) == charge_nusd(house.record(buffered.id))


def test_an_answer_without_a_word(house: Platform, provider: Provider) -> None:
    """U10: passes as it came; as a stream it ends as half an answer does."""
    empty = json.loads(golden("P23.json"))
    empty["choices"][0] |= {"finish_reason": None, "message": {"role": "assistant", "content": ""}}
    empty["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    provider.plays("up-empty", answers(json.dumps(empty).encode()))
    reply = house.ask(chat("empty"))
    assert reply.status == 200
    assert reply.json == empty
    assert house.record(reply.id).usage_source in ("upstream", "counted")
    reply = house.ask(chat("empty", stream=True))
    assert b"[DONE]" not in reply.body
    if reply.status == 200:
        assert events(reply.body)[-1]["error"]
    else:
        assert (reply.status, reply.code) == (502, "upstream_error")
