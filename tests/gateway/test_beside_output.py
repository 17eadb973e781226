"""What stands beside the output of a response: what clients read passes, what tells whose servers they are does not."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import GatewayHarness, buffered, run, streaming
from tollhouse.core.usage import Usage

TEXT = {"type": "output_text", "text": "Zoll haus", "annotations": []}
MESSAGE = {"id": "m1", "type": "message", "status": "completed", "role": "assistant", "content": [TEXT]}
REPORT = {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}
TELLS_OF_THE_UPSTREAM: dict[str, Any] = {
    "provider": "Cloud Nine",
    "server": "gpu-7.internal.example",
    "request_id": "up-1",
    "x_cloud": {"id": "up-2", "region": "eu-1", "node": "n7"},
    "debug": {"trace": "at 10.0.0.7"},
}
PASSES: dict[str, Any] = {
    "citations": ["https://a.example"],
    "metadata": {"node": "the caller's own"},
    "instructions": "be kind to gpu-7.internal.example",
    "max_output_tokens": 9,
    "background": False,
    "tool_usage": {"web_search": {"num_requests": 1}},
    "score": 7,
}


def response(status: str = "completed", **members: Any) -> dict[str, Any]:
    whole = {"id": "r1", "object": "response", "status": status, "model": "up", "output": [MESSAGE], "usage": REPORT}
    return {**whole, **TELLS_OF_THE_UPSTREAM, **PASSES, **members}


def event(kind: str, number: int, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **members})}\n\n".encode()


def events(last: dict[str, Any] | None) -> tuple[bytes, ...]:
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    end = {} if last is None else {"response": last}
    return (
        event("response.created", 0, response=response("in_progress", output=[], usage=None)),
        event("response.in_progress", 1, response=response("in_progress", output=[], usage=None)),
        event("response.output_item.added", 2, output_index=0, item={**MESSAGE, "content": []}),
        event("response.output_text.delta", 3, delta="Zoll haus", **at),
        event("response.output_item.done", 4, output_index=0, item=MESSAGE),
        event("response.completed", 5, **end),
    )


def told(response: dict[str, Any]) -> None:
    for name in TELLS_OF_THE_UPSTREAM:
        assert name not in response
    for name, value in PASSES.items():
        assert response[name] == value


def asked(*pieces: bytes, stream: bool, streams: bool) -> tuple[bytes, GatewayHarness]:
    play = streaming(*pieces) if streams else buffered(*pieces)
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    client = FakeCallerConnection(json.dumps({"model": "house-1", "input": "hi", "stream": stream}).encode())
    run(harness.ask(client, "responses"))
    assert client.status == 200
    return client.data, harness


def responses_in(data: bytes) -> list[dict[str, Any]]:
    found = [json.loads(one.partition(b"data: ")[2]) for one in data.split(b"\n\n") if b"data: " in one]
    return [one["response"] for one in found if "response" in one]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_beside_the_output_only_what_may_be_told_goes_on(stream: bool, streams: bool) -> None:
    pieces = events(response()) if streams else (json.dumps(response()).encode(),)
    data, harness = asked(*pieces, stream=stream, streams=streams)
    seen = responses_in(data) if stream else [json.loads(data)]
    assert len(seen) == (3 if stream else 1)
    for one in seen:
        told(one)
    assert seen[-1]["output"] == [MESSAGE]
    assert harness.record.usage == Usage(input=60, output=12, requests=1, searches=1)
    assert b"gpu-7" not in data.replace(b"be kind to gpu-7.internal.example", b"")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_rebuilt_keeps_what_stands_beside_its_output(stream: bool) -> None:
    data, _ = asked(*events(response(output=[])), stream=stream, streams=True)
    last = responses_in(data)[-1] if stream else json.loads(data)
    told(last)
    assert last["output"] == [MESSAGE]


@pytest.mark.parametrize("stream", [False, True])
def test_an_end_without_a_response_is_made_whole_from_what_came(stream: bool) -> None:
    data, harness = asked(*events(None), stream=stream, streams=True)
    last = responses_in(data)[-1] if stream else json.loads(data)
    told(last)
    assert (last["id"], last["status"], last["output"]) == ("r1", "completed", [MESSAGE])
    assert harness.record.usage_source == "counted"


@pytest.mark.parametrize("stream", [False, True])
def test_a_number_that_json_cannot_say_becomes_null(stream: bool) -> None:
    odd = events(response(top_p=0.25))
    data, _ = asked(*(one.replace(b"0.25", b"NaN") for one in odd), stream=stream, streams=True)
    last = responses_in(data)[-1] if stream else json.loads(data)
    assert last["top_p"] is None
    assert last["output"] == [MESSAGE]
