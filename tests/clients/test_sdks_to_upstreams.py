"""The official packages against every shape of upstream: one suite of behaviours, each client to each upstream."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from tests.clients.drivers.anthropic_messages import Anthropic
from tests.clients.drivers.driver import TOOL, SdkAnswer, SdkDriver, Trip
from tests.clients.drivers.google_genai import GoogleGenAI
from tests.clients.drivers.openai_chat import OpenAIChat
from tests.clients.drivers.openai_responses import OpenAIResponses
from tests.clients.platform_with_upstreams import SHAPES, Platform, provider_of
from tests.clients.upstreams.gemini import GEMINI
from tests.clients.upstreams.messages import MESSAGES
from tests.clients.upstreams.plan import ALOUD, CACHED, CITIES, INPUT, LONG_WORDS, OUTPUT, THOUGHT, THOUGHTS, WRITTEN
from tests.clients.upstreams.responses import ENCRYPTED, RESPONSES
from tests.clients.upstreams.server import VendorShape

pytestmark = pytest.mark.clients
DRIVERS: Final = (OpenAIChat, OpenAIResponses, Anthropic, GoogleGenAI)
WEATHER: Final = [(TOOL, {"city": CITIES[0], "days": 7})]
BOTH: Final = [*WEATHER, (TOOL, {"city": CITIES[1], "days": 8})]
RESULT: Final = f"The tool said: {CITIES[0]}: 12 °C"
SILENT: Final = (("openai-chat", "gemini"), ("openai-chat", "responses"))
"""Thoughts that are not told unless that is asked for, which chat completions have no word for."""
PDF: Final = b"%PDF-1.4\n%%EOF\n"


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pixels


def name_of(param: type[SdkDriver] | VendorShape) -> str:
    return param.name


@pytest.fixture(params=DRIVERS, ids=name_of, scope="module")
def client(request: pytest.FixtureRequest, platform: Platform) -> Iterator[SdkDriver]:
    driver = request.param(platform.base_url, platform.key)
    yield driver
    driver.close()


@pytest.fixture(params=SHAPES, ids=name_of)
def upstream(request: pytest.FixtureRequest, platform: Platform) -> Iterator[str]:
    """The name of a shape; its server has nothing to complain about after the test."""
    with platform.uncomplaining(request.param.name):
        yield request.param.name


@pytest.fixture
def model(upstream: str) -> str:
    return f"{upstream}-1"


def test_text(client: SdkDriver, model: str) -> None:
    heard = client.text(model, 'Grüße, "Welt"! 😀', system="Be brief.")
    assert heard == SdkAnswer(
        text='You said: Grüße, "Welt"! 😀 As told: Be brief.', finish="stop", usage=(INPUT, 0, OUTPUT)
    )


def test_turns(client: SdkDriver, model: str) -> None:
    assert client.chat(model, "first", "an answer", "second").text == "You said: second"


def test_stream(client: SdkDriver, model: str) -> None:
    heard = client.stream(model, "Grüße 😀 and more of it")
    assert (heard.text, heard.finish) == ("You said: Grüße 😀 and more of it", "stop")
    assert heard.usage == (INPUT, 0, OUTPUT)
    assert heard.pieces > 3


def test_long_stream(client: SdkDriver, model: str) -> None:
    heard = client.stream(model, "[long]")
    assert heard.text == " ".join(f"word{number}" for number in range(LONG_WORDS))
    assert heard.pieces > LONG_WORDS // 2


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_tool_both_ways(client: SdkDriver, model: str, stream: bool) -> None:
    called, told = client.use_tools(model, "What is it like there?", stream=stream)
    assert (called.calls, called.finish, called.text) == (WEATHER, "tools", "")
    assert (told.text, told.finish, told.calls) == (RESULT, "stop", [])


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_parallel_tools_after_a_text(client: SdkDriver, model: str, stream: bool) -> None:
    called, told = client.use_tools(model, "[parallel] [aloud] What is it like there?", stream=stream)
    assert (called.calls, called.finish, called.text) == (BOTH, "tools", ALOUD)
    assert told.text == f"{RESULT} & {CITIES[1]}: 13 °C"


def test_a_tool_that_must_be_called(client: SdkDriver, model: str) -> None:
    assert client.forced(model, "Hello").calls == WEATHER


def test_picture(client: SdkDriver, model: str) -> None:
    picture = png()
    heard = client.show(model, "What is this?", "image/png", picture)
    assert heard.text == f"You said: What is this? I see image/png of {len(picture)} bytes."


def test_document(client: SdkDriver, model: str) -> None:
    heard = client.show(model, "What is this?", "application/pdf", PDF)
    assert heard.text == f"You said: What is this? I see application/pdf of {len(PDF)} bytes."


@pytest.mark.parametrize("client", [OpenAIResponses, Anthropic, GoogleGenAI], indirect=True, ids=name_of)
def test_tool_that_gives_a_picture(client: SdkDriver, upstream: str, model: str) -> None:
    """Where the vendor has no place for it in the result, it stands behind that."""
    _, told = client.use_tools(model, "What is it like there?", picture=png())
    assert told.text.startswith(RESULT)
    assert told.text.count(f"image/png of {len(png())} bytes") == 1


def test_structured_output(client: SdkDriver, model: str) -> None:
    assert client.parse(model, "Where to?").parsed == Trip(city=CITIES[0], days=7, tags=[CITIES[0]])


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("words", ["", "[parallel] [aloud] "], ids=["one", "parallel"])
def test_thinking_over_two_turns(
    client: SdkDriver, platform: Platform, upstream: str, model: str, stream: bool, words: str
) -> None:
    called, told = client.use_tools(model, f"{words}What is it like there?", stream=stream, thinks=True)
    assert called.calls == (BOTH if words else WEATHER)
    assert told.text.startswith(RESULT)
    if (client.name, upstream) not in SILENT:
        assert (called.thoughts, told.thoughts) == (THOUGHTS, THOUGHTS)
        assert (called.reasoning, told.reasoning) == (THOUGHT, THOUGHT)
    if upstream == "responses":
        sent = platform.upstreams[upstream].received[-1].body["input"]
        assert [item["encrypted_content"] for item in sent if item.get("type") == "reasoning"] == [ENCRYPTED]


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("upstream", [MESSAGES], indirect=True, ids=name_of)
def test_hidden_thinking_over_two_turns(client: SdkDriver, model: str, stream: bool) -> None:
    called, told = client.use_tools(model, "[redacted] What is it like there?", stream=stream, thinks=True)
    assert called.calls == WEATHER
    assert told.text.startswith(RESULT)


@pytest.mark.parametrize("upstream", [RESPONSES, MESSAGES, GEMINI], indirect=True, ids=name_of)
def test_thinking_of_which_an_application_sends_nothing_back(platform: Platform, model: str) -> None:
    """It knows OpenAI's own members alone: what has to come back goes with the calls."""
    with ExitStack() as ends:
        client = OpenAIChat(platform.base_url, platform.key)
        ends.callback(client.close)
        called, told = client.use_tools(model, "What is it like there?", thinks=True, forgets=True)
    assert (called.calls, told.text) == (WEATHER, RESULT)


