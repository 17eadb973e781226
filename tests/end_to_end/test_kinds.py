"""What a vendor is asked for: path, key and body as its kind says, on a real socket."""

import json
from typing import Any

import pytest

from tests.end_to_end.platform_process import PlatformProcess, chat, text_of
from tests.support.aws_frames import chunk, exception
from tests.support.scripted_provider import LAST, ScriptedProvider, Turn, answers, said, streams, word

KINDS = {
    "anthropic": ('kind = "anthropic"', "", "up-anthropic"),
    "azure": ('kind = "azure_openai"', "", "up-azure?api-version=2024-10-21"),
    "azure-now": ('kind = "azure_openai"', "/openai/v1", "up-azure-now"),
    "bedrock": ('kind = "bedrock"', "", "up-bedrock"),
    "deepseek": ('kind = "deepseek"', "/anthropic", "up-deepseek"),
    "gemini": ('kind = "gemini"', "", "up-gemini"),
    "invoke": ('kind = "bedrock_invoke"', "", "us.anthropic.claude:0"),
    "mistral": ('kind = "mistral"', "/v1", "up-mistral"),
    "zhipu": ('kind = "zhipu"', "/api/paas/v4", "up-zhipu"),
}
MORE = "".join(
    f"""
[providers.p-{name}]
{kind}
base_url = "http://127.0.0.1:{{port}}{path}"
api_keys = ["{"AKID:" if name == "invoke" else ""}key-of-{name}"]

[models."{name}"]
offers = [{{ provider = "p-{name}", model = "{model}" }}]
context_tokens = 128000
price = {{ input = "2.50", output = "10.00" }}
"""
    for name, (kind, path, model) in KINDS.items()
)


def _asked(platform: PlatformProcess, provider: ScriptedProvider, name: str, **members: Any) -> Turn:
    provider.plays(KINDS[name][2], streams(word("hello") + LAST) if members.get("stream") else answers(said("hello")))
    reply = platform.ask(chat(name, **members))
    assert reply.status == 200, reply
    assert (text_of(reply.body) if members.get("stream") else reply.json["choices"][0]["message"]["content"]) == "hello"
    return provider.seen()[-1]


@pytest.mark.parametrize(
    ("name", "path", "header", "value"),
    [
        ("azure", "/openai/deployments/up-azure/chat/completions?api-version=2024-10-21", "api-key", "key-of-azure"),
        ("azure-now", "/openai/v1/chat/completions", "api-key", "key-of-azure-now"),
        ("bedrock", "/openai/v1/chat/completions", "authorization", "Bearer key-of-bedrock"),
        ("deepseek", "/v1/chat/completions", "authorization", "Bearer key-of-deepseek"),
        ("mistral", "/v1/chat/completions", "authorization", "Bearer key-of-mistral"),
        ("zhipu", "/api/paas/v4/chat/completions", "authorization", "Bearer key-of-zhipu"),
    ],
)
def test_a_chat_goes_where_the_vendor_takes_chats(
    platform: PlatformProcess, provider: ScriptedProvider, name: str, path: str, header: str, value: str
) -> None:
    turn = _asked(platform, provider, name)
    assert (turn.path, turn.header(header)) == (path, value)
    assert turn.header("anthropic-version") == ("2023-06-01" if name in ("bedrock", "deepseek", "zhipu") else None)


def test_who_refuses_unknown_members_gets_one_name_of_a_cap_and_no_stream_options(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    turn = _asked(platform, provider, "mistral", stream=True, max_completion_tokens=50)
    assert turn.json["max_tokens"] == 50
    assert turn.json["stream"] is True
    assert not {"max_completion_tokens", "stream_options"} & turn.json.keys()
    other = _asked(platform, provider, "zhipu", stream=True)
    assert other.json["stream_options"] == {"include_usage": True}
    assert not {"max_completion_tokens"} & other.json.keys()


GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 60, "candidatesTokenCount": 12, "totalTokenCount": 72},
    "modelVersion": "up-gemini",
}


def test_gemini_is_asked_by_its_path_whoever_asks(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    path = "/v1beta/models/up-gemini:generateContent"
    provider.plays(path, answers(json.dumps(GEMINI).encode()))
    reply = platform.ask(chat("gemini"))
    assert (reply.status, reply.json["choices"][0]["message"]["content"]) == (200, "hello")
    assert platform.record(reply.id).usage.output == 12
    [turn] = provider.seen()
    assert turn.header("x-goog-api-key") == "key-of-gemini"
    assert turn.header("authorization") is None
    assert turn.json["contents"] == [{"role": "user", "parts": [{"text": "hi"}]}]

    at = "/v1beta/models/up-gemini:streamGenerateContent?alt=sse"
    provider.plays(at, streams([b"data: " + json.dumps(GEMINI).encode() + b"\r\n\r\n"]))
    streamed = platform.ask(chat("gemini", stream=True))
    assert (streamed.status, text_of(streamed.body)) == (200, "hello")
    assert provider.seen()[-1].path == at


def test_a_refusal_of_gemini_is_read_as_its_kind_says(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    path = "/v1beta/models/up-gemini:generateContent"
    error = {"code": 400, "message": "Request payload size exceeds the limit: 1 bytes.", "status": "INVALID_ARGUMENT"}
    provider.plays(path, answers(json.dumps({"error": error}).encode(), 400))
    reply = platform.ask(chat("gemini"))
    assert (reply.status, reply.json["error"]["code"]) == (413, "request_too_large")


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "up-anthropic",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 60, "output_tokens": 12},
}


