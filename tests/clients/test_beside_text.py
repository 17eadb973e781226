"""Rankings, pictures and speech by the official `openai` package, and by plain HTTP where it has no method."""

import base64
import json
import time
import wave
from email.message import Message
from io import BytesIO
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx2
import openai
import pytest
from openai import OpenAI

from tests.clients.conftest import Connect
from tests.support.server_process import ServerProcess

DOCUMENTS = ["the harbour lies in the south", "a toll is taken at the bridge", "each toll is paid in silver"]
OLD = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
"""Of methods that the package has for models of old."""
TEXT = "Who crosses the bridge pays the toll."


@pytest.fixture
def client(demo: ServerProcess, connect: Connect) -> OpenAI:
    return connect(api_key=demo.facts["api_key"])


@pytest.fixture
def tester(demo: ServerProcess, connect: Connect) -> OpenAI:
    return connect(api_key=demo.facts["test_key"])


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def post(demo: ServerProcess, path: str, key: str = "api_key", **body: Any) -> Answer:
    headers = {"Authorization": f"Bearer {demo.facts[key]}", "Content-Type": "application/json"}
    request = Request(f"{demo.facts['base_url']}/v1{path}", json.dumps(body).encode(), headers)
    try:
        with urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers, refused.read())


def test_documents_are_ranked_best_first(demo: ServerProcess) -> None:
    asked: dict[str, Any] = {"model": "rerank-2.5", "query": "toll bridge", "documents": DOCUMENTS}
    answer = post(demo, "/rerank", **asked, top_n=2, return_documents=True)
    assert answer.status == 200, answer.body
    told = answer.json
    assert [one["index"] for one in told["results"]] == [1, 2]
    assert told["results"][0]["relevance_score"] > told["results"][1]["relevance_score"]
    assert told["results"][0]["document"] == {"text": DOCUMENTS[1]}
    assert told["usage"]["total_tokens"] > 0
    assert float(answer.headers["x-tollhouse-charge-usd"]) == told["usage"]["total_tokens"] * 0.05 / 1_000_000
    assert "document" not in post(demo, "/rerank", **asked).json["results"][0]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"documents": ["a"]}, "query"),
        ({"query": "a"}, "documents"),
        ({"query": "a", "documents": []}, "documents"),
        ({"query": "a", "documents": [1]}, "documents[0]"),
        ({"query": "a", "documents": ["a"], "top_n": 0}, "top_n"),
    ],
)
def test_a_ranking_that_cannot_be_read_is_refused(demo: ServerProcess, body: dict[str, Any], param: str) -> None:
    answer = post(demo, "/rerank", model="rerank-2.5", **body)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


def test_a_picture_by_tokens(client: OpenAI) -> None:
    raw = client.images.with_raw_response.generate(model="gpt-image-1.5", prompt=TEXT, n=2, quality="low")
    answer = raw.parse()
    assert answer.data is not None
    assert [base64.b64decode(one.b64_json or "")[:8] for one in answer.data] == [b"\x89PNG\r\n\x1a\n"] * 2
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2 * 272
    read = answer.usage.input_tokens
    assert float(raw.headers["x-tollhouse-charge-usd"]) == pytest.approx((read * 5 + 2 * 272 * 32) / 1_000_000)


def test_a_picture_by_the_piece(client: OpenAI) -> None:
    raw = client.images.with_raw_response.generate(model="dall-e-3", prompt=TEXT, response_format="url")
    data = raw.parse().data
    assert data is not None
    assert (data[0].url or "").startswith("data:image/png;base64,")
    assert raw.headers["x-tollhouse-charge-usd"] == "0.04"
    dearer = client.images.with_raw_response.generate(model="dall-e-3", prompt=TEXT, quality="hd")
    assert dearer.headers["x-tollhouse-charge-usd"] == "0.08"
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="dall-e-3", prompt=TEXT, size="1792x1024")
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "size")


def test_a_picture_that_comes_bit_by_bit(client: OpenAI) -> None:
    with client.images.generate(model="gpt-image-1.5", prompt=TEXT, stream=True, partial_images=2) as stream:
        events: list[Any] = list(stream)
    partial = "image_generation.partial_image"
    assert [one.type for one in events] == [partial, partial, "image_generation.completed"]
    assert events[-1].usage.output_tokens == 1_056 + 200
    assert float(events[-1].tollhouse["charge_usd"]) > 0


def test_a_drawing_as_svg_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="gpt-image-1.5", prompt=TEXT, output_format="svg")
    assert refused.value.param == "output_format"


def test_speech_is_paid_by_the_character(client: OpenAI) -> None:
    answer = client.audio.speech.with_raw_response.create(
        model="tts-1", voice="alloy", input=TEXT, response_format="wav"
    )
    assert answer.headers["content-type"] == "audio/wav"
    assert float(answer.headers["x-tollhouse-charge-usd"]) == pytest.approx(len(TEXT) * 0.000015)
    with wave.open(BytesIO(answer.content)) as sound:
        assert sound.getnframes() == round(len(TEXT) / 15 * 24_000)


def test_speech_streams(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=TEXT) as answer:
        pieces = list(answer.iter_bytes(500))
        assert answer.headers["content-type"] == "audio/mpeg"
        assert "transfer-encoding" in answer.headers
    assert b"".join(pieces).count(b"\xff\xfb\x90\x00") == round(len(TEXT) / 15 * 44_100 / 1_152)


