"""Buffered answers: what is an answer, what it used, and how answers and streams turn into each other."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import BadRequest, Failure, Overloaded, UpstreamBroke, UpstreamError, UpstreamSaturated
from tollhouse.core.operation import Operation
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answer, answers, response_answers
from tollhouse.formats.openai.aggregate import Aggregate
from tollhouse.formats.openai.stream import open_stream
from tollhouse.formats.openai.unfold import unfold

GOLDEN = Path(__file__).parent / "golden"
PLAIN = Usage(input=60, output=12)
TEXT = "Zollhaus am Fluß – 税关 🛃"


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def gathered(*pieces: bytes, operation: Operation = "chat") -> tuple[dict[str, object], Aggregate]:
    aggregate = Aggregate(operation)
    for piece in pieces:
        aggregate.feed(piece)
    body: dict[str, object] = json.loads(aggregate.finish())
    return body, aggregate


def streamed(body: bytes, *, operation: Operation = "chat", show_usage: bool = True) -> StreamRelay:
    reader = open_stream(operation, show_usage=show_usage, count=len)
    reader.feed(unfold(operation, body))
    return reader


def test_an_answer_is_read_for_its_usage_and_end() -> None:
    reading = answer.read("chat", golden("P23.json"))
    assert (reading.usage, reading.finish, reading.incomplete) == (PLAIN, "stop", False)
    assert reading.raw_usage is not None
    assert json.loads(reading.raw_usage)["total_tokens"] == 72
    assert answer.text("chat", golden("P23.json")) == TEXT


def test_arguments_as_an_object_pass() -> None:
    reading = answer.read("chat", golden("P15.json"))
    assert (reading.usage, reading.finish) == (PLAIN, "tool_calls")
    assert answer.text("chat", golden("P15.json")) == 'weather{"city":"Oslo","days":2}'


def test_half_of_a_surrogate_pair_passes_as_json_allows() -> None:
    body = golden("P23.json").replace("🛃".encode(), b"\\ud83d")
    assert answer.read("chat", body).usage == PLAIN
    assert answer.text("chat", body) == TEXT.replace("🛃", "?")
    assert streamed(body).is_complete


def test_an_empty_answer_without_an_end_passes() -> None:
    body = json.loads(golden("P23.json"))
    body["choices"][0] |= {"finish_reason": None, "message": {"role": "assistant", "content": ""}}
    body["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    reading = answer.read("chat", json.dumps(body).encode())
    assert (reading.usage, reading.finish) == (Usage(), None)
    reader = streamed(json.dumps(body).encode())
    assert isinstance(reader.failure, UpstreamBroke)
    assert reader.held == b""


@pytest.mark.parametrize("operation", ["chat", "completions", "responses", "embeddings", "moderations"])
def test_a_page_is_no_answer(operation: Operation) -> None:
    page = golden("P49b.resp").partition(b"\r\n\r\n")[2]
    for body in (page, b"", b"[]", b"{}", b'{"a":', b'{"choices": "x"}', b'{"choices": [], "data": \xff}', b"null"):
        if body == b"{}":
            continue
        with pytest.raises(UpstreamError) as caught:
            answer.read(operation, body)
        assert "internal.example" not in caught.value.message
    with pytest.raises(UpstreamError):
        answer.read(operation, b"{}")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "x", "type": "server_error"}}, UpstreamError),
        ({"error": {"message": "x", "code": 429}}, UpstreamSaturated),
        ({"error": "busy"}, UpstreamError),
        ({"object": "error", "message": "bad", "code": 400, "type": "BadRequestError"}, BadRequest),
        ({"type": "error", "error": {"type": "overloaded_error"}}, Overloaded),
        ({"error": {"code": 503}, "choices": []}, Overloaded),
    ],
)
def test_an_error_inside_a_200_is_found(body: object, kind: type[Failure]) -> None:
    with pytest.raises(kind):
        answer.read("chat", json.dumps(body).encode())


def test_a_failed_response_is_a_failure() -> None:
    failed = {"object": "response", "status": "failed", "error": {"code": "rate_limit_exceeded"}, "output": []}
    with pytest.raises(UpstreamSaturated):
        answer.read("responses", json.dumps(failed).encode())


def test_every_kind_of_answer_is_read() -> None:
    bodies: list[tuple[Operation, bytes]] = [
        ("chat", answers.chat("chatcmpl-1", 1, "m", TEXT, None, PLAIN, "length")),
        ("completions", answers.completion("cmpl-1", 1, "m", TEXT, PLAIN, "length")),
        ("responses", response_answers.response("resp_1", 1, "m", TEXT, None, PLAIN, "length")),
    ]
    for operation, body in bodies:
        reading = answer.read(operation, body)
        assert (reading.usage, reading.incomplete) == (PLAIN, True)
        assert answer.text(operation, body) == TEXT
    embedded = answers.embeddings("m", [[0.5, 1.0]], Usage(input=3), base64=True)
    assert json.loads(embedded)["data"][0]["embedding"] == "AAAAPwAAgD8="
    assert answer.read("embeddings", embedded).usage == Usage(input=3)
    moderated = answer.read("moderations", answers.moderations("modr-1", "m", [False]))
    assert (moderated.usage, moderated.raw_usage) == (None, None)


@pytest.mark.parametrize("case", ["P01.sse", "P02.sse", "P08.sse"])
def test_a_stream_is_gathered_into_one_answer(case: str) -> None:
    stream = golden(case)
    whole = {key: value for key, value in json.loads(golden("P23.json")).items() if key != "usage"}
    for pieces in ([stream], [stream[i : i + 7] for i in range(0, len(stream), 7)]):
        body, aggregate = gathered(*pieces)
        assert (aggregate.usage, aggregate.incomplete) == (PLAIN, False)
        assert body.pop("usage") == json.loads(aggregate.raw_usage or b"")
        choices = body["choices"]
        assert isinstance(choices, list)
        assert choices[0].pop("logprobs") is None
        assert body == whole


def test_half_an_answer_is_none() -> None:
    with pytest.raises(UpstreamBroke):
        gathered(golden("P09.sse"))


def test_different_ids_at_one_index_are_two_calls() -> None:
    body, _ = gathered(golden("P14.sse"))
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "call_a", "type": "function", "function": {"name": "search", "arguments": '{"q":"first"}'}},
                    {"id": "call_b", "type": "function", "function": {"name": "search", "arguments": '{"q":"second"}'}},
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ]


def test_an_error_event_fails_the_gathering() -> None:
    with pytest.raises(Overloaded):
        gathered(golden("P09.sse") + b'data: {"error":{"type":"overloaded_error"}}\n\n')


def event(index: int, delta: object, **members: object) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": None, **members}
    return b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"


def test_choices_logprobs_reasoning_and_refusals_are_gathered() -> None:
    body, _ = gathered(
        event(1, {"role": "assistant", "reasoning_content": "hm "}),
        event(0, {"role": "assistant", "content": "a"}, logprobs={"content": [{"token": "a"}], "refusal": None}),
        event(1, {"reasoning_content": "yes", "annotations": [1]}),
        event(0, {"content": "b"}, logprobs={"content": [{"token": "b"}]}),
        event(1, {"refusal": "no", "annotations": [2]}),
        event(0, {}, finish_reason="stop"),
        event(1, {}, finish_reason="content_filter"),
    )
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "ab"},
            "logprobs": {"content": [{"token": "a"}, {"token": "b"}], "refusal": None},
            "finish_reason": "stop",
        },
        {
            "index": 1,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm yes",
                "annotations": [1, 2],
                "refusal": "no",
            },
            "logprobs": None,
            "finish_reason": "content_filter",
        },
    ]


@pytest.mark.parametrize("tool", [None, ("toll", '{"gate":"A-17","note":"' + "long " * 9 + '"}')])
@pytest.mark.parametrize("n", [1, 2])
def test_gathering_undoes_streaming(tool: tuple[str, str] | None, n: int) -> None:
    finish = "tool_calls" if tool else "stop"
    events = list(answers.chat_events("chatcmpl-1", 1, "m", ["Zoll", "haus"], tool, PLAIN, finish, True, n))
    body, _ = gathered(*events)
    whole = json.loads(answers.chat("chatcmpl-1", 1, "m", "Zollhaus", tool, PLAIN, finish, n))
    for choice in whole["choices"]:
        del choice["message"]["refusal"]
    assert body == whole


def test_gathering_undoes_legacy_streaming() -> None:
    events = list(answers.completion_events("cmpl-1", 1, "m", ["Zoll", "haus"], PLAIN, "length", True, 2))
    body, aggregate = gathered(*events, operation="completions")
    assert body == json.loads(answers.completion("cmpl-1", 1, "m", "Zollhaus", PLAIN, "length", 2))
    assert aggregate.incomplete


def test_a_response_is_gathered_from_its_terminal_event() -> None:
    events = list(response_answers.response_events("resp_1", 1, "m", ["Zoll", "haus"], ("toll", "{}"), PLAIN))
    body, aggregate = gathered(*events, operation="responses")
    assert body == json.loads(response_answers.response("resp_1", 1, "m", "Zollhaus", ("toll", "{}"), PLAIN))
    assert aggregate.usage == PLAIN


def test_one_json_becomes_a_proper_stream() -> None:
    reader = open_stream("chat", show_usage=False, count=len)
    out = reader.feed(unfold("chat", golden("P23.json")))
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in out.split(b"\n\n") if event]
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": ""},
        {"content": TEXT},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert (reader.held, reader.usage, reader.is_complete) == (b"data: [DONE]\n\n", PLAIN, True)
    asked = streamed(golden("P23.json"))
    assert json.loads(asked.held.split(b"\n\n")[0].removeprefix(b"data: "))["choices"] == []


@pytest.mark.parametrize("tool", [None, ("toll", '{"gate":"A-17"}')])
def test_unfolding_and_gathering_give_the_answer_back(tool: tuple[str, str] | None) -> None:
    bodies: list[tuple[Operation, bytes]] = [
        ("chat", answers.chat("chatcmpl-1", 1, "m", TEXT, tool, PLAIN, "stop", 2)),
        ("completions", answers.completion("cmpl-1", 1, "m", TEXT, PLAIN, "length", 2)),
        ("responses", response_answers.response("resp_1", 1, "m", TEXT, tool, PLAIN, "length")),
    ]
    for operation, whole in bodies:
        body, aggregate = gathered(unfold(operation, whole), operation=operation)
        assert body == json.loads(whole)
        assert aggregate.usage == PLAIN


def test_an_unfolded_response_says_its_text_in_deltas() -> None:
    whole = response_answers.response("resp_1", 1, "m", TEXT, ("toll", '{"gate":3}'), PLAIN)
    reader = streamed(whole, operation="responses")
    assert reader.is_complete
    assert reader.delivered_tokens() == len(TEXT + 'toll{"gate":3}')
    said = open_stream("responses", show_usage=False, count=len)
    said.feed(unfold("responses", whole).partition(b"event: response.completed")[0])
    assert said.delivered_tokens() == len(TEXT + 'toll{"gate":3}'), "what broke off is counted by deltas and items"
    assert reader.held.startswith(b"event: response.completed\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "delta", "content", "usage", "tool_calls", "function", "text"])
            | st.sampled_from(["error", "output", "status", "type", "index", "finish_reason", "arguments", "logprobs"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.sampled_from(["chat", "completions", "responses"]), st.lists(JSON, max_size=4), JSON | st.binary())
def test_no_json_breaks_any_reader(operation: Operation, chunks: list[object], body: object) -> None:
    stream = b"".join([b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks])
    open_stream(operation, show_usage=True, count=len).feed(stream)
    with suppress(Failure):
        gathered(stream, operation=operation)
    whole = body if isinstance(body, bytes) else json.dumps(body).encode()
    with suppress(Failure):
        answer.read(operation, whole)
        answer.text(operation, whole)
        streamed(whole, operation=operation)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"message": "Input was flagged", "code": 403}, "content_policy_violation"),
        ({"message": "flagged", "code": "content_filter"}, "content_policy_violation"),
        ({"message": "not so", "code": 418}, "invalid_request_error"),
        ({"message": "no", "code": 403, "type": "permission_error"}, "upstream_error"),
        ({"message": "no", "code": 402}, "upstream_error"),
        ({"message": "no", "code": 407}, "upstream_error"),
        ({"message": "no", "code": 429}, "rate_limit_exceeded"),
    ],
)
def test_an_error_inside_a_200_is_judged_by_the_status_it_names(error: dict[str, object], code: str) -> None:
    with pytest.raises(Failure) as caught:
        answer.read("chat", json.dumps({"error": error}).encode())
    assert caught.value.code == code
