"""Streams of responses in core words, both ways."""

import json
from pathlib import Path

import pytest
from msgspec import json as msgspec_json
from openai.types.responses import Response

from tests.formats.spoken_responses import CALL, RESPONSES, context, events_of, written
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.reply import Finished, StreamEnded
from tollhouse.core.usage import Usage
from tollhouse.formats import codecs

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["N10", "N11"])
@pytest.mark.parametrize("piece", [1, 7, 0])
def test_recorded_streams_say_the_same_however_they_are_cut(name: str, piece: int) -> None:
    stream = (GOLDEN / f"{name}.sse").read_bytes()
    assert events_of(stream, piece) == events_of(stream)
    assert isinstance(events_of(stream)[-1], StreamEnded)


UNFOLDED = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "x",
    "status": "completed",
    "output": [
        {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}],
            "encrypted_content": "gAAA",
        },
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {
                    "type": "output_text",
                    "text": "See here.",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url": "https://a.example",
                            "title": "A",
                            "start_index": 0,
                            "end_index": 3,
                        }
                    ],
                    "logprobs": [],
                },
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"id": "fc_1", **CALL, "status": "completed"},
        {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": '{"input": 5}'},
        {
            "id": "ig_1",
            "type": "image_generation_call",
            "status": "completed",
            "result": "AAAA",
            "output_format": "png",
        },
    ],
    "usage": {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 12,
    },
}


def test_a_whole_response_and_its_stream_say_the_same_and_come_back_as_they_were() -> None:
    body = json.dumps(UNFOLDED).encode()
    reply = RESPONSES.read_reply(body, NOTHING_KNOWN)
    codec = codecs()["openai", "responses"]
    assert codec.streams is not None
    events = events_of(codec.streams.unfold(body))
    streamed = written(events)[-1]["response"]
    whole = msgspec_json.decode(RESPONSES.write_reply(reply, context()))
    assert streamed == whole
    Response.model_validate(whole)
    assert reply.usage == Usage(input=3, cache_read=2, output=4, reasoning=3)
    assert [item["type"] for item in whole["output"]] == [item["type"] for item in UNFOLDED["output"]]  # type: ignore[attr-defined]
    assert whole["output"][0]["summary"] == [{"type": "summary_text", "text": "One\n\nTwo"}]
    assert whole["output"][0]["encrypted_content"] == "gAAA"
    assert whole["output"][1]["content"] == UNFOLDED["output"][1]["content"]  # type: ignore[index]
    assert whole["output"][3]["input"] == '{"input": 5}'


def test_a_stream_without_its_last_event_does_not_look_whole() -> None:
    codec = codecs()["openai", "responses"]
    assert codec.streams is not None
    stream = codec.streams.unfold(json.dumps(UNFOLDED).encode())
    blocks = stream.split(b"\n\n")[:-1]
    for number in range(len(blocks)):
        reader = RESPONSES.read_stream(NOTHING_KNOWN)
        events = reader.feed(b"".join(block + b"\n\n" for block in blocks[:number]))
        assert not any(isinstance(event, Finished | StreamEnded) for event in events)
        with pytest.raises(UpstreamBroke):
            reader.finish()


@pytest.mark.parametrize(
    "event",
    [
        b'event: error\ndata: {"type":"error","code":"server_error","message":"no","sequence_number":3}\n\n',
        b'data: {"type":"response.failed","response":{"status":"failed","error":{"code":"server_error"}}}\n\n',
        b'data: {"error":{"message":"no"}}\n\n',
        b'data: {"type":"response.cancelled","response":{"status":"cancelled"}}\n\n',
    ],
)
def test_an_error_inside_a_stream_is_a_failure(event: bytes) -> None:
    reader = RESPONSES.read_stream(NOTHING_KNOWN)
    with pytest.raises(Failure):
        reader.feed(event)