@pytest.mark.parametrize("upstream", [MESSAGES, GEMINI], indirect=True, ids=name_of)
def test_thinking_of_another_generation(client: SdkDriver, upstream: str) -> None:
    called, told = client.use_tools(f"{upstream}-2", "What is it like there?", stream=True, thinks=True)
    assert (called.calls, told.text) == (WEATHER, RESULT)
    if (client.name, upstream) not in SILENT:
        assert (called.thoughts, told.thoughts) == (THOUGHTS, THOUGHTS)


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("then", SHAPES, ids=name_of)
def test_another_model_gets_the_results(
    client: SdkDriver, platform: Platform, upstream: str, then: VendorShape, stream: bool
) -> None:
    """What one maker signed is no other's business, and keeps nobody from going on."""
    with platform.uncomplaining(then.name):
        question = "[parallel] [aloud] What is it like there?"
        called, told = client.use_tools(f"{upstream}-1", question, stream=stream, thinks=True, then=f"{then.name}-1")
    assert called.calls == BOTH
    assert told.text == f"{RESULT} & {CITIES[1]}: 13 °C"


@pytest.mark.parametrize("finish", ["length", "filter"])
@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_why_an_answer_ended(client: SdkDriver, model: str, finish: str, stream: bool) -> None:
    ask = client.stream if stream else client.text
    assert ask(model, f"[finish={finish}] Hello").finish == finish


