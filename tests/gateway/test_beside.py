"""What vendors send beside the choices of an answer: clients get what they read, and nobody is told whose it is."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import (
    DONE,
    FINISH,
    ROLE,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
)
from tollhouse.core.failure import Failure

SAID = [{"index": 0, "delta": {"content": "Zoll haus"}, "finish_reason": None}]
LINK = "https://news.caller.example/gate"
PASSES: dict[str, dict[str, Any]] = {
    "Azure": {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]},
    "Perplexity": {"citations": [LINK], "search_results": [{"title": "a gate", "url": LINK, "date": None}]},
    "Perplexity's pictures": {"images": [{"image_url": LINK}], "related_questions": ["which gate?"]},
    "Zhipu": {"web_search": [{"link": LINK, "media": "news.caller.example"}], "content_filter": [{"level": 3}]},
    "DashScope": {"search_info": {"search_results": [{"url": LINK}]}},
    "vLLM": {"prompt_logprobs": [None, {"1": {"logprob": -0.5}}], "prompt_token_ids": [1, 2]},
    "llama.cpp": {"timings": {"cache_n": 0, "predicted_ms": 3.5}},
    "LM Studio": {"stats": {"stop_reason": "eosFound", "tokens_per_second": 9.5}},
    "Cerebras": {"time_info": {"queue_time": 0.5, "total_time": 1.5}},
    "MiniMax": {"input_sensitive": False, "output_sensitive": False, "output_sensitive_int": 0},
    "Together": {"prompt": [], "warnings": [{"message": "top_k is ignored", "parameter": "top_k"}]},
    "Fireworks": {"perf_metrics": {"speculation-acceptance": "0.9"}},
    "LiteLLM before Gemini": {"vertex_ai_grounding_metadata": [{"groundingChunks": [{"web": {"uri": LINK}}]}]},
    "OpenAI": {"service_tier": "default", "system_fingerprint": "fp_1", "obfuscation": "xY"},
    "references by another name": {"web_results": [{"url": LINK}], "sources": [{"href": LINK}]},
    "Foundry Local": {"IsDelta": True, "Successful": True, "HttpStatusCode": 0, "StreamEvent": None},
    "Groq": {"x_groq": {"seed": 7, "debug_tokens": [1, 2]}},
    "words of a vendor": {"note": "an answer may be wrong", "tags": ["a", "b"], "quality": {"grade": "b"}},
    "nulls": {"provider": None, "kv_transfer_params": None, "error": None},
}
UNTOLD: dict[str, dict[str, Any]] = {
    "OpenRouter": {"provider": "Nimbus Cloud", "openrouter_metadata": {"attempt": {"endpoint": "nimbus"}}},
    "Groq": {"x_groq": {"id": "req_01jnimbus99887766"}},
    "vLLM": {"kv_transfer_params": {"remote_host": "10.0.0.7", "remote_port": 5600, "remote_engine_id": "nimbus"}},
    "LiteLLM": {"_hidden_params": {"api_base": "https://nimbus.internal.example", "model_id": "nimbus-1"}},
    "LiteLLM's headers": {"_response_headers": {"x-ratelimit": "1", "server": "nimbus"}},
    "Foundry Local": {"HeaderValues": {"Server": "nimbus"}},
    "Zhipu": {"request_id": "2024nimbus"},
    "llama.cpp": {"__verbose": {"model": "/models/nimbus.gguf"}},
    "new-api": {"channel": 7, "channel_id": 7, "upstream_model": "nimbus-70b"},
    "xAI": {"debug_output": {"engine_request": "nimbus"}},
    "a host": {"served": "by gpu-7.nimbus.internal.example"},
    "an address": {"via": "10.0.0.7:8000 nimbus.example"},
    "a key": {"auth": "used sk-nimbus-abcdEFGH1234"},
    "our own key": {"auth": "used sk-one"},
    "our own host": {"hops": ["edge", "up.example"]},
    "a node": {"node": "nimbus-3", "server": "nimbus", "service": "nimbus", "upstream": {"name": "nimbus"}},
    "one that goes and one that is cleaned": {"provider": "nimbus", "note": "see 10.0.0.7"},
    "deep": {"meta_data": {"hops": [{"worker": "nimbus-9", "hint": "10.0.0.7"}]}},
    "deeper than is read": {"tree": [[[[[[[[[["nimbus"]]]]]]]]]]},
    "many values": {"rows": [*range(300), "nimbus"]},
    "a long text": {"log": "nimbus " * 1_000},
    "our model": {"info": "loaded up-one-2026-01-31"},
}
SECRETS = ("nimbus", "10.0.0.7", "internal", "sk-one", "up.example", "up-one", "5600", "req_01")


def heard(
    *, stream: bool, gathers: bool = False, unfolds: bool = False, completions: bool = False, **beside: Any
) -> str:
    """All that a caller hears of an answer with these members beside its choices, however it comes."""
    pieces = (ROLE, event(choices=SAID, **beside), event(choices=SAID, **beside), FINISH, USAGE, DONE)
    comes_whole = unfolds or not (stream or gathers)
    play = buffered(answer(**beside)) if comes_whole else streaming(*pieces)
    harness = GatewayHarness(first=FakeUpstream(play), money=10**9)
    client = FakeCallerConnection(asking(stream=stream, stream_options={"include_usage": True}) if stream else asking())
    run(harness.ask(client))
    assert client.status == 200
    assert harness.record.usage_source == "upstream"
    return client.data.decode()


def told(body: str, name: str) -> Any:
    """The first value of a member at the top of what a caller heard."""
    texts = [line.removeprefix("data: ") for line in body.splitlines() if "{" in line]
    return next((value[name] for value in map(json.loads, texts) if name in value), "not told")


WAYS = [
    {"stream": True},
    {"stream": False},
    {"stream": False, "gathers": True},
    {"stream": True, "unfolds": True},
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", PASSES)
def test_what_clients_read_passes(vendor: str, way: dict[str, bool]) -> None:
    body = heard(**way, **PASSES[vendor])
    assert "Zoll haus" in body
    for name, value in PASSES[vendor].items():
        assert told(body, name) == value or (way.get("gathers") and name == "obfuscation"), name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vendor", UNTOLD)
def test_what_tells_of_the_upstream_does_not(vendor: str, way: dict[str, bool]) -> None:
    body = heard(**way, **UNTOLD[vendor])
    assert "Zoll haus" in body
    lower = body.lower()
    assert not [secret for secret in SECRETS if secret in lower], body


def test_a_member_that_is_said_twice_goes_twice() -> None:
    twice = event(choices=SAID, provider="Nimbus A").replace(b'"id"', b'"provider":"Nimbus B","id"')
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, twice, twice, FINISH, USAGE, DONE)), money=10**9)
    client = FakeCallerConnection(asking(stream=True))
    run(harness.ask(client))
    assert b"imbus" not in client.data
    assert client.data.count(b"Zoll haus") == 2


def test_beside_a_report_of_usage_likewise() -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    last = event(choices=[], usage=usage, provider="Nimbus", citations=[LINK])
    grown = event(choices=SAID, x_groq={"id": "req_01jnimbus99887766", "usage": usage})
    for pieces in ((ROLE, event(choices=SAID), FINISH, last, DONE), (ROLE, event(choices=SAID), FINISH, grown, DONE)):
        harness = GatewayHarness(first=FakeUpstream(streaming(*pieces)), money=10**9)
        client = FakeCallerConnection(asking(stream=True, stream_options={"include_usage": True}))
        run(harness.ask(client))
        assert b"imbus" not in client.data
        assert client.data.count(b'prompt_tokens"') == 1
        assert harness.record.usage_source == "upstream"


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_in_a_vendors_own_member_is_one(stream: bool) -> None:
    error = {"id": "req_1", "error": {"message": "nimbus.internal.example is away", "code": "server_error"}}
    play = streaming(ROLE, event(choices=SAID), event(choices=SAID, x_groq=error))
    harness = GatewayHarness(first=FakeUpstream(play), second=FakeUpstream(play))
    client = FakeCallerConnection(asking(stream=stream))
    try:
        run(harness.ask(client))
        body = client.data
    except Failure as failure:
        body = failure.message.encode()
    assert b"nimbus" not in body
    assert b"[DONE]" not in body
    assert harness.record.usage_source != "upstream"
