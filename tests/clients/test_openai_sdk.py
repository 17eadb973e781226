"""The official `openai` package against a running platform: what an application developer does on the first day."""

from collections.abc import Callable
from typing import Literal

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from tests.clients.conftest import Connect
from tests.support.server_process import ServerProcess

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Where does the Rhine begin?"}]
WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(demo: ServerProcess, connect: Connect) -> OpenAI:
    return connect(api_key=demo.facts["api_key"])


@pytest.fixture
def tester(demo: ServerProcess, connect: Connect) -> OpenAI:
    return connect(api_key=demo.facts["test_key"])


def test_chat(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


def test_stream_says_what_the_buffered_answer_says(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    text = ""
    for chunk in client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True):
        assert chunk.choices, "nobody asked for a usage chunk"
        text += chunk.choices[0].delta.content or ""
    assert text == whole.choices[0].message.content


def test_stream_with_usage(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o",
        messages=QUESTION,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []


def test_tools(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o",
        messages=QUESTION,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.name == "get_weather"


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings(client: OpenAI, encoding: Literal["float", "base64"]) -> None:
    answer = client.embeddings.create(
        model="text-embedding-3-small",
        input=["one", "two"],
        encoding_format=encoding,
    )
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens > 0


def test_models(client: OpenAI) -> None:
    ids = [model.id for model in client.models.list()]
    assert "gpt-4o" in ids
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


def test_responses(client: OpenAI) -> None:
    answer = client.responses.create(model="gpt-4o", input="Where does the Rhine begin?")
    assert answer.output_text
    assert answer.usage is not None


def test_responses_stream(client: OpenAI) -> None:
    events = list(client.responses.create(model="gpt-4o", input="Where does the Rhine begin?", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"


def test_moderations(client: OpenAI) -> None:
    assert client.moderations.create(input="a quiet river").results[0].flagged is False


def test_completions(client: OpenAI) -> None:
    assert client.completions.create(model="gpt-4o", prompt="The Rhine begins").choices[0].text


Act = Callable[[OpenAI], object]


def ask(model: str) -> Act:
    return lambda client: client.chat.completions.create(model=model, messages=QUESTION)


def script(script: str) -> Act:
    return lambda client: client.chat.completions.create(
        model="gpt-4o",
        messages=QUESTION,
        extra_headers={"x-tollhouse-simulate": script},
    )


@pytest.mark.parametrize(
    ("act", "kind", "code"),
    [
        (ask("gpt-4O"), openai.NotFoundError, "model_not_found"),
        (script("error=invalid_api_key"), openai.AuthenticationError, "invalid_api_key"),
        (script("error=account_suspended"), openai.PermissionDeniedError, "account_suspended"),
        (script("error=invalid_request_error"), openai.BadRequestError, "invalid_request_error"),
        (script("error=rate_limit_exceeded"), openai.RateLimitError, "rate_limit_exceeded"),
        (script("error=insufficient_quota"), openai.RateLimitError, "insufficient_quota"),
        (script("error=overloaded"), openai.InternalServerError, "overloaded"),
        (script("error=upstream_error"), openai.InternalServerError, "upstream_error"),
        (script("error=upstream_timeout"), openai.InternalServerError, "upstream_timeout"),
    ],
)
def test_every_class_of_error(tester: OpenAI, act: Act, kind: type[openai.APIStatusError], code: str) -> None:
    with pytest.raises(kind) as caught:
        act(tester)
    error = caught.value
    assert error.code == code
    assert error.request_id is not None
    assert error.request_id.startswith("req_")
    assert isinstance(error.body, dict)
    assert error.body["message"]


def test_a_wrong_key(connect: Connect) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        connect(api_key="sk-th-live-nonsense").models.list()
    assert caught.value.code == "invalid_api_key"
    assert "nonsense" not in str(caught.value)


def test_a_stream_that_breaks_raises(tester: OpenAI) -> None:
    stream = tester.chat.completions.create(
        model="gpt-4o",
        messages=QUESTION,
        stream=True,
        extra_headers={"x-tollhouse-simulate": "tokens=50,cut_after=5"},
    )
    with pytest.raises(openai.APIError):
        list(stream)


def test_the_sdk_retries_by_itself_what_passes_by_itself(demo: ServerProcess, connect: Connect) -> None:
    answer = connect(api_key=demo.facts["test_key"], max_retries=2).chat.completions.create(
        model="gpt-4o",
        messages=QUESTION,
        extra_headers={"x-tollhouse-simulate": "status=503,times=2"},
    )
    assert answer.choices[0].message.content
