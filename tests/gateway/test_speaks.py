"""A provider is asked for what `speaks` says, and for nothing else: routing leaves out its offers for other calls."""

import json

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse, identity
from tests.gateway.harness import LIVE, GatewayHarness, answer, buffered, run
from tests.security.platform_process import JSON, as_form
from tollhouse.core.catalogue import TextFormat
from tollhouse.core.failure import BadRequest
from tollhouse.core.operation import Operation
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.explain import explain
from tollhouse.providers import kinds
from tollhouse.providers.kind import Kind
from tollhouse.providers.targets import choose

BODIES: dict[Operation, dict[str, object]] = {
    "chat": {"messages": [{"role": "user", "content": "hi there"}]},
    "completions": {"prompt": "hi there"},
    "responses": {"input": "hi there"},
    "embeddings": {"input": "hi there"},
    "moderations": {"input": "hi there"},
    "rerank": {"query": "hi there", "documents": ["one"]},
    "images": {"prompt": "hi there"},
    "speech": {"input": "hi there", "voice": "alloy"},
    "image_edits": {"image": "a.png", "prompt": "hi there"},
    "image_variations": {"image": "a.png"},
    "transcriptions": {"file": "a.wav"},
    "translations": {"file": "a.wav"},
}
PATHS = {
    "chat": b"/v1/chat/completions",
    "completions": b"/v1/completions",
    "responses": b"/v1/responses",
    "embeddings": b"/v1/embeddings",
    "moderations": b"/v1/moderations",
    "rerank": b"/v1/rerank",
    "images": b"/v1/images/generations",
    "speech": b"/v1/audio/speech",
    "image_edits": b"/v1/images/edits",
    "image_variations": b"/v1/images/variations",
    "transcriptions": b"/v1/audio/transcriptions",
    "translations": b"/v1/audio/translations",
}


