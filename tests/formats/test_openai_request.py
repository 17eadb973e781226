"""Requests: what is checked, what is read, and that everything else reaches the provider as it came."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.usage import TOKENS_MAX
from tollhouse.formats.openai.request import AFFINITY_BYTES, read
from tollhouse.formats.openai.request import write as write_in_pieces

GOLDEN = Path(__file__).parent / "golden"
OPERATIONS: tuple[Operation, ...] = ("chat", "completions", "responses", "embeddings", "moderations")
MESSAGES = [{"role": "user", "content": "hi"}]


def write(request: ModelRequest, **how: Any) -> bytes:
    return b"".join(write_in_pieces(request, **how))


def chat(**members: object) -> bytes:
    return json.dumps({"model": "m", "messages": MESSAGES, **members}).encode()


@pytest.mark.parametrize(
    ("operation", "body", "param"),
    [
        ("chat", {"messages": MESSAGES}, "model"),
        ("chat", {"model": None, "messages": MESSAGES}, "model"),
        ("chat", {"model": 3, "messages": MESSAGES}, "model"),
        ("chat", {"model": "", "messages": MESSAGES}, "model"),
        ("chat", {"model": "m" * 513, "messages": MESSAGES}, "model"),
        ("chat", {"model": "m"}, "messages"),
        ("chat", {"model": "m", "messages": None}, "messages"),
        ("chat", {"model": "m", "messages": []}, "messages"),
        ("chat", {"model": "m", "messages": "hi"}, "messages"),
        ("chat", {"model": "m", "messages": {}}, "messages"),
        ("chat", {"model": "m", "messages": ["hi"]}, "messages[0]"),
        ("chat", {"model": "m", "input": 7}, "input"),
        ("completions", {"model": "m"}, "prompt"),
        ("completions", {"model": "m", "prompt": 3}, "prompt"),
        ("completions", {"model": "m", "prompt": {}}, "prompt"),
        ("completions", {"model": "m", "prompt": [1, "a"]}, "prompt"),
        ("responses", {"model": "m"}, "input"),
        ("responses", {"model": "m", "input": 7}, "input"),
        ("responses", {"model": "m", "input": ["hi"]}, "input[0]"),
        ("embeddings", {"model": "m"}, "input"),
        ("embeddings", {"input": "x"}, "model"),
        ("embeddings", {"model": "m", "input": []}, "input"),
        ("embeddings", {"model": "m", "input": [1.5]}, "input"),
        ("embeddings", {"model": "m", "input": [[1], ["a"]]}, "input"),
        ("embeddings", {"model": "m", "input": [{}, 1]}, "input"),
        ("embeddings", {"model": "m", "input": True}, "input"),
        ("moderations", {}, "input"),
        ("moderations", {"input": [1]}, "input"),
    ],
)
def test_required_members_are_there_and_of_their_type(operation: Operation, body: object, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(operation, json.dumps(body).encode())
    assert caught.value.param == param


@pytest.mark.parametrize("name", ["n", "max_tokens", "max_completion_tokens", "max_output_tokens"])
@pytest.mark.parametrize("value", [0, -1, 1.0, 1.5, True, "5", [], {}, 2**31 + 1, 10**30])
def test_counts_are_integers_from_one_on(name: str, value: object) -> None:
    with pytest.raises(BadRequest) as caught:
        read("chat", chat(**{name: value}))
    assert caught.value.param == name


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ('[{"type":"text","text":"a gate"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]', 2),
        ('[{"image":"data:image/png;base64,AAAA"}]', 1),
        ('{"text":"a gate","image":"data:image/png;base64,AAAA"}', 1),
        ('["a gate",{"image":"https://pictures.example/1.png"}]', 2),
        ('[{"content":[{"type":"text","text":"a"},{"type":"image_base64","image_base64":"AAAA"}]}]', 1),
        ('{"messages":[{"role":"user","content":"a"}]}', 1),
    ],
)
def test_objects_to_be_embedded_go_on_as_they_came(given: str, texts: int) -> None:
    body = f'{{"model":"m","input":{given}}}'.encode()
    request = read("embeddings", body)
    assert request.prompts == texts
    assert write(request, model="m", stream=False, include_usage=False) == body


def test_a_prompt_that_is_only_to_be_scored_is_refused_by_the_name_of_its_cap() -> None:
    with pytest.raises(BadRequest) as caught:
        read("completions", b'{"model":"m","prompt":"score me","max_tokens":0,"logprobs":1}')
    assert caught.value.param == "max_tokens"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {}}, "stream_options"),
        ({"stream": False, "stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": None, "stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": []}, "stream_options"),
        ({"stream": True, "stream_options": True}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"style": "basic"}, "style"),
        ({"style": 1}, "style"),
    ],
)
def test_what_decides_how_we_answer_is_checked(members: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read("chat", chat(**members))
    assert caught.value.param == param


def test_stream_options_without_stream_are_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        read("chat", (GOLDEN / "P43.json").read_bytes())
    assert caught.value.param == "stream_options"


def test_a_style_names_the_dialect_of_the_answer() -> None:
    named = {"openai": "", None: "", "claude": "anthropic", "gemini": "gemini"}
    assert {style: read("chat", chat(style=style)).style for style in named} == named
    assert read("chat", json.dumps({"model": "m", "input": "hi", "style": "claude"}).encode()).style == "anthropic"
    with pytest.raises(BadRequest, match="must be 'openai', 'claude' or 'gemini'") as refused:
        read("chat", chat(style="Claude"))
    assert refused.value.param == "style"


def test_a_body_in_the_shape_of_responses_is_read_as_one_where_chats_are() -> None:
    body = json.dumps({"model": "m", "input": "hi", "max_output_tokens": 7, "messages": None}).encode()
    request = read("chat", body)
    assert (request.operation, request.output_cap, request.cap_param) == ("responses", 7, "max_output_tokens")
    assert read("chat", chat(input="hi")).operation == "chat"


def test_style_never_reaches_the_provider() -> None:
    for style in ("openai", None):
        sent = write(read("chat", chat(style=style)), model="m", stream=False, include_usage=False)
        assert "style" not in json.loads(sent)
    legacy = json.dumps({"model": "m", "prompt": "x", "style": "kept"}).encode()
    assert b'"style":"kept"' in write(read("completions", legacy), model="m", stream=False, include_usage=False)


def test_null_counts_as_absent() -> None:
    names = ("n", "stream", "stream_options", "max_tokens", "max_completion_tokens", "style", "user", "metadata")
    request = read("chat", chat(**dict.fromkeys(names)))
    assert (request.n, request.stream, request.output_cap, request.user) == (1, False, None, None)


def test_the_gateway_learns_what_it_needs() -> None:
    body = chat(stream=True, stream_options={"include_usage": True}, n=3, max_tokens=50, max_completion_tokens=40)
    request = read("chat", body)
    assert (request.model, request.stream, request.wants_usage, request.n) == ("m", True, True, 3)
    assert (request.output_cap, request.cap_param, request.length) == (50, "max_tokens", len(body))
    assert request.affinity == json.dumps(MESSAGES).encode()
    assert read("responses", b'{"model":"m","input":"x","max_output_tokens":9}').output_cap == 9
    assert read("chat", chat(max_output_tokens=9)).output_cap is None
    assert read("moderations", b'{"input":"x"}').model == "omni-moderation-latest"
    assert len(read("embeddings", json.dumps({"model": "m", "input": "x" * 9000}).encode()).affinity) == AFFINITY_BYTES


@pytest.mark.parametrize(
    ("members", "answers"),
    [
        ({"prompt": "a"}, 1),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3], "n": 2}, 2),
        ({"prompt": [[1], [2], [3]]}, 3),
        ({"prompt": "a", "n": 2, "best_of": 5}, 5),
    ],
)
def test_every_answer_of_a_legacy_call_is_bounded(members: dict[str, object], answers: int) -> None:
    assert read("completions", json.dumps({"model": "m", **members}).encode()).n == answers


@pytest.mark.parametrize("value", ["x", ["x", "y"], [1, 2], [[1], [2, 3]]])
def test_embeddings_take_every_form_of_input(value: object) -> None:
    read("embeddings", json.dumps({"model": "m", "input": value}).encode())


@pytest.mark.parametrize("value", ["x", ["x"], [{"type": "text", "text": "x"}]])
def test_moderations_take_every_form_of_input(value: object) -> None:
    read("moderations", json.dumps({"input": value}).encode())


def test_cost_tags_are_read_where_they_are_texts() -> None:
    request = read("chat", chat(user="u-1", metadata={"team": "red", "n": 3}))
    assert (request.user, request.metadata) == ("u-1", {"team": "red"})
    assert read("chat", chat(user=3, metadata=[1])).metadata == {}


def test_members_are_written_as_they_came() -> None:
    messages = b'[ {"role":"user", "content":"\\u00fc \\"x\\"", "x": 1.50} ]'
    body = b'{"temperature": 1.0, "model":"m","messages":' + messages + b',"new_field":{"a" :[1e2]}}'
    sent = write(read("chat", body), model="upstream/m", stream=False, include_usage=True)
    assert sent == (b'{"temperature":1.0,"model":"upstream/m","messages":' + messages + b',"new_field":{"a" :[1e2]}}')


def test_a_response_without_stream_is_not_streamed() -> None:
    body = (GOLDEN / "P24.json").read_bytes()
    request = read("responses", body)
    assert not request.stream
    assert json.loads(write(request, model="house-1", stream=False, include_usage=True)) == json.loads(body)


def test_a_forced_usage_chunk_keeps_the_callers_other_options() -> None:
    request = read("chat", chat(stream=True, stream_options={"include_usage": False, "include_obfuscation": False}))
    sent = json.loads(write(request, model="m", stream=True, include_usage=True))
    assert sent["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    kept = json.loads(write(request, model="m", stream=True, include_usage=False))
    assert kept["stream_options"] == {"include_usage": False, "include_obfuscation": False}


def test_stream_options_are_never_forced_without_stream() -> None:
    for body in (chat(), chat(stream=False), chat(stream=None)):
        sent = json.loads(write(read("chat", body), model="m", stream=False, include_usage=True))
        assert not sent.get("stream")
        assert "stream_options" not in sent
    streamed = json.loads(write(read("chat", chat(stream=False)), model="m", stream=True, include_usage=True))
    assert (streamed["stream"], streamed["stream_options"]) == (True, {"include_usage": True})
    responses = read("responses", b'{"model":"m","input":"x","stream":true}')
    assert "stream_options" not in json.loads(write(responses, model="m", stream=True, include_usage=True))


def test_an_added_cap_is_written() -> None:
    request = read("chat", chat(max_tokens=None))
    sent = write(request, model="m", stream=False, include_usage=False, caps=("max_tokens",), added_cap=1024)
    assert json.loads(sent)["max_tokens"] == 1024


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *("model", "messages", "prompt", "input", "stream", "stream_options", "style", "n", "best_of", "max_tokens"),
        *("user", "service_tier", "maxOutputTokens", "extra_body", "provider", "prediction", "modalities", "reasoning"),
        *("tools", "unknown"),
    ]
)


@given(st.sampled_from(OPERATIONS), st.binary())
def test_no_bytes_break_the_reader(operation: Operation, body: bytes) -> None:
    with suppress(BadRequest):
        read(operation, body)


@given(st.sampled_from(OPERATIONS), st.dictionaries(NAMES, JSON), st.booleans(), st.booleans())
def test_no_json_breaks_the_reader_or_the_writer(
    operation: Operation, members: dict[str, object], stream: bool, include_usage: bool
) -> None:
    try:
        request = read(operation, json.dumps(members).encode())
    except BadRequest:
        return
    sent = json.loads(write(request, model="up", stream=stream, include_usage=include_usage))
    changed = {"model", "stream", "stream_options"} | ({"style"} if operation == "chat" else set())
    assert sent["model"] == "up"
    assert {k: v for k, v in sent.items() if k not in changed} == {k: v for k, v in members.items() if k not in changed}


@pytest.mark.parametrize(
    ("operation", "name", "value", "prompts"),
    [
        ("embeddings", "input", "one", 1),
        ("embeddings", "input", ["one", "two", "three"], 3),
        ("embeddings", "input", [1, 2, 3], 1),
        ("embeddings", "input", [[1, 2], [3]], 2),
        ("completions", "prompt", ["one", "two"], 2),
        ("moderations", "input", ["one", "two"], 2),
        ("responses", "input", "one", 1),
    ],
)
def test_texts_that_are_read_each_for_itself_are_known(
    operation: Operation, name: str, value: object, prompts: int
) -> None:
    request = read(operation, json.dumps({"model": "m", name: value}).encode())
    assert request.prompts == prompts
    assert request.n == (prompts if operation == "completions" else 1)


def test_a_response_that_could_never_be_fetched_nor_charged_is_refused() -> None:
    body = {"model": "m", "input": "one", "background": True}
    with pytest.raises(UnsupportedParameter) as refused:
        read("responses", json.dumps(body).encode())
    assert refused.value.param == "background"
    for harmless in (False, None):
        read("responses", json.dumps({**body, "background": harmless}).encode())


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Max_Tokens", "max_tokens"), ("N", "n"), ("MODEL", "model"), ("meſſages", "messages"), ("Stream", "stream")],
)
def test_what_decides_the_cost_is_not_spelled_otherwise(name: str, meant: str) -> None:
    """Servers written in Go read `MAX_TOKENS` as `max_tokens`: 10 was held for, and 16,000 could be written."""
    with pytest.raises(BadRequest, match=meant) as caught:
        read("chat", chat(max_tokens=10, **{name: 16_000}))
    assert caught.value.param == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("models", ["openai/o1-pro"]),
        ("Models", ["openai/o1-pro"]),
        ("fallbacks", ["gpt-4"]),
        ("context_window_fallbacks", [{"a": ["b"]}]),
        ("preset", "dear"),
        ("providerOptions", {"gateway": {"Models": ["openai/o1-pro"]}}),
    ],
)
def test_a_provider_was_told_to_answer_by_a_model_that_nobody_pays(name: str, value: object) -> None:
    """A body that its own model refuses went on to a dearer one, past the key's models, its budgets and the price."""
    request = read("chat", chat(**{name: value}))
    assert request.dropped == (name.casefold(),)
    sent = json.loads(write(request, model="up", stream=False, include_usage=False))
    assert set(sent) == {"model", "messages"}


