"""What real providers answered, with the right answer and the right charge."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    ROLE,
    STREAMS,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
    word,
)
from tollhouse.core.failure import UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage

GOLDEN = Path(__file__).parents[1] / "formats" / "golden"
PRICES = (2500, 10_000)  # nano-USD a token


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def asked(
    body: bytes, *, operation: Operation = "chat", provider: bool = False, **members: Any
) -> tuple[GatewayHarness, FakeCallerConnection]:
    """A call answered with this body; `provider`: by one that only streams."""
    play = streaming(body) if body.startswith((b"data:", b"event:")) else buffered(body)
    model = {"context_tokens": 200_000}
    harness = GatewayHarness(first=FakeUpstream(play), money=10**10, model=model, provider={"streams_only": provider})
    request = {"model": "house-1", "input": "hi"} | members
    client = FakeCallerConnection(asking(**members) if operation == "chat" else json.dumps(request).encode())
    run(harness.ask(client, operation))
    assert client.status == 200
    return harness, client


def charge(harness: GatewayHarness) -> int:
    assert harness.record.charge is not None
    return harness.record.charge.amount


def events(client: FakeCallerConnection) -> list[Any]:
    lines = [line for line in client.data.splitlines() if line.startswith(b"data: {")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


def test_the_total_of_vectors_is_their_input_and_is_told() -> None:
    harness, client = asked(golden("N01.json"), operation="embeddings", input=["two", "texts"])
    assert harness.record.usage == Usage(input=640, requests=1)
    assert (harness.record.usage_source, charge(harness)) == ("upstream", 640 * PRICES[0])
    body = json.loads(client.data)
    assert body["usage"] == {"prompt_tokens": 640, "total_tokens": 640}
    assert body["data"] == json.loads(golden("N01.json"))["data"]


@pytest.mark.parametrize("wants", [True, False])
def test_usage_in_a_member_of_its_own(wants: bool) -> None:
    harness, client = asked(golden("N02.sse"), stream=True, stream_options={"include_usage": wants})
    assert harness.record.usage == Usage(input=60, output=212, requests=1)
    assert (harness.record.usage_source, charge(harness)) == ("upstream", 2_270_000)
    assert json.loads(harness.record.raw_usage or b"")["queue_time"] == 0.031
    told = [one["usage"] for one in events(client) if one.get("usage")]
    assert [(one["prompt_tokens"], one["completion_tokens"]) for one in told] == [(60, 212)] * wants
    assert client.data.count(b"prompt_tokens") == wants


def test_reasoning_that_its_completion_cannot_hold() -> None:
    harness, _ = asked(golden("N03.json"))
    assert harness.record.usage == Usage(input=90, output=2100, reasoning=41_000, requests=1, searches=31)
    assert (harness.record.usage_source, harness.record.doubt) == ("upstream", None)
    assert charge(harness) == 21_225_000 + 41_000 * PRICES[1]


def test_probabilities_stand_once_with_their_text() -> None:
    harness, client = asked(golden("N06.json"), stream=True, logprobs=True)
    said = [choice for one in events(client) for choice in one["choices"]]
    tokens = [
        (choice["delta"].get("content"), [token["token"] for token in choice["logprobs"]["content"]])
        for choice in said
        if choice.get("logprobs")
    ]
    assert tokens == [("Kolberg", ["Kol", "berg"])]
    assert charge(harness) == 270_000


@pytest.mark.parametrize("streams_only", [True, False])
@pytest.mark.parametrize("reports", [True, False])
def test_a_custom_call_is_gathered_as_one(streams_only: bool, reports: bool) -> None:
    stream = golden("N07.sse")
    if not reports:
        stream = b"\n\n".join(one for one in stream.split(b"\n\n") if b'"usage"' not in one)
    harness, client = asked(stream, provider=streams_only)
    body = json.loads(client.data)
    assert body["choices"][0]["message"]["tool_calls"] == [
        {"id": "call_1", "type": "custom", "custom": {"name": "open_gate", "input": "gate A-17"}}
    ]
    if reports:
        assert charge(harness) == 270_000
    else:
        assert harness.record.usage_source == "counted"
        assert harness.record.usage.output == 2  # `open_gategate A-17`
        assert body["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("reports", [True, False])
def test_sound_in_pieces_is_one_sound(reports: bool) -> None:
    stream = golden("N09.sse")
    if not reports:
        stream = b"\n\n".join(one for one in stream.split(b"\n\n") if b'"usage"' not in one)
    harness, client = asked(stream, provider=True)
    audio = json.loads(client.data)["choices"][0]["message"]["audio"]
    assert audio == {"id": "audio_1", "transcript": "Kolberg", "data": "AAAABBBB", "expires_at": 99}
    assert charge(harness) == 270_000 if reports else charge(harness) > 0


def test_an_empty_last_event_takes_back_nothing() -> None:
    harness, client = asked(golden("N10.sse"), operation="responses", provider=True)
    message, call = json.loads(client.data)["output"]
    assert message["content"] == [{"type": "output_text", "text": "Kolberg", "annotations": []}]
    assert (call["name"], call["arguments"]) == ("open_gate", '{"gate":5}')
    assert harness.record.usage == Usage(input=60, output=12, requests=1)
    assert charge(harness) == 270_000


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_that_is_done_has_ended(stream: bool) -> None:
    harness, client = asked(golden("N11.sse"), operation="responses", provider=True, stream=stream)
    assert (harness.record.ending, harness.record.error, charge(harness)) == ("finished", None, 270_000)
    if stream:
        last = events(client)[-1]
        assert last["type"] == "response.completed", "by the name that every client waits for"
        assert last["response"]["usage"]["output_tokens"] == 12
    else:
        assert json.loads(client.data)["output"][0]["content"][0]["text"] == "Kolberg"


NOT_BELIEVED = [
    None,
    {},
    "none",
    {"prompt_tokens": -1, "completion_tokens": 12, "total_tokens": 11},
    {"prompt_tokens": "60", "completion_tokens": "12", "total_tokens": "72"},
    {"prompt_tokens": 9.5, "completion_tokens": 12},
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {"total_tokens": 72},
    {"prompt_tokens": 10**6, "completion_tokens": 12},
]


@pytest.mark.parametrize("usage", NOT_BELIEVED)
def test_what_was_counted_is_told_in_both_forms(usage: Any) -> None:
    whole, client = asked(answer(usage=usage))
    body = json.loads(client.data)
    used = whole.record.usage
    assert whole.record.usage_source == "counted"
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (used.input, used.output)
    assert used.output == 2
    assert body["choices"] == json.loads(answer())["choices"]
    stream = b"".join((ROLE, word("Zoll "), word("haus "), FINISH, event(choices=[], usage=usage), DONE))
    streamed, client = asked(stream, stream=True, stream_options={"include_usage": True})
    assert streamed.record.usage == used
    (told,) = [one["usage"] for one in events(client) if one.get("usage")]
    assert told == body["usage"]


@pytest.mark.parametrize("usage", NOT_BELIEVED)
def test_responses_and_vectors_tell_what_was_counted(usage: Any) -> None:
    text = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Zoll haus"}]}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "output": [text], "usage": usage}
    for stream in (False, True):
        harness, client = asked(json.dumps(whole).encode(), operation="responses", stream=stream)
        used = harness.record.usage
        told = (events(client)[-1]["response"] if stream else json.loads(client.data))["usage"]
        assert (harness.record.usage_source, used.output) == ("counted", 2)
        assert (told["input_tokens"], told["output_tokens"]) == (used.input, 2)
    if usage != {"total_tokens": 72}:
        vectors = {"object": "list", "data": [{"index": 0, "embedding": [0.5]}], "usage": usage}
        harness, client = asked(json.dumps(vectors).encode(), operation="embeddings")
        assert harness.record.usage_source == "counted"
        assert json.loads(client.data)["usage"]["prompt_tokens"] == harness.record.usage.input


def test_what_is_not_known_of_a_body_passes_through_its_new_usage() -> None:
    body = answer(usage=None, exact="NUMBER").replace(b'"NUMBER"', b"0.10000000000000000555")
    _, client = asked(body)
    assert b'"exact":0.10000000000000000555' in client.data


@pytest.mark.parametrize("reason", ["", None])
def test_an_empty_finish_reason_is_none(reason: str | None) -> None:
    """Clients take any text for an end."""
    said = [event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": reason}]) for text in ("a ", "b ")]
    report = event(choices=[], usage={"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72})
    harness, client = asked(b"".join((*said, FINISH, report, DONE)), stream=True)
    assert [one["choices"][0]["finish_reason"] for one in events(client)] == [None, None, "stop"]
    assert charge(harness) == 270_000


def completion(texts: list[str], **members: Any) -> bytes:
    choices = [{"index": n, "text": text, "logprobs": None, "finish_reason": "stop"} for n, text in enumerate(texts)]
    return json.dumps({"id": "c1", "object": "text_completion", "choices": choices, **members}).encode()


@pytest.mark.parametrize("echo", [True, False, None])
def test_an_echoed_prompt_is_no_output(echo: bool | None) -> None:
    prompt = "the gate of Kolberg is"
    said = f"{prompt} shut now " if echo else " shut now "
    for texts, n in (([said], 1), ([said, said], 2)):
        body = {"model": "house-1", "prompt": prompt, "max_tokens": 9, "n": n, "echo": echo}
        harness = GatewayHarness(first=FakeUpstream(buffered(completion(texts))), money=10**10)
        client = FakeCallerConnection(json.dumps(body).encode())
        run(harness.ask(client, "completions"))
        assert (harness.record.usage_source, harness.record.usage.input) == ("counted", 5)
        assert harness.record.usage.output == 2 * n
        chunks = [event(choices=[{"index": n, "text": text, "finish_reason": "stop"}]) for n, text in enumerate(texts)]
        harness = GatewayHarness(first=FakeUpstream(streaming(*chunks, DONE)), money=10**10)
        run(harness.ask(FakeCallerConnection(json.dumps(body | {"stream": True}).encode()), "completions"))
        assert harness.record.usage.output == 2 * n


ECHOES: dict[str, tuple[object, list[str], int]] = {
    "repeated": ("the gate of Kolberg", ["the gate of Kolberg is shut "], 2),
    "ignored": ("the gate of Kolberg", ["is shut and dark "], 4),
    "repeated by the first alone": (["the gate", "a wall"], ["the gate shut ", "stands dark "], 3),
    "repeated by both": (["the gate", "a wall"], ["the gate shut ", "a wall dark "], 2),
    "another prompt than theirs": (["the gate", "a wall"], ["a wall shut ", "the gate dark "], 6),
    "behind the mark of a beginning": ("the gate of Kolberg", ["<s> the gate of Kolberg is shut "], 3),
    "without its first blank": ("\nthe gate of Kolberg", ["the gate of Kolberg is shut "], 2),
    "said somewhere else": ("the gate of Kolberg", ["see the gate of Kolberg "], 5),
    "cut off": ("the gate of Kolberg", ["the gate "], 2),
    "a long one": ("wall " * 299 + "wall", ["wall " * 300 + "is shut "], 2),
    "a long one, ignored": ("wall " * 300, ["gate " * 300], 300),
    "a long one, begun": ("wall " * 300, ["wall " * 30], 30),
    "of token ids, which are no text": ([464, 8946], ["the gate is shut "], 4),
    "nothing": ("", ["is shut "], 2),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", ECHOES)
def test_a_prompt_is_taken_out_only_of_answers_that_begin_with_it(what: str, stream: bool) -> None:
    prompt, texts, output = ECHOES[what]
    body = {"model": "house-1", "prompt": prompt, "max_tokens": 400, "echo": True, "stream": stream}
    pieces = []
    for n, text in enumerate(texts):
        pieces += [event(choices=[{"index": n, "text": text[at : at + 3]}]) for at in range(0, len(text), 3)]
        pieces.append(event(choices=[{"index": n, "text": "", "finish_reason": "stop"}]))
    upstream = FakeUpstream(streaming(*pieces, DONE) if stream else buffered(completion(texts)))
    harness = GatewayHarness(first=upstream, money=10**10, model={"context_tokens": 10_000})
    run(harness.ask(FakeCallerConnection(json.dumps(body).encode()), "completions"))
    assert harness.record.usage_source == "counted"
    assert harness.record.usage.output == output


def test_an_echo_of_which_nothing_was_generated_is_free_of_output() -> None:
    body = {"model": "house-1", "prompt": "the gate", "max_tokens": 9, "echo": True}
    harness = GatewayHarness(first=FakeUpstream(buffered(completion(["the gate"]))), money=10**10)
    run(harness.ask(FakeCallerConnection(json.dumps(body).encode()), "completions"))
    assert harness.record.usage.output == 0


LATE = event(choices=[], usage={"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72})


@pytest.mark.parametrize(
    "pieces", [(DONE + LATE,), (DONE, LATE), (DONE, LATE[:9], LATE[9:]), (DONE, b": hm\n\n", LATE)]
)
def test_a_report_after_the_end_is_one(pieces: tuple[bytes, ...]) -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), FINISH, *pieces)), money=10**10)
    client = FakeCallerConnection(asking(stream=True, stream_options={"include_usage": True}))
    run(harness.ask(client))
    assert (harness.record.usage_source, charge(harness)) == ("upstream", 270_000)
    assert [one["usage"]["prompt_tokens"] for one in events(client) if one.get("usage")] == [60]
    assert client.data.count(b"[DONE]") == 1


@pytest.mark.parametrize("after", [b"", b"data: nonsense\n\n", b"data: [DONE]\n\n", word("more"), b"<html>"])
def test_what_else_comes_after_the_end_is_nothing(after: bytes) -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), FINISH, DONE, after)), money=10**10)
    client = FakeCallerConnection(asking(stream=True))
    run(harness.ask(client))
    assert (harness.record.usage_source, harness.record.ending) == ("counted", "finished")
    assert b"more" not in client.data


KINDS = (b"text/plain", b"application/json", b"")
HEADS: list[Headers] = [[], *([(b"content-type", kind)] for kind in KINDS)]


@pytest.mark.parametrize("headers", HEADS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf", b"\n", b": hm\n\n", b"event: message\n"])
def test_a_stream_is_one_whatever_its_head_says(begin: bytes, stream: bool, headers: Headers) -> None:
    pieces = (begin + ROLE, word("Zoll "), word("haus "), FINISH, LATE, DONE)
    harness = GatewayHarness(first=FakeUpstream(ScriptedResponse(headers=headers, pieces=pieces)), money=10**10)
    client = FakeCallerConnection(asking(stream=stream))
    run(harness.ask(client))
    assert client.status == 200
    assert (harness.record.ending, harness.record.usage_source, charge(harness)) == ("finished", "upstream", 270_000)
    if stream:
        assert client.data.endswith(DONE)
    else:
        assert json.loads(client.data)["choices"][0]["message"]["content"] == "Zoll haus "


@pytest.mark.parametrize("headers", [*HEADS, STREAMS])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("operation", ["chat", "responses", "embeddings"])
@pytest.mark.parametrize("body", [b"", b"\n", b"data:", b": hm\n\n", b"<html>no</html>", b"null", b'""', b"[]", b"OK"])
def test_an_empty_answer_is_none(body: bytes, operation: Operation, stream: bool, headers: Headers) -> None:
    """The next provider is asked; where none is left, 502, and nothing is charged."""
    request: dict[str, Any] = {"model": "house-1", "input": "hi", "messages": [{"role": "user", "content": "hi"}]}
    request |= {"stream": stream} if operation != "embeddings" else {}
    request.pop("messages" if operation != "chat" else "input")
    empty = ScriptedResponse(headers=headers, pieces=(body,) if body else ())
    harness = GatewayHarness(first=FakeUpstream(empty), second=FakeUpstream(empty), money=10**10)
    client = FakeCallerConnection(json.dumps(request).encode())
    with pytest.raises(UpstreamError):
        run(harness.ask(client, operation))
    assert (harness.record.usage_source, harness.record.charge) == ("none", None)
    assert len(harness.record.attempts) > 1
