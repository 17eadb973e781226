"""What callers of Gemini ask for, in core words; signatures and thinking as each model takes them."""

import json

import pytest
from google.genai import types

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import (
    Conversation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    TextPart,
    ToolCall,
    ToolResult,
)
from tollhouse.core.failure import BadRequest
from tollhouse.formats.gemini import request as requests
from tollhouse.formats.gemini.signatures import OWN, UNSIGNED, opaque_of, signature_of
from tollhouse.formats.gemini.words.read_reply import read_reply
from tollhouse.formats.gemini.words.read_request import read_request
from tollhouse.formats.gemini.words.write_request import write_request

Object = dict[str, object]
SIGNATURE = "CiEBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o="


def conversation(**members: object) -> Conversation:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **members}
    return read_request(requests.read(json.dumps(body).encode()))


def sent(asked: Conversation, model: str = "gemini-3-pro") -> Object:
    body = json.loads(write_request(asked, model=model, stream=False, include_usage=False))
    assert isinstance(body, dict)
    return body


def test_a_signature_goes_back_to_its_maker() -> None:
    own, other = Opaque(OWN, SIGNATURE), Opaque("anthropic_messages", '{"a":1}~')
    assert signature_of(own) == SIGNATURE
    for opaque in (own, other):
        part = types.Part.model_validate({"text": "a", "thoughtSignature": signature_of(opaque)})
        back = json.loads(part.model_dump_json(by_alias=True, exclude_none=True))
        found = opaque_of(back)
        assert found is not None
        assert (found.format, found.data.translate({45: 43, 95: 47})) == (opaque.format, opaque.data)
    assert opaque_of({"text": "a", "thoughtSignature": UNSIGNED}) is None
    assert opaque_of({"text": "a", "thought_signature": "not base64!"}) == Opaque(OWN, "not base64!")


@pytest.mark.parametrize(
    ("model", "signed"),
    [
        ("gemini-3-pro-preview", True),
        ("gemini-flash-latest", True),
        ("gemini-2.5-flash", False),
        ("gemma-3-27b", False),
    ],
)
def test_a_call_that_another_model_made_says_so_where_that_is_asked_for(model: str, signed: bool) -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    contents = [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [call, call]}]
    body = sent(conversation(contents=contents), model)
    first, second = body["contents"][1]["parts"]  # type: ignore[index]
    assert first.get("thoughtSignature") == (UNSIGNED if signed else None)
    assert "thoughtSignature" not in second


