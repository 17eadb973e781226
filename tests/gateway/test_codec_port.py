"""The promises of a codec, asked of the fake one (`line_format.py`) and of every codec of this platform.

What it reads it writes again for another model, and what it writes of usage it reads again.
"""

import pickle

import pytest
from msgspec.json import encode

from tests.gateway import line_format
from tests.gateway.harness import answer, asking
from tests.gateway.test_uploads import form
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.codec import Codec, CodecKey
from tollhouse.core.failure import BadRequest, UpstreamBroke, UpstreamError
from tollhouse.core.usage import Usage
from tollhouse.formats import codecs

REPORT = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
TEXT = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Zoll haus"}]}
RESPONSE = {"id": "r", "object": "response", "status": "completed", "output": [TEXT]}
EMBED = {"model": "models/m", "content": {"parts": [{"text": "hi there"}]}}
CANDIDATE = {"content": {"parts": [{"text": "Zoll haus"}], "role": "model"}, "finishReason": "STOP", "index": 0}
IN_THE_PATH = frozenset(("gemini_content",))
"""Wire formats whose path names the model; where the body does, too, it is not sent on."""
WITHOUT_AN_END = frozenset(("gemini",))
"""Formats whose streams have no formal end: the end of the body is one, where every choice has its reason."""
SAMPLES: dict[CodecKey, tuple[bytes, bytes]] = {
    ("line", "chat"): (b"m say: hi there", b"said: Zoll haus | 60 12"),
    ("openai", "chat"): (asking("m"), answer()),
    ("openai", "completions"): (
        b'{"model":"m","prompt":"hi there"}',
        encode({"choices": [{"index": 0, "text": "Zoll haus", "finish_reason": "stop"}], "usage": REPORT}),
    ),
    ("openai", "responses"): (
        b'{"model":"m","input":"hi there"}',
        encode({**RESPONSE, "usage": {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}}),
    ),
    ("openai", "embeddings"): (
        b'{"model":"m","input":"hi there"}',
        encode({"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 60, "total_tokens": 60}}),
    ),
    ("anthropic", "chat"): (
        encode({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi there"}]}),
        encode(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [{"type": "text", "text": "Zoll haus"}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 60, "output_tokens": 12},
            }
        ),
    ),
    ("openai", "rerank"): (
        b'{"model":"m","query":"hi there","documents":["a"]}',
        encode({"results": [{"index": 0, "relevance_score": 0.5}], "usage": {"total_tokens": 60}}),
    ),
    ("openai", "images"): (
        b'{"model":"m","prompt":"hi there"}',
        encode({"created": 1, "data": [{"b64_json": "AA=="}], "usage": {"input_tokens": 60, "output_tokens": 0}}),
    ),
    ("openai", "image_edits"): (
        form(("image", b"AA"), model="m", prompt="hi there"),
        encode({"created": 1, "data": [{"b64_json": "AA=="}], "usage": {"input_tokens": 60, "output_tokens": 0}}),
    ),
    ("openai", "image_variations"): (
        form(("image", b"AA"), model="m", user="hi there"),
        encode({"created": 1, "data": [{"url": "https://a.example"}], "usage": {"input_tokens": 60}}),
    ),
    ("openai", "transcriptions"): (
        form(("file", b"AA"), model="m", prompt="hi there"),
        encode({"text": "Zoll haus", "usage": {"input_tokens": 60, "output_tokens": 12}}),
    ),
    ("openai", "translations"): (
        form(("file", b"AA"), model="m", prompt="hi there"),
        encode({"text": "Zoll haus", "usage": {"input_tokens": 60, "output_tokens": 12}}),
    ),
    ("openai", "speech"): (b'{"model":"m","input":"hi there"}', b"sound"),
    ("openai", "moderations"): (b'{"model":"m","input":"hi there"}', b'{"results":[{"flagged":false}]}'),
    ("gemini", "embeddings"): (
        encode({"requests": [EMBED]}),
        encode({"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 60}}),
    ),
    ("gemini", "chat"): (
        b'{"model":"models/m","contents":[{"role":"user","parts":[{"text":"hi there"}]}]}',
        encode({"candidates": [CANDIDATE], "usageMetadata": {"promptTokenCount": 60, "candidatesTokenCount": 12}}),
    ),
}
CODECS = pytest.mark.parametrize("codec", [*line_format.CODECS, *codecs().values()], ids=lambda codec: codec.operation)


def words(text: str) -> int:
    return len(text.split())


@CODECS
def test_a_codec_keeps_its_promises_of_requests(codec: Codec) -> None:
    asked, _ = SAMPLES[codec.format, codec.operation]
    request = codec.read(asked)
    assert (request.model, request.operation, request.length) == ("m", codec.operation, len(asked))
    streams = codec.in_bytes is not None  # it leaves as it comes
    assert (request.stream, request.n, request.choices, request.prompts) == (streams, 1, 1, 1)
    bounds = codec.input_bounds(request)
    assert 0 < bounds.bytes <= len(asked)
    assert not bounds.has_remote_input
    prompt = codec.prompt_of(request, bounds)
    assert ("hi there" in prompt.text) == (codec.operation != "image_variations"), "of those nobody says anything"
    assert codec.stands_in(request, "hi there")
    assert not codec.stands_in(request, "hello there")
    written = b"".join(codec.write(request, model="up", stream=False, include_usage=False))
    again = codec.read(written)
    assert (again.model, codec.prompt_of(again, bounds)) == ("" if codec.wire in IN_THE_PATH else "up", prompt)
    assert request == codec.read(asked), "writing leaves a request as it was: it may be written for another provider"
    assert pickle.loads(pickle.dumps(codec)).read(asked) == request, "a worker process can have it"
    with pytest.raises(BadRequest) as refused:
        codec.read(b"")
    assert codec.error_status(refused.value) == 400
    assert refused.value.message.encode() in codec.error_body(refused.value, "req_1")


@CODECS
def test_a_codec_keeps_its_promises_of_responses(codec: Codec) -> None:
    _, answered = SAMPLES[codec.format, codec.operation]
    for body in (b"", b"<html>", b"{}", b"null"):
        with pytest.raises(UpstreamError):
            codec.read_response(body, NOTHING_KNOWN)
    if codec.in_bytes is not None:  # what is read as a whole is no answer
        return
    summary = codec.read_response(answered, NOTHING_KNOWN)
    assert not summary.incomplete
    if codec.operation == "moderations":  # a verdict has no place for it
        assert codec.with_usage(answered, Usage(input=7)) == answered
    else:
        pictures = 1 if codec.draws else 0
        assert summary.usage == Usage(input=60, output=12 if codec.generates else 0, images=pictures)
        told = codec.read_response(codec.with_usage(answered, Usage(input=7)), NOTHING_KNOWN)
        assert told.usage == Usage(input=7, images=pictures)
    text, beside = codec.response_text(answered)
    assert text.strip() == ("Zoll haus" if codec.generates else "")
    assert beside.images == (1 if codec.draws else 0)
    assert codec.draws or beside == Usage()
    if codec.cut is not None and codec.generates:
        assert codec.cut(answered, 2, words) is None
        cut = codec.cut(answered, 1, words)
        assert cut is not None
        assert codec.response_text(cut[0])[0].strip() == "Zoll"
        assert cut[1] == Usage(output=1)
        assert codec.read_response(cut[0], NOTHING_KNOWN).incomplete


@CODECS
def test_a_codec_keeps_its_promises_of_streams(codec: Codec) -> None:
    if codec.streams is None or not codec.generates:
        return
    _, answered = SAMPLES[codec.format, codec.operation]
    events = codec.streams.unfold(answered)
    stream = codec.streams.relay(show_usage=True, count=words, known=NOTHING_KNOWN)
    out = b"".join(stream.feed(events[at : at + 7]) for at in range(0, len(events), 7))
    if codec.format in WITHOUT_AN_END:
        assert (stream.is_complete, stream.finishing) == (False, True)
        stream.finish()
    assert (stream.is_complete, stream.failure, stream.cut) == (True, None, False)
    assert stream.usage == Usage(input=60, output=12)
    assert stream.delivered() == Usage(output=2)
    assert b"Zoll haus" in out
    assert b"60" in stream.seal("0.000005", "req_1"), "the report waits for the charge"
    gathered = codec.streams.gather(count=words, known=NOTHING_KNOWN)
    gathered.feed(events)
    assert gathered.is_complete == (codec.format not in WITHOUT_AN_END)
    body = gathered.finish()
    assert codec.response_text(body)[0].strip() == "Zoll haus"
    assert codec.read_response(body, NOTHING_KNOWN).usage == Usage(input=60, output=12)
    broken = codec.streams.relay(show_usage=True, count=words, known=NOTHING_KNOWN)
    broken.feed(events[: len(events) // 2])
    with pytest.raises(UpstreamBroke) as caught:
        broken.finish()
    assert broken.failure is caught.value
    told = codec.streams.error_event(caught.value, "req_1", broken.sequence_number)
    assert caught.value.public_message("req_1").encode() in told
