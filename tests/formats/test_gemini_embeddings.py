"""Embeddings of Gemini: what callers ask for, what a provider is asked, and both in the words of OpenAI."""

import json

import pytest
from google.genai import types

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.codec import Codec
from tollhouse.core.failure import BadRequest, Failure, UnsupportedParameter, UpstreamError, UpstreamSaturated
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.translation import can_translate, translated, write_apart
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats import codecs

Object = dict[str, object]

GEMINI, OPENAI = codecs()["gemini", "embeddings"], codecs()["openai", "embeddings"]
ONE: Object = {"content": {"parts": [{"text": "toll"}]}}
ANSWER = b'{"embeddings":[{"values":[0.5,1]},{"values":[2, 3]}],"usageMetadata":{"promptTokenCount":7}}'
VECTORS = b'{"object":"list","data":[{"index":1,"embedding":[2,3]},{"index":0,"embedding":[0.5,1]}],"model":"up"}'


def read(codec: Codec, **members: object) -> ModelRequest:
    request = codec.read(json.dumps(members).encode())
    request.model = "m"
    return request


def both(asked: Codec, outbound: Codec, request: ModelRequest) -> Codec:
    assert can_translate(asked, outbound, asked)
    return translated(asked, outbound, asked, AnswerContext(request_id="r", created=1, request=request))


def written(codec: Codec, request: ModelRequest) -> Object:
    body = json.loads(b"".join(map(bytes, codec.write(request, model="up", stream=False, include_usage=False))))
    assert isinstance(body, dict)
    return body


def test_a_provider_is_asked_for_several_always() -> None:
    asked = {**ONE, "taskType": "RETRIEVAL_QUERY", "output_dimensionality": 3, "model": "models/x"}
    alone, several = read(GEMINI, **asked), read(GEMINI, requests=[asked, ONE])
    assert (alone.prompts, alone.vectors, several.prompts, several.vectors) == (1, "alone", 2, "other")
    assert written(GEMINI, alone) == {"requests": [{**asked, "model": "models/up"}]}
    assert written(GEMINI, several) == {"requests": [{**asked, "model": "models/up"}, {**ONE, "model": "models/up"}]}
    bounds = GEMINI.input_bounds(several)
    assert (bounds.parts, bounds.has_remote_input) == (0, False)
    assert GEMINI.prompt_of(several, bounds).text == "toll\ntoll"
    assert GEMINI.input_bounds(read(GEMINI, **ONE, newer=1)).has_remote_input


def test_who_asks_for_one_gets_it_alone() -> None:
    assert GEMINI.vectors is not None
    assert not GEMINI.vectors.differs(ANSWER, "other")
    assert GEMINI.vectors.differs(ANSWER, "alone")
    alone = json.loads(GEMINI.vectors.encoded(ANSWER, "alone"))
    assert alone == {"embedding": {"values": [0.5, 1]}, "usageMetadata": {"promptTokenCount": 7}}
    assert not GEMINI.vectors.differs(json.dumps(alone).encode(), "alone")
    summary = GEMINI.read_response(json.dumps(alone).encode(), NOTHING_KNOWN)
    assert summary.usage == Usage(input=7)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({}, "content"),
        ({"requests": []}, "requests"),
        ({"requests": {}}, "requests"),
        ({"requests": [ONE, {}]}, "requests[1].content"),
    ],
)
def test_what_cannot_be_read_is_blamed_by_its_path(members: Object, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(GEMINI, **members)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"embeddings":[]}', UpstreamError),
        (b'{"embeddings":[{"values":"AAAA"}]}', UpstreamError),
        (b'{"embedding":5}', UpstreamError),
        (b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Slow."}}', UpstreamSaturated),
    ],
)
def test_what_is_no_answer_is_a_failure(body: bytes, kind: type[Failure]) -> None:
    with pytest.raises(kind):
        GEMINI.read_response(body, NOTHING_KNOWN)


def test_what_may_not_be_told_is_left_out() -> None:
    body = ANSWER[:-1] + b',"server":"gpu-7"}'
    assert GEMINI.read_response(body, NOTHING_KNOWN).beside
    assert json.loads(GEMINI.fit(body, NOTHING_KNOWN)) == json.loads(ANSWER)


