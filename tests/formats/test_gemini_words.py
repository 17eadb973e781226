"""Gemini in core words and back: what goes through both ways is what it was, but for what does not matter."""

import json

import pytest
from google.genai import types

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import Conversation, MediaPart, Refusal, ToolCall
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.reply import ArgumentsAdded, Finished, PartBegan, ReplyEvent, StreamEnded, TextAdded
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.gemini import request as requests
from tollhouse.formats.gemini.finish import FINISHES, UNUSABLE
from tollhouse.formats.gemini.gathering import GatheredContent
from tollhouse.formats.gemini.words.read_reply import read_reply
from tollhouse.formats.gemini.words.read_request import read_request
from tollhouse.formats.gemini.words.read_stream import ContentReader
from tollhouse.formats.gemini.words.write_reply import write_reply
from tollhouse.formats.gemini.words.write_request import write_request
from tollhouse.formats.gemini.words.write_stream import ContentWriter
from tollhouse.formats.openai import request as openai
from tollhouse.formats.openai.words.chat_request import read_request as read_chat

Object = dict[str, object]

SIGNATURE = "CiEBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o="
PICTURE: Object = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
CALL = {"functionCall": {"name": "gate", "args": {"id": "A"}}, "thoughtSignature": SIGNATURE}
RESULT = {"functionResponse": {"name": "gate", "response": {"output": "open"}}}
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
REQUESTS: dict[str, Object] = {
    "text": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    "turns": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}, PICTURE]},
            {"role": "model", "parts": [{"text": "Hello", "thoughtSignature": SIGNATURE}]},
            {"role": "user", "parts": [{"text": "Again"}]},
        ],
    },
    "functions": {
        "contents": [
            {"role": "user", "parts": [{"text": "Open A"}]},
            {"role": "model", "parts": [{"text": "On it."}, CALL, {"functionCall": {"name": "now", "args": {}}}]},
            {"role": "user", "parts": [RESULT, {"functionResponse": {"name": "now", "response": {"error": "no"}}}]},
            {"role": "user", "parts": [{"text": "Well?"}]},
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "gate", "description": "Opens.", "parametersJsonSchema": SCHEMA},
                    {"name": "now"},
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["gate", "now"]}},
    },
    "thoughts": {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "hm", "thought": True, "thoughtSignature": SIGNATURE}]},
            {"role": "user", "parts": [{"text": "Go"}]},
        ],
        "generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}},
    },
    "settings": {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 50,
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 40,
            "seed": 7,
            "presencePenalty": 0.1,
            "frequencyPenalty": 0.2,
            "candidateCount": 2,
            "stopSequences": ["END"],
            "responseLogprobs": True,
            "logprobs": 3,
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        },
        "serviceTier": "flex",
    },
    "elsewhere": {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"fileData": {"mimeType": "image/png", "fileUri": "https://pictures.example/a"}},
                    {"fileData": {"fileUri": "https://www.youtube.com/watch?v=1"}},
                    {"inlineData": {"mimeType": "audio/mp3", "data": "SUQz"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0x"}},
                ],
            }
        ]
    },
}


def sent(asked: Conversation, model: str = "gemini-3-pro") -> Object:
    body = json.loads(write_request(asked, model=model, stream=False, include_usage=False))
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_goes_through_core_words_as_it_was(name: str) -> None:
    request = requests.read(json.dumps(REQUESTS[name]).encode())
    asked = read_request(request)
    asked.output_cap = request.output_cap
    assert sent(asked, "up-house") == REQUESTS[name]


