"""The official OpenAI client reads what we write: answers, streams, and the error that ends a broken stream."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from tollhouse.core.entry import ModelEntry
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answers, failure, models, response_answers
from tollhouse.formats.openai.stream import open_stream

GOLDEN = Path(__file__).parent / "golden"
PLAIN = Usage(input=60, cache_read=4, output=12, reasoning=2)
TOOL = ("toll", '{"gate":"A-17","lane":3}')


def client(body: bytes, kind: str = "application/json") -> openai.OpenAI:
    """The real client, whose network is one answer."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": kind}, content=body)

    network = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://localhost/v1", max_retries=0, http_client=network)


def events(*stream: bytes) -> openai.OpenAI:
    return client(b"".join(stream), "text/event-stream")


def relayed(name: str, show_usage: bool) -> Iterator[bytes]:
    reader = open_stream("chat", show_usage=show_usage, count=len)
    stream = (GOLDEN / name).read_bytes()
    for at in range(0, len(stream), 7):
        yield reader.feed(stream[at : at + 7])
    try:
        reader.finish()
    except UpstreamBroke as broke:
        yield failure.event(broke, "req_a")
    else:
        yield reader.seal("0.00027", "req_a")


@pytest.mark.parametrize("case", ["P01.sse", "P02.sse", "P08.sse"])
def test_a_relayed_stream_is_read(case: str) -> None:
    with events(*relayed(case, show_usage=True)) as api:
        chunks = list(api.chat.completions.create(model="m", messages=[], stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Zollhaus am Fluß – 税关 🛃"
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (60, 12)
    assert (chunks[-1].model_extra or {})["tollhouse"] == {"charge_usd": "0.00027", "request_id": "req_a"}
    with events(*relayed(case, show_usage=False)) as api:
        assert all(chunk.choices for chunk in api.chat.completions.create(model="m", messages=[], stream=True))


def test_a_broken_stream_raises() -> None:
    with events(*relayed("P09.sse", show_usage=False)) as api:
        stream = api.chat.completions.create(model="m", messages=[], stream=True)
        with pytest.raises(openai.APIError, match="req_a"):
            list(stream)


def test_chat_answers_are_read() -> None:
    with client(answers.chat("chatcmpl-1", 1, "m", "hi", TOOL, PLAIN, "tool_calls", 2)) as api:
        answer = api.chat.completions.create(model="m", messages=[])
    calls = answer.choices[1].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert (calls[0].function.name, json.loads(calls[0].function.arguments)) == ("toll", {"gate": "A-17", "lane": 3})
    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert (answer.usage.total_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (78, 4)


def test_chat_streams_are_accumulated_by_the_client() -> None:
    stream = list(answers.chat_events("chatcmpl-1", 1, "m", ["a", "b"], TOOL, PLAIN, "tool_calls", True))
    with events(*stream) as api, api.chat.completions.stream(model="m", messages=[]) as chat:
        final = chat.get_final_completion()
    message = final.choices[0].message
    assert message.content == "ab"
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == TOOL[1]
    assert final.usage is not None
    assert final.usage.completion_tokens == 14


def test_legacy_completions_are_read() -> None:
    with client(answers.completion("cmpl-1", 1, "m", "hi", PLAIN, "length")) as api:
        assert api.completions.create(model="m", prompt="x").choices[0].finish_reason == "length"
    with events(*answers.completion_events("cmpl-1", 1, "m", ["a", "b"], PLAIN, "stop", True)) as api:
        chunks = list(api.completions.create(model="m", prompt="x", stream=True))
    assert "".join(c.choices[0].text for c in chunks if c.choices) == "ab"


def test_responses_are_read() -> None:
    with client(response_answers.response("resp_1", 1, "m", "hi", TOOL, PLAIN)) as api:
        answer = api.responses.create(model="m", input="x")
    assert (answer.output_text, answer.output[1].type) == ("hi", "function_call")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens_details.reasoning_tokens) == (64, 2)


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_response_streams_are_accumulated_by_the_client(finish: str) -> None:
    stream = list(response_answers.response_events("resp_1", 1, "m", ["a", "b"], TOOL, PLAIN, finish))
    with events(*stream) as api:
        read = list(api.responses.create(model="m", input="x", stream=True))
    assert [event.sequence_number for event in read if event.type != "error"] == list(range(len(stream)))
    assert read[-1].type == ("response.incomplete" if finish == "length" else "response.completed")
    with events(*stream) as api, api.responses.stream(model="m", input="x") as response:
        seen = [event.type for event in response]
    assert "response.output_text.delta" in seen
    assert "response.function_call_arguments.done" in seen


def test_embeddings_are_read_in_both_encodings() -> None:
    vectors = [[0.25, -1.5], [3.0, 0.125]]
    with client(answers.embeddings("m", vectors, Usage(input=3), base64=True)) as api:
        assert [one.embedding for one in api.embeddings.create(model="m", input=["a", "b"]).data] == vectors
    with client(answers.embeddings("m", vectors, Usage(input=3))) as api:
        plain = api.embeddings.create(model="m", input=["a", "b"], encoding_format="float")
        assert [one.embedding for one in plain.data] == vectors


def test_moderations_and_models_are_read() -> None:
    with client(answers.moderations("modr-1", "m", [True, False])) as api:
        results = api.moderations.create(input=["a", "b"]).results
    assert [(one.flagged, one.categories.violence) for one in results] == [(True, True), (False, False)]
    with client(models.models([ModelEntry(id="a/b"), ModelEntry(id="c")])) as api:
        assert [model.id for model in api.models.list()] == ["a/b", "c"]