@pytest.mark.parametrize(
    "members", [{"models": None}, {"providerOptions": {"gateway": {"order": ["a"]}}}, {"providerOptions": [1]}]
)
def test_what_names_no_other_model_passes(members: dict[str, object]) -> None:
    assert set(members) < set(read("chat", chat(**members)).members)


@pytest.mark.parametrize(
    ("members", "beside"),
    [
        ({}, False),
        ({"enable_thinking": False}, False),
        ({"enable_thinking": "yes"}, True),
        ({"thinking_budget": -1}, True),
        ({"thinking_budget": "much"}, True),
        ({"modalities": ["text", "audio"]}, False),
        ({"modalities": ["image", "text"]}, True),
        ({"enable_thinking": True}, True),
        ({"enable_thinking": True, "thinking_budget": None}, True),
        ({"enable_thinking": True, "thinking_budget": 500}, False),
    ],
)
def test_thoughts_without_a_budget_are_as_long_as_they_get(members: dict[str, object], beside: bool) -> None:
    assert read("chat", chat(**members)).thinks_beside is beside


@pytest.mark.parametrize(
    ("members", "thinking", "uncapped"),
    [
        ({}, 0, 0),
        ({"thinking_budget": 800}, 0, 800),
        ({"thinking": {"type": "enabled", "budget_tokens": 900}}, 900, 0),
        ({"reasoning": {"max_tokens": 700}, "thinking": {"budget_tokens": 600}}, 700, 0),
        ({"thinking_budget": -5, "thinking": "much", "reasoning": {"max_tokens": "many"}}, 0, 0),
        ({"thinking_budget": 10**30}, 0, TOKENS_MAX),
        ({"thinking_budget": None, "reasoning": None, "prediction": None}, 0, 0),
        ({"prediction": "x" * 98}, 0, 100),
    ],
)
def test_what_is_written_beside_the_cap(members: dict[str, object], thinking: int, uncapped: int) -> None:
    request = read("chat", chat(max_tokens=10, **members))
    assert (request.thinking, request.uncapped) == (thinking, uncapped)