ANSWERS: dict[str, Object] = {
    "text": {"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "STOP"}]},
    "parts": {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "hm", "thought": True},
                        {"text": "Here:", "thoughtSignature": SIGNATURE},
                        PICTURE,
                        {
                            "functionCall": {"id": "f1", "name": "gate", "args": {"id": "A"}},
                            "thoughtSignature": SIGNATURE,
                        },
                        {"functionCall": {"id": "f2", "name": "now", "args": {}}},
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
            }
        ]
    },
    "two": {
        "candidates": [
            {"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "MAX_TOKENS"},
            {"content": {"parts": [{"text": "Ho"}], "role": "model"}, "finishReason": "SAFETY"},
        ]
    },
    "probabilities": {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hi"}], "role": "model"},
                "finishReason": "STOP",
                "logprobsResult": {
                    "chosenCandidates": [{"token": "Hi", "logProbability": -0.5}],
                    "topCandidates": [{"candidates": [{"token": "Ho", "logProbability": -0.75}]}],
                },
            }
        ]
    },
    "citations": {
        "candidates": [
            {
                "content": {"parts": [{"text": "Größe: tolls rise."}], "role": "model"},
                "finishReason": "STOP",
                "groundingMetadata": {
                    "groundingChunks": [{"web": {"uri": "https://a.example/", "title": "A"}}],
                    "groundingSupports": [
                        {
                            "segment": {"startIndex": 9, "endIndex": 20, "text": "tolls rise."},
                            "groundingChunkIndices": [0],
                        }
                    ],
                },
            }
        ]
    },
}
USAGE = {"promptTokenCount": 40, "candidatesTokenCount": 9, "thoughtsTokenCount": 3, "totalTokenCount": 52}


def answer(name: str) -> Object:
    """With what every answer has."""
    found = json.loads(json.dumps(ANSWERS[name]))
    for index, candidate in enumerate(found["candidates"]):
        candidate["index"] = index
    return {**found, "usageMetadata": USAGE, "modelVersion": "gemini-3", "responseId": "r1"}


CONTEXT = AnswerContext(request_id="req_1", created=1, request=requests.read(json.dumps(REQUESTS["text"]).encode()))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_goes_through_core_words_as_it_was(name: str) -> None:
    reply = read_reply(json.dumps(answer(name)).encode(), NOTHING_KNOWN)
    assert reply.usage == Usage(input=40, output=9, reasoning=3)
    assert json.loads(write_reply(reply, CONTEXT)) == answer(name)


def stream_of(body: Object) -> bytes:
    """As Gemini might have sent it: each part by itself, then the reason."""
    events: list[Object] = []
    for candidate in body["candidates"]:  # type: ignore[attr-defined]
        for part in candidate["content"]["parts"]:
            pieces = (
                [{"text": half} for half in (part["text"][:2], part["text"][2:])] if set(part) == {"text"} else [part]
            )
            said = [{"content": {"parts": [one], "role": "model"}, "index": candidate["index"]} for one in pieces]
            if "logprobsResult" in candidate:
                said = [{**said[0], "content": {"parts": [part], "role": "model"}}]
                said[0]["logprobsResult"] = candidate["logprobsResult"]
            events += [{"candidates": [one], "modelVersion": "gemini-3", "responseId": "r1"} for one in said]
        end = {**candidate, "content": {"parts": [{"text": ""}], "role": "model"}}
        end.pop("logprobsResult", None)
        events.append({"candidates": [end], "usageMetadata": USAGE, "modelVersion": "gemini-3", "responseId": "r1"})
    return b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)


def gathered(stream: bytes) -> Object:
    made = GatheredContent(2, count=len, known=NOTHING_KNOWN)
    made.feed(stream)
    body = json.loads(made.finish())
    assert isinstance(body, dict)
    return body


def read_events(stream: bytes, size: int) -> list[ReplyEvent]:
    reader = ContentReader(NOTHING_KNOWN)
    events = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    return events + reader.finish()


def written_again(events: list[ReplyEvent]) -> bytes:
    writer = ContentWriter(CONTEXT)
    return b"".join(map(writer.write, events))


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_goes_through_core_words_as_it_was(name: str, size: int) -> None:
    stream = stream_of(answer(name))
    events = read_events(stream, size)
    assert isinstance(events[-1], StreamEnded)
    again = gathered(written_again(events))
    reply = read_reply(json.dumps(answer(name)).encode(), NOTHING_KNOWN)
    for body in (again, gathered(stream)):
        found = read_reply(json.dumps(body).encode(), NOTHING_KNOWN)
        found.raw_usage = reply.raw_usage
        assert json.loads(write_reply(found, CONTEXT)) == json.loads(write_reply(reply, CONTEXT))


def test_a_stream_that_breaks_raises_at_every_byte() -> None:
    stream = stream_of(answer("parts"))
    last = stream.rindex(b"data: ")
    for cut in range(last):
        with pytest.raises(UpstreamBroke):
            read_events(stream[:cut], 100_000)