def test_anthropic_is_asked_for_messages_whoever_asks(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-anthropic", answers(json.dumps(MESSAGE).encode()))
    reply = platform.ask(chat("anthropic", max_tokens=50))
    assert (reply.status, reply.json["choices"][0]["message"]["content"]) == (200, "hello")
    [turn] = provider.seen()
    assert (turn.path, turn.header("x-api-key")) == ("/v1/messages", "key-of-anthropic")
    assert turn.header("anthropic-version") == "2023-06-01"
    assert turn.header("authorization") is None
    assert turn.json["max_tokens"] == 50


def test_who_asks_in_anthropics_format_is_served_by_the_vendors_own(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    asked = {"model": "deepseek", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
    provider.plays("up-deepseek", answers(json.dumps({**MESSAGE, "model": "up-deepseek"}).encode()))
    reply = platform.ask(asked, "/v1/messages", headers={"anthropic-version": "2026-10-21", "anthropic-beta": "a-1"})
    assert (reply.status, reply.json["content"][0]["text"]) == (200, "hello")
    [turn] = provider.seen()
    assert turn.path == "/anthropic/v1/messages"
    assert (turn.header("anthropic-version"), turn.header("anthropic-beta")) == ("2026-10-21", "a-1")


def test_an_empty_account_at_anthropic_is_not_the_callers_fault(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    error = {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}
    provider.plays("up-anthropic", answers(json.dumps({"type": "error", "error": error}).encode(), 400))
    reply = platform.ask(chat("anthropic"))
    assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_error")
    assert reply.headers["x-should-retry"] == "false"
    assert b"credit" not in reply.body


_START = {"type": "message_start", "message": {**MESSAGE, "content": [], "usage": {"input_tokens": 60}}}
_BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
_DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}}
_STOPPED = {"type": "content_block_stop", "index": 0}
_ENDING = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 12}}
_LAST = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 60, "outputTokenCount": 12}}
INVOKED = "/model/us.anthropic.claude%3A0/invoke"


def test_invoke_model_streams_in_the_framing_of_aws(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    framed = b"".join(chunk(one) for one in (_START, _BLOCK, _DELTA, _STOPPED, _ENDING, _LAST))
    provider.plays(
        f"{INVOKED}-with-response-stream", streams(framed, size=11, kind="application/vnd.amazon.eventstream")
    )
    asked = {"model": "invoke", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    own = platform.ask(asked, "/v1/messages", headers={"anthropic-beta": "compact-2026-01-12, a-1, effort-2025-11-24"})
    assert own.status == 200
    assert own.body.count(b'"text": "hello"') == 1
    assert own.body.rstrip().endswith(b'{"type":"message_stop"}')
    assert platform.record(own.id).usage.output == 12
    [turn] = provider.seen()
    assert turn.json == {
        "max_tokens": 50,
        "messages": asked["messages"],
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["compact-2026-01-12", "effort-2025-11-24"],
    }
    assert "/us-east-1/bedrock/aws4_request" in str(turn.header("authorization"))
    translated = platform.ask(chat("invoke", stream=True))
    assert (translated.status, text_of(translated.body)) == (200, "hello")


def test_invoke_model_answers_whole(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays(INVOKED, answers(json.dumps(MESSAGE).encode()))
    reply = platform.ask(chat("invoke"))
    assert (reply.status, reply.json["choices"][0]["message"]["content"]) == (200, "hello")
    [turn] = provider.seen()
    assert not {"model", "stream", "anthropic_beta"} & turn.json.keys()


def test_an_exception_in_the_framing_of_aws_is_an_error(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    kind = "application/vnd.amazon.eventstream"
    saturated = exception("throttlingException", {"message": "Too many tokens, please wait"})
    provider.plays(f"{INVOKED}-with-response-stream", streams(saturated, kind=kind))
    reply = platform.ask(chat("invoke", stream=True))
    assert (reply.status, reply.json["error"]["code"]) == (429, "rate_limit_exceeded")
    begun = b"".join(chunk(one) for one in (_START, _BLOCK, _DELTA))
    broken = exception("modelStreamErrorException", {"message": "m", "originalStatusCode": 500})
    provider.plays(f"{INVOKED}-with-response-stream", streams(begun + broken, kind=kind))
    reply = platform.ask(chat("invoke", stream=True))
    assert b"hello" in reply.body
    assert b'"error"' in reply.body
    assert b"[DONE]" not in reply.body