OF_TEXTS_ALONE = structs.replace(
    kinds()["openai_compatible"], target=choose(text={"openai_chat": "/chat/completions"}, others={})
)
USAGE = {"input_tokens": 60, "prompt_tokens": 60, "output_tokens": 12, "total_tokens": 72}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Zoll haus"}]}
PICTURES = {"created": 1, "data": [{"url": "https://pictures.example/1"}]}
ANSWERS: dict[Operation, dict[str, object]] = {
    "completions": {"choices": [{"index": 0, "text": "Zoll haus", "finish_reason": "stop"}]},
    "responses": {"id": "r1", "object": "response", "status": "completed", "output": [SAID]},
    "embeddings": {"data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]},
    "moderations": {"results": [{"flagged": False}]},
    "rerank": {"results": [{"index": 0, "relevance_score": 0.5}]},
    "images": PICTURES,
    "image_edits": PICTURES,
    "image_variations": PICTURES,
    "transcriptions": {"text": "Zoll haus"},
    "translations": {"text": "Zoll haus"},
}


TRANSLATED_TO: dict[tuple[TextFormat, Operation], Operation] = {
    ("openai_chat", "responses"): "chat",
    ("openai_responses", "chat"): "responses",
    ("openai_responses", "completions"): "responses",
}
"""What a provider is asked for that does not speak the format of the call."""


def harness(operation: Operation) -> GatewayHarness:
    """Both providers give an answer to this operation."""
    if operation == "speech":
        sounds = (ScriptedResponse(headers=[(b"content-type", b"audio/mpeg")], pieces=(b"sound",)) for _ in range(2))
        return GatewayHarness(first=FakeUpstream(next(sounds)), second=FakeUpstream(next(sounds)))
    body = json.dumps({**ANSWERS[operation], "usage": USAGE}).encode() if operation in ANSWERS else answer()
    return GatewayHarness(first=FakeUpstream(buffered(body)), second=FakeUpstream(buffered(body)))


def speaking(made: GatewayHarness, name: str, *formats: TextFormat, kind: Kind | None = None) -> None:
    at = made.gateway.destinations[name]
    provider = structs.replace(at.provider, speaks=formats)
    made.gateway.destinations[name] = Destination(
        provider, kind or at.kind, at.upstream, at.route, at.path, at.keys, at.deadlines, at.secrets
    )


def body(operation: Operation) -> bytes:
    return json.dumps({"model": "house-1", **BODIES[operation]}).encode()


def ask(made: GatewayHarness, operation: Operation) -> FakeCallerConnection:
    path = PATHS[operation]
    headers, sent = as_form(path, JSON, body(operation))
    caller = FakeCallerConnection(sent or b"")
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    run(made.ask(caller, operation, headers=told))
    return caller


@pytest.mark.parametrize("operation", BODIES)
def test_without_speaks_every_endpoint_is_asked_for(operation: Operation) -> None:
    made = harness(operation)
    ask(made, operation)
    assert [call.target for call in made.first.calls] == [PATHS[operation]]


@pytest.mark.parametrize(
    ("speaks", "operation", "serves"),
    [
        ("openai_chat", "chat", True),
        ("openai_chat", "completions", True),
        ("openai_chat", "responses", True),
        ("openai_chat", "embeddings", True),
        ("openai_chat", "moderations", True),
        ("openai_responses", "chat", True),
        ("openai_responses", "completions", True),
        ("openai_responses", "responses", True),
        ("openai_responses", "embeddings", True),
        ("gemini_content", "chat", False),
        ("gemini_content", "embeddings", True),
    ],
)
def test_the_first_offer_is_asked_only_for_what_its_provider_speaks(
    speaks: TextFormat, operation: Operation, serves: bool
) -> None:
    made = harness(TRANSLATED_TO.get((speaks, operation), operation))
    speaking(made, "one", speaks)
    ask(made, operation)
    assert (len(made.first.calls), len(made.second.calls)) == ((1, 0) if serves else (0, 1))
    assert made.record.provider == ("one" if serves else "two")


@pytest.mark.parametrize("kind", ["azure_openai", "openai"])
@pytest.mark.parametrize(
    ("operation", "wire", "model", "speaks", "asked"),
    [
        ("chat", "anthropic_messages", "gpt-5.6-terra", (), "openai_responses"),
        ("chat", "gemini_content", "o4-mini", (), "openai_responses"),
        ("chat", "anthropic_messages", "gpt-4.1", (), "openai_chat"),
        ("chat", "anthropic_messages", "gpt-5-chat-latest", (), "openai_chat"),
        ("chat", "openai_chat", "gpt-5.6-terra", (), "openai_chat"),
        ("responses", "openai_responses", "gpt-4.1", (), "openai_responses"),
        ("chat", "anthropic_messages", "gpt-5.6-terra", ("openai_chat",), "openai_chat"),
        ("chat", "anthropic_messages", "gpt-5.6-terra", ("openai_chat", "openai_responses"), "openai_chat"),
        ("embeddings", "gemini_embeddings", "text-embedding-3", (), "openai_embeddings"),
    ],
)
def test_models_of_openai_that_think_answer_callers_of_other_formats_as_responses(
    kind: str, operation: Operation, wire: str, model: str, speaks: tuple[TextFormat, ...], asked: str
) -> None:
    """Beside an effort, their chats take no functions."""
    made = harness("chat")
    speaking(made, "one", *speaks, kind=kinds()[kind])
    assert made.gateway.destinations["one"].target(operation, wire, model, True).format == asked


def test_where_no_offer_serves_it_the_caller_is_told_what_the_model_serves() -> None:
    made = GatewayHarness()
    speaking(made, "one", "openai_chat", kind=OF_TEXTS_ALONE)
    speaking(made, "two", "openai_chat", kind=OF_TEXTS_ALONE)
    with pytest.raises(BadRequest) as met:
        ask(made, "embeddings")
    assert (met.value.status, met.value.param) == (400, "model")
    serves = "chat, completions, responses"
    assert met.value.message == f"The model house-1 does not serve embeddings; it serves {serves}."
    assert not made.first.calls
    assert not made.second.calls
    assert made.record.charge is None
    ask(made, "chat")


def test_explain_says_why_an_offer_is_left_out() -> None:
    made = GatewayHarness()
    speaking(made, "one", "openai_chat", kind=OF_TEXTS_ALONE)

    async def main() -> None:
        found = await explain(made.gateway, identity(LIVE), "embeddings", [], body("embeddings"))
        assert [(one.offer.provider, one.turn) for one in found.offers] == [("two", 1), ("one", None)]
        assert found.offers[1].why == "its provider is not asked for embeddings: it speaks openai_chat"

    run(main())