def test_a_reason_is_the_end_only_if_nothing_follows() -> None:
    end: Object = {"content": {"parts": [], "role": "model"}, "finishReason": "STOP"}
    text: Object = {"content": {"parts": [{"text": "a"}], "role": "model"}, "finishReason": "MAX_TOKENS"}
    stream = b"".join(
        b"data: " + json.dumps({"candidates": [one]}).encode() + b"\n\n" for one in (end, text, text, end)
    )
    events = read_events(stream, 100)
    assert [event.text for event in events if isinstance(event, TextAdded)] == ["a", "a"]
    assert [event.finish for event in events if isinstance(event, Finished)] == ["stop"]


@pytest.mark.parametrize("reason", types.FinishReason)
def test_each_reason_is_known(reason: types.FinishReason) -> None:
    candidate: Object = {
        "content": {"parts": [{"text": "a"}], "role": "model"},
        "finishReason": reason.value,
        "index": 0,
    }
    reply = read_reply(json.dumps({"candidates": [candidate]}).encode(), NOTHING_KNOWN)
    assert reply.choices[0].finish == FINISHES[reason.value]
    assert len(reply.choices[0].parts) == (2 if reason.value in UNUSABLE else 1)


CALLED: Object = {"functionCall": {"name": "f", "args": {"a": 1}}}
READ: dict[str, tuple[Object, str, list[object]]] = {
    "a call that the provider says is none (hermes-agent#83886)": (CALLED, "MALFORMED_FUNCTION_CALL", [Refusal]),
    "a call where none was asked for": (CALLED, "UNEXPECTED_TOOL_CALL", [Refusal]),
    "no picture (litellm#40477)": ({"text": ""}, "NO_IMAGE", [Refusal]),
    "arguments in a text": ({"functionCall": {"name": "f", "args": '{"a":1}'}}, "STOP", [("f", '{"a":1}')]),
    "arguments that are null": ({"functionCall": {"name": "f", "args": None}}, "STOP", [("f", "{}")]),
    "a name as Google's prompt has it": (
        {"functionCall": {"name": "default_api:f", "args": {}}},
        "STOP",
        [("f", "{}")],
    ),
    "likewise in Python": ({"functionCall": {"name": "default_api.f"}}, "STOP", [("f", "{}")]),
    "a picture": (PICTURE, "STOP", [MediaPart]),
    "a picture that is signed": ({**PICTURE, "thoughtSignature": SIGNATURE}, "STOP", [MediaPart]),
    "a draft of a picture": ({**PICTURE, "thought": True}, "STOP", []),
    "sound": ({"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "AAAA"}}, "STOP", []),
}
"""A part, the reason why the answer ended, and what is read of both."""


@pytest.mark.parametrize("name", READ)
def test_what_is_odd_is_read_alike_whole_and_in_a_stream(name: str) -> None:
    part, reason, read = READ[name]
    body = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": reason}]}
    parts = read_reply(json.dumps(body).encode(), NOTHING_KNOWN).choices[0].parts
    events = read_events(b"data: " + json.dumps(body).encode() + b"\n\n", 100_000)
    assert [type(one) for one in parts] == [type(one.part) for one in events if isinstance(one, PartBegan)]
    assert [(one.name, one.arguments) if isinstance(one, ToolCall) else type(one) for one in parts] == read
    arguments = [one.text for one in events if isinstance(one, ArgumentsAdded)]
    assert arguments == [one.arguments for one in parts if isinstance(one, ToolCall)]


def test_a_chat_may_ask_for_pictures() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Draw"}], "modalities": ["image", "text"]}
    asked = read_chat(openai.read("chat", json.dumps(body).encode()))
    assert sent(asked)["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}
    assert asked.uses == {"image_output": "modalities[0]"}


@pytest.mark.parametrize("reason", types.BlockedReason)
def test_each_reason_why_a_prompt_is_not_answered_is_told(reason: types.BlockedReason) -> None:
    body = {"promptFeedback": {"blockReason": reason.value}, "usageMetadata": {"promptTokenCount": 8}}
    reply = read_reply(json.dumps(body).encode(), NOTHING_KNOWN)
    assert (reply.choices[0].finish, reply.usage) == ("content_filter", Usage(input=8))
    assert reason.value in json.loads(write_reply(reply, CONTEXT))["candidates"][0]["content"]["parts"][0]["text"]
