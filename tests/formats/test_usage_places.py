"""Wherever a vendor reports its usage: it is read, told once to who asked, and to nobody else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answer
from tollhouse.formats.openai.aggregate import Aggregate
from tollhouse.formats.openai.stream import open_stream
from tollhouse.formats.openai.unfold import unfold

PAGE = (Path(__file__).parents[2] / "docs" / "usage.md").read_text(encoding="utf-8")
DONE = b"data: [DONE]\n\n"
OWN = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
NATIVE = {"promptTokenCount": 60, "candidatesTokenCount": 12, "totalTokenCount": 72}
PLACES: dict[str, dict[str, Any]] = {
    "usage": {"usage": OWN},
    "x_groq.usage": {"x_groq": {"id": "r1", "usage": {**OWN, "queue_time": 0.03}}},
    "x_vendor.usage": {"x_vendor": {"usage": OWN}},
    "response.usage": {"response": {"id": "r1", "usage": OWN}},
    "message.usage": {"message": {"role": "assistant", "usage": {"input_tokens": 60, "output_tokens": 12}}},
    "metadata.usage": {"metadata": {"usage": {"inputTokens": 60, "outputTokens": 12, "totalTokens": 72}}},
    "meta.usage": {"meta": {"usage": OWN}},
    "result.usage": {"result": {"usage": OWN}},
    "usageMetadata": {"usageMetadata": NATIVE},
    "usage_metadata": {"usage_metadata": {"prompt_token_count": 60, "candidates_token_count": 12}},
    "response_metadata.token_usage": {"response_metadata": {"token_usage": OWN}},
    "token_usage": {"token_usage": OWN},
    "Usage": {"Usage": {"PromptTokens": 60, "CompletionTokens": 12, "TotalTokens": 72}},
    "timings": {"timings": {"prompt_n": 60, "predicted_n": 12, "predicted_ms": 9.5}},
    "amazon-bedrock-invocationMetrics": {
        "amazon-bedrock-invocationMetrics": {"inputTokenCount": 60, "outputTokenCount": 12, "firstByteLatency": 9}
    },
    "metrics": {"metrics": {"input_token_count": 60, "output_token_count": 12, "predict_time": 0.5}},
    "inference_status": {"inference_status": {"tokens_input": 60, "tokens_generated": 12, "cost": 0.1}},
    "stats": {"stats": {"input_tokens": 60, "total_output_tokens": 12, "tokens_per_second": 9.5}},
    "details": {"details": {"finish_reason": "stop", "input_length": 60, "generated_tokens": 12}},
    "meta_info": {"meta_info": {"prompt_tokens": 60, "completion_tokens": 12, "id": "a"}},
    "meta.billed_units": {"meta": {"api_version": {}, "billed_units": {"input_tokens": 60, "output_tokens": 12}}},
    "meta.tokens": {"meta": {"tokens": {"input_tokens": 60, "output_tokens": 12}}},
    "token_count": {"token_count": {"prompt_tokens": 60, "response_tokens": 12, "total_tokens": 72}},
    "prompt_eval_count": {"prompt_eval_count": 60, "eval_count": 12, "eval_duration": 9},
    "num_tokens_prompt_total": {"num_tokens_prompt_total": 60, "num_tokens_generated": 12},
    "beside zeros": {"usage": dict.fromkeys(OWN, 0), "x_groq": {"usage": OWN}},
    "beside null": {"usage": None, "x_groq": {"usage": OWN}},
}
EXPECTED = Usage(input=60, output=12)


def event(**members: Any) -> bytes:
    return b"data: " + json.dumps({"id": "c1", **members}).encode() + b"\n\n"


def chunk(delta: dict[str, Any], finish: str | None = None, **members: Any) -> bytes:
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": finish}], **members)


def body(**members: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Kolberg"}, "finish_reason": "stop"}
    return json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice], **members}).encode()


def read(*pieces: bytes, asked: bool) -> tuple[StreamRelay, bytes]:
    reader = open_stream("chat", show_usage=asked, count=len)
    out = b"".join(map(reader.feed, pieces))
    assert reader.is_complete
    return reader, out + reader.held


def told(stream: bytes) -> list[Any]:
    events = [json.loads(one.removeprefix(b"data: ")) for one in stream.split(b"\n\n") if one and b"[DONE]" not in one]
    return [one["usage"] for one in events if one.get("usage")]


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("rides", ["finish", "alone", "every"])
@pytest.mark.parametrize("location", PLACES)
def test_a_report_in_a_stream(location: str, rides: str, asked: bool) -> None:
    members = PLACES[location]
    on_finish = {} if rides == "alone" else members
    on_all = members if rides == "every" else {}
    pieces = [chunk({"role": "assistant", "content": ""}, **on_all), chunk({"content": "Kolberg"}, **on_all)]
    pieces += [chunk({}, "stop", **on_finish)]
    if rides == "alone":
        pieces.append(event(choices=[], **members))
    reader, out = read(*pieces, DONE, asked=asked)
    assert reader.usage == EXPECTED
    (*_, usage) = told(out) or [None]
    if asked:
        assert usage is not None
        assert (usage["prompt_tokens"], usage["completion_tokens"]) == (60, 12)
        assert len(told(out)) == 1
    else:
        assert not told(out)
        assert b"_tokens" not in out or location in ("stats", "meta_info", "details"), "what tells times, too, stays"
    assert reader.raw_usage is not None
    assert "60" in reader.raw_usage.decode(), "the provider's own words"


@pytest.mark.parametrize("location", PLACES)
def test_a_report_in_a_whole_answer(location: str) -> None:
    reading = answer.read("chat", body(**PLACES[location]))
    assert reading.usage == EXPECTED
    assert reading.raw_usage is not None
    assert reading.elsewhere is (location != "usage")
    written = json.loads(answer.with_usage("chat", body(**PLACES[location]), EXPECTED))
    assert written["usage"]["total_tokens"] == 72


@pytest.mark.parametrize("location", PLACES)
def test_a_whole_answer_unfolded_reports_at_its_end(location: str) -> None:
    reader, out = read(unfold("chat", body(**PLACES[location])), asked=True)
    assert reader.usage == EXPECTED
    assert len(told(out)) == 1


@pytest.mark.parametrize("location", PLACES)
def test_a_stream_gathered_reports_where_callers_look(location: str) -> None:
    aggregate = Aggregate("chat")
    aggregate.feed(chunk({"role": "assistant", "content": "Kolberg"}) + chunk({}, "stop", **PLACES[location]) + DONE)
    whole = json.loads(aggregate.finish())
    assert aggregate.usage == EXPECTED
    assert whole["usage"]["prompt_tokens"] == 60


@pytest.mark.parametrize("holder", ["choice", "said"])
def test_a_report_on_a_choice(holder: str) -> None:
    """Moonshot's streams, and relays that put Anthropic's message into a choice."""
    for asked in (True, False):
        choice: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
        (choice if holder == "choice" else choice["delta"])["usage"] = OWN
        reader, out = read(chunk({"content": "Kolberg"}), event(choices=[choice]), DONE, asked=asked)
        assert reader.usage == EXPECTED
        assert len(told(out)) == (1 if asked else 0)
        assert out.count(b"prompt_tokens") == (1 if asked else 0)
    whole: dict[str, Any] = {"index": 0, "message": {"content": "Kolberg"}, "finish_reason": "stop"}
    (whole if holder == "choice" else whole["message"])["usage"] = OWN
    assert answer.read("chat", body(choices=[whole])).usage == EXPECTED
    reader, out = read(unfold("chat", body(choices=[whole])), asked=True)
    assert (reader.usage, len(told(out))) == (EXPECTED, 1)


@pytest.mark.parametrize(
    "members",
    [
        {"metrics": {"latency_ms": 9}},
        {"details": {"finish_reason": "stop"}},
        {"timings": {"prompt_ms": 9.5}},
        {"x_groq": {"seed": 1}},
        {"metadata": {"usage": "prompt_tokens"}},
        {"stats": [60, 12]},
    ],
)
def test_what_names_no_tokens_is_no_report(members: dict[str, Any]) -> None:
    reader, out = read(chunk({"content": "Kolberg"}), chunk({}, "stop", **members), DONE, asked=True)
    assert (reader.usage, reader.raw_usage) == (None, None)
    (name,) = members
    assert json.dumps(name).encode() in out
    assert answer.read("chat", body(**members)).raw_usage is None


@pytest.mark.parametrize("usage", [None, {}, 0, "none", dict.fromkeys(OWN, 0), dict.fromkeys(OWN)])
@pytest.mark.parametrize("asked", [True, False])
def test_a_chunk_for_usage_alone_reaches_nobody_who_did_not_ask(usage: object, asked: bool) -> None:
    _, out = read(chunk({"content": "a"}), chunk({}, "stop"), event(choices=[], usage=usage), DONE, asked=asked)
    assert (b'"choices": []' not in out and b'"choices":[]' not in out) or asked


def test_a_chunk_without_choices_that_says_something_else_passes() -> None:
    """Azure's first chunk tells how the prompt was filtered."""
    filtered = event(choices=[], prompt_filter_results=[{"prompt_index": 0}], usage=None)
    _, out = read(filtered, chunk({"content": "a"}), chunk({}, "stop"), DONE, asked=False)
    assert out.startswith(filtered)


def test_the_page_shows_every_place() -> None:
    shown = set(re.findall(r"`([A-Za-z_.-]+)`", PAGE.split("<!-- places -->")[1].split("<!-- end -->")[0]))
    assert shown >= {location for location in PLACES if not location.startswith("beside")}