def test_usage_with_caches(client: SdkDriver, model: str, upstream: str) -> None:
    for ask in (client.text, client.stream):
        assert ask(model, "[cached] Hello").usage == (INPUT, CACHED, OUTPUT)
    assert WRITTEN + CACHED < INPUT


CHARGE_NUSD: Final = INPUT * 2_500 + OUTPUT * 10_000


def test_what_is_charged(client: SdkDriver, model: str, platform: Platform) -> None:
    """The same for the same, whoever asks whom, in one piece or streamed."""
    charges = []
    for prompt in ("Hello", "[cached] Hello"):
        for ask in (client.text, client.stream):
            ask(model, prompt)
            charges.append(platform.charged_nusd())
    cached = CHARGE_NUSD - CACHED * (2_500 - 250)
    written = WRITTEN * (3_000 - 2_500) if model == "messages-1" else 0
    assert charges == [CHARGE_NUSD, CHARGE_NUSD, cached + written, cached + written]


@pytest.mark.parametrize("client", [OpenAIChat, Anthropic, GoogleGenAI], indirect=True, ids=name_of)
def test_stop_sequence_and_sampling(client: SdkDriver, model: str, upstream: str, platform: Platform) -> None:
    if upstream == "responses":
        with pytest.raises(client.errors.by_status[400], match="stop"):
            client.text(model, "Hello", stop="END")
        return
    assert client.text(model, "Hello", stop="END").text == "You said: Hello"
    sent = platform.upstreams[upstream].received[-1].body
    config = sent.get("generationConfig", sent)
    assert "END" in str(config.get("stop") or config.get("stop_sequences") or config.get("stopSequences"))
    assert config["temperature"] == 0.5


FAILURES: Final = {400: 400, 401: 502, 403: 502, 404: 502, 429: 429, 500: 502, 503: 503, 529: 503}


@pytest.mark.parametrize("status", FAILURES)
def test_error_of_the_upstream(client: SdkDriver, upstream: str, status: int) -> None:
    expected = FAILURES[status]
    told = client.errors.overloaded if expected == 503 else expected
    with pytest.raises(client.errors.by_status[told]) as caught:
        client.text(provider_of(upstream, client.name, f"fail-{status}"), f"[fail={status}] Hello")
    assert client.status(caught.value) == told
    if status == 400:
        assert "made to fail with 400" in str(caught.value)


@pytest.mark.parametrize("broken", ["[cut]", "[mid=500]", "[mid=503]"])
def test_stream_that_breaks(client: SdkDriver, upstream: str, broken: str) -> None:
    with pytest.raises(client.errors.broken, match=r"The provider .* Request id: req_"):
        client.stream(provider_of(upstream, client.name, "broken"), f"{broken} What is it like there, my friend?")


def test_the_sdk_tries_again(client: SdkDriver, upstream: str, platform: Platform) -> None:
    name = provider_of(upstream, client.name, "again")
    assert client.text(name, f"[fail=503,2,{client.name}] Hello", retries=3).text == "You said: Hello"
    assert len(platform.upstreams[upstream].received) == 3


def test_an_upstream_that_is_too_slow(client: SdkDriver, upstream: str) -> None:
    with pytest.raises(client.errors.by_status[504]) as caught:
        client.text(provider_of(upstream, client.name, "slow"), "[slow=2] Hello")
    assert client.status(caught.value) == 504


def test_a_client_that_does_not_wait(client: SdkDriver, upstream: str) -> None:
    with pytest.raises(client.errors.timeout):
        client.wait(provider_of(upstream, client.name, "patient"), "[slow=1.5] Hello", 0.5)


@pytest.mark.parametrize("client", [Anthropic, GoogleGenAI], indirect=True, ids=name_of)
def test_count_of_tokens(client: Anthropic | GoogleGenAI, model: str) -> None:
    assert client.count(model, "Hello") > 0


def test_a_model_that_is_not_there(client: SdkDriver, upstream: str) -> None:
    with pytest.raises(client.errors.by_status[404], match="nowhere-1"):
        client.text("nowhere-1", "Hello")


def test_a_wrong_key(client: SdkDriver, platform: Platform) -> None:
    other = type(client)(platform.base_url, "sk-th-live-nonsense")  # type: ignore[call-arg]
    with pytest.raises(client.errors.by_status[401]):
        other.text("chat-1", "Hello")
