"""The official client through the platform to a second process that speaks OpenAI's format over a real socket."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import WAIT_SECONDS_MAX, PlatformProcess, charge_nusd

PRICE = {"input": "2.50", "output": "10.00"}
QUESTION: Any = [{"role": "user", "content": "Where does the Rhine begin?"}]
PROVIDER_KEY = "sk-only-this-one"


@pytest.fixture(scope="module")
def second_base_url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.simulator.second_provider", "--key", PROVIDER_KEY]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield process.stdout.readline().decode().strip()
    process.terminate()
    process.wait(WAIT_SECONDS_MAX)
    process.stdout.close()


@pytest.fixture(scope="module")
def platform(start: Start, second_base_url: str) -> PlatformProcess:
    models = "".join(
        f"""
[models."{name}"]
offers = [{{ provider = "second", model = "{name}" }}]
price = {{ input = "2.50", output = "10.00" }}
"""
        for name in ("gpt-5", "embed-1", "house-2")
    )
    return start(f"""
[providers.second]
kind = "openai"
base_url = "{second_base_url}"
api_keys = ["{PROVIDER_KEY}"]

[providers.first]
kind = "openai"
base_url = "{second_base_url}"
api_keys = ["sk-not-this-one"]

[models.failing]
offers = [
    {{ provider = "first", model = "failing" }},
    {{ provider = "second", model = "simulate/status=500", priority = 1 }},
    {{ provider = "second", model = "failing", priority = 2 }},
]
price = {{ input = "2.50", output = "10.00" }}
{models}""")


@pytest.fixture
def client(platform: PlatformProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"http://127.0.0.1:{platform.port}/v1", api_key=platform.key, max_retries=0) as made:
        yield made


def test_chat_and_its_record(platform: PlatformProcess, client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=QUESTION)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.usage is not None
    record = platform.record(raw.headers["x-request-id"])
    assert (record.provider, record.ending, record.usage_source) == ("second", "finished", "upstream")
    expected = answer.usage.prompt_tokens * 2_500 + answer.usage.completion_tokens * 10_000
    assert charge_nusd(record, PRICE) == expected
    assert record.client.startswith("OpenAI/Python")


def test_stream_says_what_the_buffered_answer_says(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="gpt-5", messages=QUESTION)
    stream: Iterator[Any] = iter(client.chat.completions.create(model="gpt-5", messages=QUESTION, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == whole.choices[0].message.content


def test_every_operation(client: openai.OpenAI) -> None:
    assert client.responses.create(model="gpt-5", input="Where does the Rhine begin?").output_text
    kinds = [event.type for event in client.responses.create(model="gpt-5", input="Where?", stream=True)]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert client.completions.create(model="gpt-5", prompt="The Rhine begins").choices[0].text
    assert len(client.embeddings.create(model="embed-1", input=["one", "two"]).data) == 2
    assert client.moderations.create(model="house-2", input="a quiet river").results[0].flagged is False


def test_tools(client: openai.OpenAI) -> None:
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    asked: dict[str, Any] = {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    }
    answer = client.chat.completions.create(model="gpt-5", messages=QUESTION, **asked)
    assert answer.choices[0].message.tool_calls


def test_two_failing_offers_before_the_good_one(platform: PlatformProcess, client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="failing", messages=QUESTION)
    assert raw.parse().choices[0].message.content
    record = platform.record(raw.headers["x-request-id"])
    assert [(one.provider, one.error is None) for one in record.attempts] == [
        ("first", False),
        ("second", False),
        ("second", True),
    ]


def test_providers_check_says_which_key_is_wrong(platform: PlatformProcess) -> None:
    trials = platform.manage("POST", "/providers/check", {})["data"]
    states = {trial["provider"]: trial["state"] for trial in trials}
    assert states["second"] == "green"
    assert states["first"] == "red"
    assert PROVIDER_KEY not in str(trials)