@pytest.mark.parametrize(
    ("asked", "model", "written"),
    [
        ({"thinkingBudget": 0}, "gemini-2.5-flash", {"thinkingBudget": 0}),
        ({"thinkingBudget": 0}, "gemini-2.5-pro", {"thinkingBudget": 128}),
        ({"thinkingLevel": "LOW"}, "gemini-2.0-flash", None),
        ({"thinkingLevel": "LOW"}, "gemini-2.5-flash-image", None),
        ({"thinkingLevel": "LOW"}, "gemini-2.5-pro-preview-tts", None),
        ({"thinkingBudget": 100}, "gemini-2.5-pro", {"thinkingBudget": 128, "includeThoughts": True}),
        ({"thinkingBudget": 100}, "gemini-2.5-flash", {"thinkingBudget": 100, "includeThoughts": True}),
        ({"thinkingBudget": 100}, "gemini-2.5-flash-lite", {"thinkingBudget": 512, "includeThoughts": True}),
        ({"thinkingBudget": 52_428}, "gemini-2.5-pro", {"thinkingBudget": 32_768, "includeThoughts": True}),
        ({"thinkingBudget": 31_999}, "gemini-2.5-flash", {"thinkingBudget": 24_576, "includeThoughts": True}),
        ({"thinkingBudget": 0}, "gemini-3-flash", {"thinkingLevel": "MINIMAL"}),
        ({"thinkingBudget": 0}, "gemini-3-pro", {"thinkingLevel": "LOW"}),
        ({"thinkingBudget": 0}, "gemini-3.8-flash", {"thinkingLevel": "LOW"}),
        ({"thinkingBudget": 0}, "gemini-3.1-flash-lite", {"thinkingLevel": "MINIMAL"}),
        ({"thinkingLevel": "MEDIUM"}, "gemini-3-pro", {"thinkingLevel": "HIGH"}),
        ({"thinkingLevel": "MEDIUM"}, "gemini-3.1-pro", {"thinkingLevel": "MEDIUM"}),
        ({"thinkingLevel": "LOW"}, "gemma-4-31b", {"thinkingLevel": "MINIMAL"}),
        ({"thinkingBudget": 2000}, "gemini-2.5-pro", {"thinkingBudget": 2000, "includeThoughts": True}),
        ({"thinkingBudget": 2000}, "gemini-3-pro", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ({"thinkingBudget": 9000}, "gemini-3.1-pro", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ({"thinkingBudget": 32000}, "gemini-3-pro", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ({"thinkingBudget": -1, "includeThoughts": False}, "gemini-2.5-pro", None),
        ({"thinkingLevel": "MEDIUM"}, "gemini-2.5-pro", {"thinkingBudget": 8192}),
        ({"thinkingLevel": "minimal", "includeThoughts": True}, "gemini-3-pro", None),
        ({"thinking_level": "XHIGH"}, "gemini-3-flash", {"thinkingLevel": "HIGH"}),
    ],
)
def test_how_long_to_think_is_said_as_the_model_takes_it(asked: Object, model: str, written: Object | None) -> None:
    body = sent(conversation(generationConfig={"thinkingConfig": asked}), model)
    config = body.get("generationConfig", {}).get("thinkingConfig")  # type: ignore[attr-defined]
    if written is None and "includeThoughts" in asked and asked["includeThoughts"]:
        written = {"thinkingLevel": "LOW", "includeThoughts": True}
    assert config == written


@pytest.mark.parametrize(
    ("model", "taken"),
    [("gemini-2.0-flash", True), ("up-house", True), ("gemini-2.5-flash", False), ("gemini-3.1-pro", False)],
)
def test_penalties_are_said_where_the_model_takes_them(model: str, taken: bool) -> None:
    asked = conversation(generationConfig={"presencePenalty": 0.5, "frequencyPenalty": 0, "topK": 3})
    config = sent(asked, model)["generationConfig"]
    assert config == {"topK": 3, **({"presencePenalty": 0.5, "frequencyPenalty": 0} if taken else {})}
    assert asked.left_out == ([] if taken else ["generationConfig.presencePenalty"])


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ('{"a": 1}', {"a": 1}),
        ("[1]", {"output": "[1]"}),
        ("open", {"output": "open"}),
        ('{"$ref": "#/a"}', {"output": '{"$ref": "#/a"}'}),
        ('{"id": 1234567890123456789}', {"output": '{"id": 1234567890123456789}'}),
        ('{"a": NaN}', {"output": '{"a": NaN}'}),
    ],
)
def test_a_result_is_an_object_that_says_the_same(text: str, response: Object) -> None:
    asked = conversation()
    asked.messages = [
        Message(role="user", parts=[TextPart(text="a")]),
        Message(role="assistant", parts=[ToolCall(id="1", name="f")]),
        Message(role="user", parts=[ToolResult(id="1", name="f", parts=[TextPart(text=text)])]),
    ]
    (result,) = sent(asked)["contents"][2]["parts"]  # type: ignore[index]
    assert result["functionResponse"]["response"] == response


def test_a_cap_is_no_more_than_the_model_can_answer_with() -> None:
    asked = conversation()
    for cap, longest, said in ((9, None, 9), (9, 65_536, 9), (128_000, 65_536, 65_536), (None, 65_536, None)):
        asked.output_cap, asked.longest_answer = cap, longest
        assert sent(asked).get("generationConfig", {}).get("maxOutputTokens") == said  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("data", "signature"),
    [
        ({"google": {"thought_signature": SIGNATURE}}, SIGNATURE),
        ({"google": {"thought_signature": 5}}, UNSIGNED),
        ({"google": "thought_signature"}, UNSIGNED),
        ({"other": 1}, UNSIGNED),
    ],
)
def test_what_googles_layer_for_openais_words_told_is_its_own(data: Object, signature: str) -> None:
    asked = conversation()
    call = ToolCall(id="1", name="f", opaque=Opaque("openai_chat", json.dumps(data)))
    asked.messages.append(Message(role="assistant", parts=[call]))
    assert sent(asked)["contents"][1]["parts"][0]["thoughtSignature"] == signature  # type: ignore[index]


