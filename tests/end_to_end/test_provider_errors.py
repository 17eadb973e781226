"""What providers refuse with, and what of it reaches a caller: over real sockets, in the bytes that vendors write."""

import itertools
import json
from typing import Any

import httpx2
import openai
import pytest

from tests.edge.wire_client import RawClient
from tests.end_to_end.platform_process import PlatformProcess, PlatformReply, chat, events, text_of
from tests.support.scripted_provider import DONE, LAST, ScriptedProvider, Turn, answers, golden, said, streams, word

MORE = """
[models."words"]
offers = [{ provider = "up", model = "up-words" }]
free = true
operations = ["completions"]

[models."vectors"]
offers = [{ provider = "up", model = "up-vectors" }]
free = true
operations = ["embeddings"]
""" + "".join(
    f"""
[models."{name}"]
offers = [{{ provider = "up", model = "up-{name}" }}]
free = true
"""
    for name in ("unpaid", "unknown", "shy", "many", *(f"fails-{number}" for number in range(120)))
)
_names = itertools.count()


def fresh() -> str:
    """A model whose circuit no other test has opened."""
    return f"fails-{next(_names)}"


SECRETS = (b"gpu-7", b"internal.example", b"sk-upstream", b"10.0.0.7")


def error_of(reply: PlatformReply) -> dict[str, Any]:
    error: dict[str, Any] = reply.json["error"]
    return error


def refuses(body: object, status: int = 400, kind: str = "application/json", **headers: str) -> Any:
    return answers(body if isinstance(body, bytes) else json.dumps(body).encode(), status, kind, **headers)