def test_a_caller_of_openai_reaches_gemini() -> None:
    request = read(OPENAI, model="m", input=["a", "b"], dimensions=2, user="u", encoding_format="base64", task="x")
    codec = both(OPENAI, GEMINI, request)
    sent = written(codec, request)
    assert request.untold == ("user", "task")
    parts = [{"content": {"parts": [{"text": text}]}, "outputDimensionality": 2} for text in "ab"]
    assert sent == {"requests": [{"model": "models/up", **one} for one in parts]}
    for one in parts:
        types.Content.model_validate(one["content"])
    summary = codec.read_response(ANSWER, NOTHING_KNOWN)
    assert (summary.usage, summary.raw_usage) == (Usage(input=7), b'{"promptTokenCount":7}')
    body = json.loads(summary.mended or b"")
    assert [one["embedding"] for one in body["data"]] == [[0.5, 1], [2, 3]]
    assert (body["model"], body["usage"]) == ("m", {"prompt_tokens": 7, "total_tokens": 7})


@pytest.mark.parametrize("given", [[1, 2], [[1], [2]], [{"image": "data:"}]])
def test_what_is_no_text_is_refused(given: object) -> None:
    request = read(OPENAI, model="m", input=given)
    with pytest.raises(UnsupportedParameter) as refused:
        written(both(OPENAI, GEMINI, request), request)
    assert refused.value.param == "input"


def test_a_caller_of_gemini_reaches_openai() -> None:
    one = {**ONE, "outputDimensionality": 2, "taskType": "X"}
    request = read(GEMINI, requests=[one, {**one, "title": "t"}])
    codec = both(GEMINI, OPENAI, request)
    assert written(codec, request) == {"model": "up", "input": ["toll", "toll"], "dimensions": 2}
    assert request.untold == ("requests[0].taskType", "requests[1].taskType", "requests[1].title")
    summary = codec.read_response(VECTORS, NOTHING_KNOWN)
    assert (summary.usage, summary.mended) == (None, b'{"embeddings":[{"values":[0.5,1]},{"values":[2,3]}]}')
    in_base64 = b'{"data":[{"embedding":"AAAAPwAAgD8="}],"usage":{"prompt_tokens":3,"total_tokens":3}}'
    summary = codec.read_response(in_base64, NOTHING_KNOWN)
    found = types.EmbedContentResponse.model_validate_json(summary.mended or b"")
    assert found.embeddings is not None
    assert (found.embeddings[0].values, summary.usage) == ([0.5, 1.0], Usage(input=3))


def test_the_newer_place_of_its_settings_is_read() -> None:
    for name, inner in (
        ("embedContentConfig", "outputDimensionality"),
        ("embed_content_config", "output_dimensionality"),
    ):
        request = read(GEMINI, requests=[{**ONE, name: {inner: 2, "autoTruncate": True}}] * 2)
        assert not request.reads_more or name != "embedContentConfig"
        codec = both(GEMINI, OPENAI, request)
        assert written(codec, request) == {"model": "up", "input": ["toll", "toll"], "dimensions": 2}
        assert request.untold == (f"requests[0].{name}.autoTruncate", f"requests[1].{name}.autoTruncate")


@pytest.mark.parametrize(
    ("second", "param"),
    [
        ({**ONE, "outputDimensionality": 3}, "requests[1].outputDimensionality"),
        ({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA"}}]}}, "requests[1].content"),
    ],
)
def test_what_openai_cannot_say_is_refused(second: Object, param: str) -> None:
    request = read(GEMINI, requests=[{**ONE}, second])
    with pytest.raises(UnsupportedParameter) as refused:
        written(both(GEMINI, OPENAI, request), request)
    assert refused.value.param == param


def test_another_process_writes_the_same() -> None:
    body = json.dumps({"model": "m", "input": ["a", "b"], "user": "u"}).encode()
    made = write_apart(
        body,
        OPENAI,
        GEMINI,
        model="up",
        stream=False,
        include_usage=False,
        caps=(),
        others=True,
        added_cap=None,
        longest_answer=None,
    )
    request = OPENAI.read(body)
    assert json.loads(bytes(made.body)) == written(both(OPENAI, GEMINI, request), request)
    assert made.untold == ("user",)