def test_a_model_that_draws_is_told_that_nobody_signed_a_text() -> None:
    said = [{"text": "Hi"}, {"text": "Ho", "thoughtSignature": SIGNATURE}]
    contents = [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": said}]
    for model, first in (
        ("gemini-3-pro-image", {"text": "Hi", "thoughtSignature": UNSIGNED}),
        ("gemini-3-pro", said[0]),
    ):
        asked = conversation(contents=contents)
        asked.messages[1].parts = [TextPart(text="Hi"), TextPart(text="Ho", opaque=Opaque(OWN, SIGNATURE))]
        assert sent(asked, model)["contents"][1]["parts"] == [first, said[1]]  # type: ignore[index]


def test_what_is_not_known_is_noted_by_its_path() -> None:
    asked = conversation(
        contents=[{"role": "user", "parts": [{"text": "a", "videoMetadata": {"fps": 1}, "newer": 1}]}],
        store=True,
        generation_config={"deepThought": True, "media_resolution": "LOW"},
        tool_config={"retrieval_config": {"languageCode": "de"}},
    )
    assert asked.uses == {
        "other": "contents[0].parts[0].newer, contents[0].parts[0].videoMetadata, tool_config.retrieval_config, "
        "generation_config.deepThought, generation_config.media_resolution",
        "store": "store",
    }


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"contents": [5]}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "user", "parts": None}]}, "contents"),
        ({"contents": [{"text": "Hi"}]}, "contents[0].text"),
        ({"contents": {"inline_data": {}}}, "contents.inline_data"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HUGE"}}},
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        ({"contents": [{"role": "user", "parts": [{"text": 5}]}]}, "contents[0].parts[0].text"),
        ({"contents": [{"role": "robot", "parts": []}]}, "contents[0].role"),
        ({"contents": {"role": "robot"}}, "contents.role"),
        (
            {"contents": [{"parts": {"functionCall": {"name": "f", "args": []}}}]},
            "contents[0].parts.functionCall.args",
        ),
        ({"contents": [{"parts": [{"inlineData": {"data": "AA"}}]}]}, "contents[0].parts[0].inlineData"),
        ({"contents": [{"parts": [{"file_data": {}}]}]}, "contents[0].parts[0].file_data"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        ({"tools": "search"}, "tools"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}, "toolConfig.functionCallingConfig.mode"),
        ({"generationConfig": {"stopSequences": [5]}}, "generationConfig.stopSequences"),
        ({"generationConfig": {"topK": 1.5}}, "generationConfig.topK"),
        ({"generationConfig": {"responseLogprobs": "yes"}}, "generationConfig.responseLogprobs"),
        ({"generationConfig": {"responseSchema": []}}, "generationConfig.responseSchema"),
    ],
)
def test_what_cannot_be_read_is_blamed_by_its_path(members: Object, param: str | None) -> None:
    if param is None:
        assert conversation(**members).messages == []
        return
    with pytest.raises(BadRequest) as refused:
        conversation(**members)
    assert refused.value.param == param