def test_the_reason_that_an_aggregator_holds_inside(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-house", refuses(golden("N12.json")))
    reply = platform.ask(chat())
    error = error_of(reply)
    assert (reply.status, error["param"]) == (400, "tools")
    assert "may only hold letters" in error["message"]
    assert "Nimbus" not in error["message"]


def test_a_message_that_is_an_object(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-house", refuses(golden("N13.json"), 422))
    reply = platform.ask(chat())
    error = error_of(reply)
    assert (reply.status, error["message"], error["param"]) == (400, "seed: Extra inputs are not permitted", "seed")


def test_a_list_of_errors_seven_times_takes_the_model_from_nobody(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    other = platform.manage("POST", "/accounts", {"name": "another"})
    secret = platform.manage("POST", "/keys", {"account": other["id"], "name": "theirs"})["secret"]
    provider.plays("up-many", refuses(golden("N14.json")))
    for _ in range(7):
        reply = platform.ask(chat("many"))
        assert (reply.status, error_of(reply)["message"]) == (400, "Bad input: tools must be an array")
    provider.plays("up-many", answers(said("hello")))
    assert platform.ask(chat("many"), key=secret).status == 200


BAD_EVENTS = {
    "N16": golden("N16.sse"),
    "a flat message": b'data: {"message":"worker http://gpu-7.internal.example:8000 lost","code":500}\n\n',
    "an error that is a text": b'data: {"error":"worker gpu-7.internal.example:8000 lost"}\n\n',
    "a list": b'data: [{"error":{"message":"gpu-7.internal.example lost"}}]\n\n',
    "errors": b'data: {"errors":[{"message":"gpu-7.internal.example lost"}]}\n\n',
    "a status": b'data: {"status":503,"upstream":"gpu-7.internal.example"}\n\n',
    "of no known shape": b'data: {"worker":"gpu-7.internal.example","key":"sk-upstream-a"}\n\n',
    "text": b"data: gpu-7.internal.example is away\n\n",
    "by its name": b'event: error\ndata: {"worker":"gpu-7.internal.example"}\n\n',
    "a type": b'data: {"type":"error","worker":"gpu-7.internal.example","message":"lost"}\n\n',
    "in a choice": b'data: {"choices":[{"index":0,"error":{"message":"gpu-7.internal.example"},"delta":{}}]}\n\n',
    "with a finish reason": b'data: {"choices":[{"finish_reason":"error"}],"error":{"message":"10.0.0.7"}}\n\n',
    "beside usage": b'data: {"usage":{"total_tokens":3},"detail":"gpu-7.internal.example lost"}\n\n',
    "no event at all": b'{"error":{"message":"gpu-7.internal.example lost","code":500}}\n',
    "a page": b"<html><body>gpu-7.internal.example</body></html>\n",
    "an exception": b'data: {"exception":"ConnectError","trace":"gpu-7.internal.example"}\n\n',
    "a problem": b'data: {"title":"Bad Gateway","status":502,"detail":"gpu-7.internal.example"}\n\n',
}


@pytest.mark.parametrize("shape", BAD_EVENTS)
def test_an_event_that_is_no_chunk_goes_on_to_nobody(
    platform: PlatformProcess, provider: ScriptedProvider, shape: str
) -> None:
    first = b"" if shape == "N16" else word("Kol")
    model = fresh()
    provider.plays(f"up-{model}", streams(first + BAD_EVENTS[shape] + DONE if shape != "N16" else BAD_EVENTS[shape]))
    reply = platform.ask(chat(model, stream=True))
    assert reply.status == 200
    assert text_of(reply.body) == "Kol"
    *_, last = events(reply.body)
    assert last["error"]["code"] in ("upstream_error", "overloaded")
    assert b"[DONE]" not in reply.body
    assert reply.broken
    assert not [secret for secret in SECRETS if secret in reply.body]


@pytest.mark.parametrize("shape", [shape for shape in BAD_EVENTS if shape not in ("in a choice", "beside usage")])
def test_on_responses(platform: PlatformProcess, provider: ScriptedProvider, shape: str) -> None:
    delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Kol"}\n\n'
    bad = BAD_EVENTS[shape].partition(b"\n\n")[2] if shape == "N16" else BAD_EVENTS[shape]
    model = fresh()
    provider.plays(f"up-{model}", streams(delta + bad))
    reply = platform.ask({"model": model, "input": "hi", "stream": True}, "/v1/responses")
    assert b'"delta":"Kol"' in reply.body
    assert b"event: error" in reply.body
    assert reply.broken
    assert not [secret for secret in SECRETS if secret in reply.body]


@pytest.mark.parametrize("shape", BAD_EVENTS)
def test_on_completions_and_gathered(platform: PlatformProcess, provider: ScriptedProvider, shape: str) -> None:
    piece = b'data: {"choices":[{"index":0,"text":"Kol","finish_reason":null}]}\n\n'
    bad = BAD_EVENTS[shape].partition(b"\n\n")[2] if shape == "N16" else BAD_EVENTS[shape]
    model = fresh()
    provider.plays(f"up-{model}", streams(piece + bad + DONE))
    reply = platform.ask({"model": model, "prompt": "hi", "stream": True}, "/v1/completions")
    assert reply.broken
    whole = platform.ask({"model": model, "prompt": "hi"}, "/v1/completions")
    assert whole.status in (502, 503)
    for body in (reply.body, whole.body):
        assert not [secret for secret in SECRETS if secret in body]


@pytest.mark.parametrize(
    "life", [b'data: {"type":"ping"}\n\n', b"event: ping\ndata: {}\n\n", b'data: {"object":"ping"}\n\n']
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_sign_of_life_breaks_nothing(
    platform: PlatformProcess, provider: ScriptedProvider, life: bytes, stream: bool
) -> None:
    provider.plays("up-house", streams(life + word("Kol") + life + LAST))
    reply = platform.ask(chat(stream=stream))
    assert b"ping" not in reply.body
    assert "Kol" in (text_of(reply.body) if stream else reply.json["choices"][0]["message"]["content"])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses"])
def test_a_broken_stream_has_no_last_chunk(platform: PlatformProcess, path: str) -> None:
    asked = {"/v1/responses": {"input": "hi"}, "/v1/completions": {"prompt": "hi"}}.get(path, {})
    test_key = platform.manage("POST", "/keys", {"name": f"test {path}", "account": "demo", "mode": "test"})["secret"]
    body: dict[str, object] = {
        **(asked or {"messages": [{"role": "user", "content": "hi"}]}),
        "model": "house-1",
        "stream": True,
    }
    if path == "/v1/completions":
        body["model"] = "words"
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {test_key}\r\nContent-Type: application/json\r\n"
        f"x-tollhouse-simulate: cut_after=6\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with RawClient(platform.port) as wire:
        wire.send(head.encode() + data)
        told = wire.rest()
    assert b'"error"' in told
    assert not told.endswith(b"0\r\n\r\n")
    assert b"[DONE]" not in told
    assert told.endswith(b"\n\n\r\n"), "the error event itself arrived whole"


def _client(platform: PlatformProcess, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"http://127.0.0.1:{platform.port}/v1", api_key=key, max_retries=0)


@pytest.mark.parametrize("route", ["chat", "responses"])
def test_the_official_client_raises(platform: PlatformProcess, route: str) -> None:
    key = platform.manage("POST", "/keys", {"name": f"test {route}", "account": "demo", "mode": "test"})["secret"]
    script = {"x-tollhouse-simulate": "cut_after=6"}
    messages: Any = [{"role": "user", "content": "hi"}]
    stream: Any
    with _client(platform, key) as client:
        if route == "chat":
            chat = client.chat.completions
            stream = chat.create(model="house-1", messages=messages, stream=True, extra_headers=script)
        else:
            stream = client.responses.create(model="house-1", input="hi", stream=True, extra_headers=script)
        with pytest.raises((openai.APIError, httpx2.RemoteProtocolError)):
            list(stream)


def test_code_and_members_of_a_refusal_stay(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    refused = {
        "message": "Failed to call a function. See 'failed_generation' for more details.",
        "type": "invalid_request_error",
        "code": "tool_use_failed",
        "failed_generation": '<function=open_gate{"gate": 5}</function>',
    }
    provider.plays("up-house", refuses({"error": refused}))
    error = error_of(platform.ask(chat()))
    assert error == {**refused, "param": None}


def test_a_prompt_that_is_too_long_for_vllm(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    reason = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
    provider.plays("up-house", refuses({"error": {"message": reason, "type": "BadRequestError", "code": 400}}))
    error = error_of(platform.ask(chat()))
    assert (error["code"], error["message"]) == ("context_length_exceeded", reason)


def test_the_callers_own_address_stays(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    url = "https://images.example.com/gate.png?size=2"
    part = {"type": "image_url", "image_url": {"url": url}}
    reason = f"Failed to download {url}: http://gpu-7.internal.example:3128 answered 404 (images.example.com)"
    provider.plays("up-house", refuses({"error": {"message": reason, "code": "invalid_image_url"}}))
    error = error_of(platform.ask(chat(messages=[{"role": "user", "content": [part]}])))
    assert error["message"] == f"Failed to download {url}: [removed] answered 404 (images.example.com)"
    assert error["code"] == "invalid_image_url"


def test_a_model_is_told_by_the_name_that_the_caller_knows(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    provider.plays("up-house", refuses({"error": {"message": "up-house does not support logprobs"}}))
    assert error_of(platform.ask(chat()))["message"] == "house-1 does not support logprobs"


@pytest.mark.parametrize("status", [402, 429])
def test_the_first_answer_says_already_that_a_retry_is_no_use(
    platform: PlatformProcess, provider: ScriptedProvider, status: int
) -> None:
    provider.plays("up-unpaid", refuses({"error": {"message": "pay", "code": "insufficient_quota"}}, status))
    for _ in range(2):
        reply = platform.ask(chat("unpaid"))
        assert (reply.status, reply.headers["x-should-retry"]) == (502, "false")


def test_a_model_that_does_not_serve_the_operation(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    for path, body in (
        ("/v1/chat/completions", chat("words")),
        ("/v1/embeddings", {"model": "words", "input": "hi"}),
        ("/v1/chat/completions", chat("vectors")),
    ):
        reply = platform.ask(body, path)
        assert (reply.status, error_of(reply)["param"]) == (400, "model")
    message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
    provider.plays("up-house", refuses({"error": {"message": message, "param": "model", "code": None}}, 404))
    reply = platform.ask(chat())
    assert (reply.status, error_of(reply)["message"]) == (400, message)


def test_an_unknown_model_is_the_operators_affair(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    words = "The model `up-unknown` does not exist at gpu-7.internal.example"
    provider.plays("up-unknown", refuses({"error": {"message": words, "code": "model_not_found"}}, 404))
    reply = platform.ask(chat("unknown"))
    assert (reply.status, reply.code) == (502, "upstream_error")
    assert "up-unknown" not in error_of(reply)["message"]
    line = platform.logged(lambda one: one["event"] == "provider_trouble" and one["upstream_model"] == "up-unknown")
    assert line["words"] == f"HTTP 404: {words}"
    assert words in _doctor(platform)
    provider.plays("up-unknown", answers(said("hello")))
    assert platform.ask(chat("unknown")).status == 200
    assert words not in _doctor(platform)


def _doctor(platform: PlatformProcess) -> str:
    found = platform.tollhouse("doctor", fails=True)
    return str(next(one["reason"] for one in found["checks"] if one["id"] == "provider_refusals"))


def test_a_live_key_is_told_that_scripts_take_a_test_key(platform: PlatformProcess) -> None:
    reply = platform.ask(chat("simulate/status=503"))
    assert (reply.status, reply.code) == (404, "model_not_found")
    assert "test-mode key" in error_of(reply)["message"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_named_with_their_cure_and_never_followed(
    platform: PlatformProcess, provider: ScriptedProvider, status: int
) -> None:
    model = fresh()
    provider.plays(f"up-{model}", answers(b"", status, Location="https://elsewhere.example/v1/chat/completions"))
    reply = platform.ask(chat(model))
    assert (reply.status, reply.code) == (502, "upstream_error")
    assert b"elsewhere" not in reply.body
    assert len(provider.turns) == 1
    line = platform.logged(lambda one: one["event"] == "provider_trouble" and one["upstream_model"] == f"up-{model}")
    assert "elsewhere.example" in line["words"]
    assert "base_url" in line["words"]


def _writes(data: bytes) -> Any:
    async def play(turn: Turn) -> None:
        await turn.write(data)
        turn.close()

    return play


WHOLE = said("hello")
PAGE = b"<html><body>gpu-7.internal.example</body></html>"
ODD_ANSWERS = {
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 502),
    "206": (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}", 502),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", 502),
    "101": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502),
    "103 and nothing": (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 502),
    "100 and 103 before": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + WHOLE,
        200,
    ),
    "an empty head": (b"HTTP/1.1 200 OK\r\n\r\n" + WHOLE, 200),
    "an empty body": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 502),
    "null": (b"HTTP/1.1 200 OK\r\n\r\nnull", 502),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE, 502),
    "an error": (b'HTTP/1.1 200 OK\r\n\r\n{"error":{"message":"gpu-7.internal.example died","code":500}}', 502),
    "an answer as text": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + WHOLE, 200),
    "an answer as events": (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + WHOLE, 200),
    "events as JSON": (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + word("hello") + LAST, 200),
    "events as text": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + word("hello") + LAST, 200),
    "an error event as JSON": (b'HTTP/1.1 200 OK\r\n\r\ndata: {"error":{"message":"gpu-7"}}\n\n', 502),
    "an empty 500": (b"HTTP/1.1 500 .\r\n\r\n", 502),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("shape", ODD_ANSWERS)
def test_odd_answers_are_502_and_tell_nothing(
    platform: PlatformProcess, provider: ScriptedProvider, shape: str, stream: bool
) -> None:
    data, status = ODD_ANSWERS[shape]
    model = fresh()
    provider.plays(f"up-{model}", _writes(data))
    reply = platform.ask(chat(model, stream=stream))
    assert reply.status == status, reply
    assert not [secret for secret in SECRETS if secret in reply.body]
    if status == 200:
        text = text_of(reply.body) if stream else reply.json["choices"][0]["message"]["content"]
        assert text == "hello"
        assert not reply.broken


def test_an_answer_that_says_nothing_passes_as_it_came_and_its_stream_does_not_look_whole(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": None}
    body = json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    provider.plays("up-shy", answers(body))
    reply = platform.ask(chat("shy"))
    assert (reply.status, reply.body) == (200, body)
    assert platform.record(reply.id).usage_source in ("upstream", "counted")
    streamed = platform.ask(chat("shy", stream=True))
    assert streamed.status == 502 or streamed.broken
    assert b"[DONE]" not in streamed.body
