"""Requests of Gemini: what the gateway reads of them, and what it writes for a provider."""

import base64
import json

import pytest

from tollhouse.core.failure import BadRequest
from tollhouse.core.model_request import InputBounds, ModelRequest
from tollhouse.formats.gemini import request
from tollhouse.formats.gemini.input_bounds import MEDIA_TOKENS, input_bounds, prompt_of

CONTENTS = [{"role": "user", "parts": [{"text": "hi there"}]}]
PICTURE = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(bytes(3000)).decode()}}


def read(**members: object) -> ModelRequest:
    return request.read(json.dumps({"contents": CONTENTS, **members}).encode())


def written(asked: ModelRequest, added_cap: int | None = None) -> dict[str, object]:
    pieces = request.write(asked, model="up", stream=True, include_usage=True, added_cap=added_cap)
    found = json.loads(b"".join(pieces))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("config", ["generationConfig", "generation_config"])
def test_both_spellings_are_read(config: str) -> None:
    camel = config == "generationConfig"
    cap, count = ("maxOutputTokens", "candidateCount") if camel else ("max_output_tokens", "candidate_count")
    thinking = {"thinkingBudget": 512} if camel else {"thinking_budget": 512}
    asked = read(**{config: {cap: 300, count: 2, "thinkingConfig" if camel else "thinking_config": thinking}})
    assert (asked.output_cap, asked.cap_param, asked.n, asked.choices) == (300, f"{config}.{cap}", 2, 2)
    assert (asked.thinking, asked.reads_more, asked.thinks_beside, asked.wants_usage) == (512, False, False, True)
    assert written(asked) == {"contents": CONTENTS, config: json.loads(bytes(asked.members[config]))}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"contents": None}, "contents"),
        ({"contents": 5}, "contents"),
        ({"generationConfig": []}, "generationConfig"),
        ({"generationConfig": {}, "generation_config": {}}, "generation_config"),
        ({"GenerationConfig": {}}, "GenerationConfig"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"maxOutputTokens": "5"}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"max_output_tokens": 1.5}}, "generationConfig.max_output_tokens"),
        ({"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": 9}}, "generationConfig.max_output_tokens"),
        ({"generationConfig": {"candidateCount": 0}}, "generationConfig.candidateCount"),
        ({"generationConfig": {"candidatecount": 3}}, "generationConfig.candidatecount"),
        ({"serviceTier": 5}, "serviceTier"),
    ],
)
def test_what_decides_the_cost_is_checked(members: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**members)
    assert refused.value.param == param


def test_a_body_without_contents_says_so() -> None:
    with pytest.raises(BadRequest, match="'contents'"):
        request.read(b'{"messages": []}')


def test_an_added_cap_is_sent_where_the_caller_named_none() -> None:
    assert written(read(), 99)["generationConfig"] == {"maxOutputTokens": 99}
    assert written(read(generation_config={"topK": 3}), 99)["generation_config"] == {"topK": 3, "maxOutputTokens": 99}
    assert written(read(generationConfig={"maxOutputTokens": 5}), 99)["generationConfig"] == {"maxOutputTokens": 5}


def test_what_names_another_model_is_not_sent() -> None:
    asked = read(model="models/other", generationConfig={"routingConfig": {"autoMode": {}}, "topK": 3})
    assert (asked.model, asked.dropped) == ("other", ("generationConfig.routingConfig",))
    assert written(asked) == {"contents": CONTENTS, "generationConfig": {"topK": 3}}


def test_what_is_billed_otherwise_is_named() -> None:
    assert (read(serviceTier="standard").tier, read(service_tier=None).tier) == ("", "")
    asked = read(service_tier="FLEX")
    assert (asked.tier, asked.tier_param) == ("flex", "service_tier")


def test_what_is_not_known_may_read_and_write_more() -> None:
    assert read(deepThought={"on": True}).reads_more
    assert read(generationConfig={"deepThought": 1}).thinks_beside
    assert read(generationConfig={"responseModalities": ["TEXT", "Image"]}).thinks_beside
    assert not read(generationConfig={"responseModalities": ["AUDIO"], "seed": None}).thinks_beside


def test_labels_are_tags() -> None:
    assert read(labels={"team": "a", "n": 5}).metadata == {"team": "a"}


def bounds(*parts: object, **members: object) -> InputBounds:
    asked = read(contents=[{"role": "user", "parts": list(parts)}], **members)
    found = input_bounds(asked)
    assert 0 < found.bytes <= asked.length
    return found


def test_text_is_bounded_by_its_bytes() -> None:
    parts = [
        {"text": "hi", "thought": True, "thought_signature": "c2ln"},
        {"functionCall": {"name": "f", "args": {"x": 1}}},
        {"function_response": {"name": "f", "response": {"output": "http://a.example/b.png"}}},
        {"executableCode": {"code": "1"}},
    ]
    tools = [{"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": {}}]}]
    found = bounds(*parts, tools=tools, systemInstruction={"parts": {"text": "be kind"}})
    assert (found.parts, found.media, found.has_remote_input) == (0, 0, False)


def test_a_picture_is_taken_out_of_the_bytes() -> None:
    found = bounds({"text": "look"}, PICTURE)
    assert (found.parts, found.media, found.has_remote_input) == (1, MEDIA_TOKENS, False)
    assert found.bytes < 1000
    asked = read(contents=[{"parts": [PICTURE]}])
    assert "AAAA" not in prompt_of(asked, input_bounds(asked)).text
    linked = bounds({"fileData": {"fileUri": "https://a.example/b", "mimeType": "image/png"}})
    assert (linked.media, linked.has_remote_input) == (MEDIA_TOKENS, False)
    within = {"functionResponse": {"name": "f", "response": {}, "parts": [PICTURE]}}
    assert bounds(within).media == MEDIA_TOKENS


@pytest.mark.parametrize(
    ("part", "members"),
    [
        ({"fileData": {"fileUri": "https://a.example/b.png"}}, {}),
        ({"fileData": {"fileUri": "https://a.example/b.png", "mimeType": "video/mp4"}}, {}),
        ({"inline_data": {"mime_type": "video/mp4", "data": "AAAA"}}, {}),
        ({"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}, {}),
        ({"somethingNew": {}}, {}),
        ({"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}}, {}),
        ({"text": "a"}, {"tools": [{"googleSearch": {}}]}),
        ({"text": "a"}, {"tools": {"code_execution": {}}}),
        ({"text": "a"}, {"tools": [{"functionDeclarations": [{"name": "f", "search": True}]}]}),
        ({"text": "a"}, {"cachedContent": "cachedContents/1"}),
    ],
)
def test_what_is_elsewhere_can_be_of_any_size(part: object, members: dict[str, object]) -> None:
    assert bounds(part, **members).has_remote_input


def test_half_of_a_character_goes_on_as_it_came() -> None:
    body = b'{"contents":[{"parts":[{"text":"a \\ud83d"}]}]}'
    asked = request.read(body)
    assert b"".join(request.write(asked, model="up", stream=False, include_usage=False)) == body