def test_half_of_a_character_is_read_as_a_mark() -> None:
    asked = read_request(requests.read(b'{"contents":[{"parts":[{"text":"a \\ud83d"}]}]}'))
    assert asked.messages[0].parts == [TextPart(text="a \ufffd")]
    body = b'{"candidates":[{"content":{"parts":[{"text":"a \\ud83d"}]},"finishReason":"STOP"}]}'
    assert read_reply(body, NOTHING_KNOWN).choices[0].parts == [TextPart(text="a \ufffd")]


def test_results_find_their_calls() -> None:
    def result(name: str, **beside: object) -> Object:
        return {"functionResponse": {"name": name, "response": {"result": 1}, **beside}}

    call = {"functionCall": {"name": "f"}}
    asked = conversation(
        contents=[
            {"role": "model", "parts": [call, {"functionCall": {"name": "g", "id": "own"}}, call]},
            {
                "role": "user",
                "parts": [result("f"), result("f"), result("g", id="own"), result("h", id="x"), result("i")],
            },
        ]
    )
    parts = [part for message in asked.messages for part in message.parts]
    assert [part.id for part in parts if isinstance(part, ToolCall)] == ["call_0_0", "own", "call_0_2"]
    results = [part.id for part in parts if isinstance(part, ToolResult)]
    assert results == ["call_0_0", "call_0_2", "own", "x", "call_1_4"]