def test_speech_by_tokens_tells_them_in_events(demo: ServerProcess) -> None:
    answer = post(demo, "/audio/speech", model="gpt-4o-mini-tts", voice="alloy", input=TEXT, stream_format="sse")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    assert [one["type"] for one in events[:1] + events[-1:]] == ["speech.audio.delta", "speech.audio.done"]
    usage = events[-1]["usage"]
    assert float(events[-1]["tollhouse"]["charge_usd"]) == pytest.approx(
        (usage["input_tokens"] * 0.6 + usage["output_tokens"] * 12) / 1_000_000
    )


def spoken(client: OpenAI, seconds: int = 3) -> bytes:
    """A sound of about so many seconds."""
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="a" * 15 * seconds, response_format="wav")
    return answer.content


@pytest.mark.parametrize("form", ["json", "text", "srt", "vtt", "verbose_json"])
def test_sound_is_written_down_in_every_form_and_paid_by_the_second(client: OpenAI, form: Any) -> None:
    raw = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=("a.wav", spoken(client)), response_format=form
    )
    assert float(raw.headers["x-tollhouse-charge-usd"]) == pytest.approx(3 * 0.0001)
    answer: Any = raw.parse()
    if form in ("json", "verbose_json"):
        assert raw.headers["content-type"] == "application/json"
        assert "Simulated answer" in answer.text
        assert form == "json" or answer.duration == 3.0
    else:
        assert raw.headers["content-type"].startswith("text/plain")
        assert "Simulated answer" in answer
        assert form == "text" or "00:00:03" in answer


def test_sound_by_tokens(client: OpenAI) -> None:
    sound = ("a.wav", spoken(client))
    raw = client.audio.transcriptions.with_raw_response.create(model="gpt-4o-transcribe", file=sound, prompt="a toll")
    usage: Any = raw.parse().usage
    assert usage.input_token_details.audio_tokens == 30
    read, wrote = usage.input_token_details.text_tokens, usage.output_tokens
    assert float(raw.headers["x-tollhouse-charge-usd"]) == pytest.approx((read * 2.5 + 30 * 6 + wrote * 10) / 1e6)
    events: list[Any] = list(
        client.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound, prompt="a toll", stream=True)
    )
    assert events[-1].type == "transcript.text.done"
    assert "".join(one.delta for one in events[:-1]) == events[-1].text == raw.parse().text
    assert float(events[-1].tollhouse["charge_usd"]) == float(raw.headers["x-tollhouse-charge-usd"])


@OLD
def test_sound_said_in_english(client: OpenAI) -> None:
    raw = client.audio.translations.with_raw_response.create(model="whisper-1", file=("a.wav", spoken(client)))
    assert "Simulated answer" in raw.parse().text
    assert float(raw.headers["x-tollhouse-charge-usd"]) == pytest.approx(3 * 0.0001)


@OLD
def test_pictures_are_edited(client: OpenAI) -> None:
    drawn = client.images.generate(model="dall-e-2", prompt=TEXT, size="256x256", response_format="b64_json").data
    assert drawn is not None
    picture = ("a.png", base64.b64decode(drawn[0].b64_json or ""), "image/png")
    raw = client.images.with_raw_response.edit(model="gpt-image-1.5", prompt=TEXT, image=[picture, picture], n=2)
    answer = raw.parse()
    assert len(answer.data or ()) == 2
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 646
    events: list[Any] = list(client.images.edit(model="gpt-image-1.5", prompt=TEXT, image=picture, stream=True))
    assert [one.type for one in events] == ["image_edit.completed"]
    raw = client.images.with_raw_response.create_variation(model="dall-e-2", image=picture, n=2, size="256x256")
    assert len(raw.parse().data or ()) == 2
    assert raw.headers["x-tollhouse-charge-usd"] == "0.04"


@pytest.mark.parametrize("fault", ["error=overloaded", "status=503", "malformed", "cut_after=1"])
def test_each_operation_has_its_faults(tester: OpenAI, demo: ServerProcess, fault: str) -> None:
    model = f"simulate/{fault}"
    with pytest.raises(openai.APIError):
        tester.images.generate(model=model, prompt=TEXT)
    with pytest.raises((openai.APIError, httpx2.TransportError)):
        tester.audio.speech.create(model=model, voice="alloy", input=TEXT * 9)
    assert post(demo, "/rerank", "test_key", model=model, query="a", documents=["b"]).status >= 400


@OLD
def test_the_account_reads_what_it_used(demo: ServerProcess, connect: Connect, client: OpenAI) -> None:
    """Pictures, characters and seconds stand where the original has them."""
    client.images.generate(model="dall-e-2", prompt=TEXT, n=2, size="256x256")
    client.audio.translations.create(model="whisper-1", file=("a.wav", spoken(client)))
    usage = connect(api_key="", admin_api_key=demo.facts["admin_key"]).admin.organization.usage

    def used(page: Any, unit: str) -> int:
        return sum(getattr(one, unit) for bucket in page.data for one in bucket.results)

    since = int(time.time()) - 600
    assert used(usage.images(start_time=since, bucket_width="1h"), "images") >= 2
    assert used(usage.audio_speeches(start_time=since, bucket_width="1h"), "characters") >= 45
    assert used(usage.audio_transcriptions(start_time=since, bucket_width="1h"), "seconds") >= 3