def test_thoughts_of_others_are_not_sent() -> None:
    asked = conversation()
    asked.messages[0].parts.append(Reasoning(text="hm", opaque=Opaque("anthropic_messages", "s")))
    assert sent(asked) == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_the_events_of_a_stream_that_come_back_are_one_message() -> None:
    said = [
        {"text": "I open ", "thought": True},
        {"text": "A.", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": signature_of(Opaque("anthropic_messages", "s"))},
        {"text": "On "},
        {"text": "it."},
        {"text": "", "thoughtSignature": SIGNATURE},
        {"functionCall": {"name": "f"}},
        {"text": "", "thoughtSignature": SIGNATURE},
        {"functionCall": {"name": "g"}},
    ]
    result = {"functionResponse": {"name": "f", "response": {"output": "1"}}}
    asked = conversation(
        contents=[
            *({"role": "model", "parts": [part]} for part in said),
            {"role": "user", "parts": [result]},
            {"role": "user", "parts": [{"functionResponse": {"name": "g", "response": {"output": "2"}}}]},
            {"role": "user", "parts": [{"text": "Well?"}]},
        ]
    )
    answer, results, more = asked.messages
    assert answer.parts == [
        Reasoning(text="I open A.", opaque=Opaque("anthropic_messages", "s")),
        TextPart(text="On it.", opaque=Opaque(OWN, SIGNATURE)),
        ToolCall(id="call_6_0", name="f", arguments="{}"),
        ToolCall(id="call_8_0", name="g", arguments="{}"),
    ]
    assert [part.id for part in results.parts if isinstance(part, ToolResult)] == ["call_6_0", "call_8_0"]
    assert more.parts == [TextPart(text="Well?")]


def test_a_picture_is_base64_as_other_formats_want_it() -> None:
    """google-genai writes the alphabet of URLs."""
    blob = types.Blob(data=b"\xfb\xff\xfe\xff", mime_type="image/png")
    inline = json.loads(blob.model_dump_json(by_alias=True, exclude_none=True))
    assert "-" in inline["data"]
    assert "_" in inline["data"]
    for data in (inline["data"], inline["data"].rstrip("="), "+//+/w=="):
        part = {"inlineData": {"mimeType": "image/png", "data": data}}
        (found,) = conversation(contents=[{"role": "user", "parts": [part]}]).messages[0].parts
        assert found == MediaPart(kind="image", media_type="image/png", data="+//+/w==")


@pytest.mark.parametrize(
    ("media_type", "data", "found"),
    [
        (
            "image/png",
            "data:image/png;base64,+//+/w==",
            MediaPart(kind="image", media_type="image/png", data="+//+/w=="),
        ),
        ("text/csv", "YSxi", MediaPart(kind="file", media_type="text/plain", text="a,b")),
        ("application/json", "e30", MediaPart(kind="file", media_type="text/plain", text="{}")),
        ("text/plain", "/w==", MediaPart(kind="file", media_type="text/plain", data="/w==")),
        ("application/pdf", "JVBERi0x", MediaPart(kind="file", media_type="application/pdf", data="JVBERi0x")),
    ],
)
def test_a_medium_is_what_other_formats_take(media_type: str, data: str, found: MediaPart) -> None:
    asked = conversation(contents=[{"parts": [{"inlineData": {"mimeType": media_type, "data": data}}]}])
    assert asked.messages[0].parts == [found]
    assert set(asked.uses) == {"images" if found.kind == "image" else "files"}


@pytest.mark.parametrize(
    "system",
    [
        "Be brief.",
        {"parts": {"text": "Be brief."}},
        {"role": "system", "parts": ["Be brief."]},
        [{"text": "Be brief."}],
        ["Be brief."],
        [{"parts": [{"text": "Be brief."}]}],
        {"parts": [{"text": "Be brief."}, {"text": ""}]},
    ],
)
def test_what_the_system_says_is_read_in_each_form(system: object) -> None:
    for name in ("systemInstruction", "system_instruction"):
        asked = conversation(**{name: system})
        assert asked.messages[0].role == "system"
        assert asked.messages[0].parts == [TextPart(text="Be brief.")]


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TEXT_FORM = {"mimeType": "APPLICATION_JSON", "schema": SCHEMA}


@pytest.mark.parametrize(
    ("form", "feature", "schema"),
    [
        ([{"text": TEXT_FORM}], "json_schema", SCHEMA),
        ({"text": TEXT_FORM}, "json_schema", SCHEMA),
        ([{"text": {"mimeType": "APPLICATION_JSON"}}], "json_object", None),
        ([{"image": {}}], "image_output", None),
        ([{"audio": {}}], "audio_output", None),
        ([{"text": {"mimeType": "TEXT_PLAIN"}}], "", None),
    ],
)
def test_the_form_of_an_answer_is_read_in_its_newer_way(form: object, feature: str, schema: Object | None) -> None:
    asked = conversation(generationConfig={"responseFormat": form})
    assert list(asked.uses) == ([feature] if feature else [])
    assert (asked.output is not None) == feature.startswith("json")
    assert asked.output is None or asked.output.schema == schema


def test_what_only_google_can_fetch_is_refused_by_its_name() -> None:
    for uri in ("gs://b/a.png", "files/a", "https://generativelanguage.googleapis.com/v1beta/files/a"):
        asked = conversation(contents=[{"parts": [{"fileData": {"fileUri": uri, "mimeType": "image/png"}}]}])
        assert asked.uses == {"file_addresses": "contents[0].parts[0].fileData"}


@pytest.mark.parametrize(
    ("model", "media_type", "holds"),
    [
        ("gemini-3-flash", "image/png", True),
        ("gemini-3-flash", "audio/mp3", False),
        ("gemini-2.5-flash", "image/png", False),
        ("house-1", "image/png", False),
    ],
)
def test_a_result_holds_its_pictures_where_the_model_looks_there(model: str, media_type: str, holds: bool) -> None:
    medium = {"inlineData": {"mimeType": media_type, "data": "AAAA"}}
    result = {"functionResponse": {"name": "f", "response": {"output": "seen"}, "parts": [medium]}}
    said = {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}
    asked = conversation(contents=[said, {"role": "user", "parts": [result]}])
    contents = sent(asked, model)["contents"]
    assert isinstance(contents, list)
    written = contents[2:]  # a user speaks before a model calls
    if holds:
        assert written == [{"role": "user", "parts": [result]}]
        types.Content.model_validate(written[0])
    else:
        del result["functionResponse"]["parts"]
        assert written == [
            {"role": "user", "parts": [result]},
            {"role": "user", "parts": [{"text": "f gave:"}, medium]},
        ]
