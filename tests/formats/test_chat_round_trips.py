"""Every documented part of a chat or completions answer: as a stream and back it is equal, and is said once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.formats.round_trips import NEXT, TOKEN, events, gathered, passes

GOLDEN = Path(__file__).parent / "golden"
USAGE = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
DONE = b"data: [DONE]\n\n"
CALL = {"id": "call_1", "type": "function", "function": {"name": "open_gate", "arguments": '{"gate":"A-17"}'}}

MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"content": "Kolberg"},
    "empty": {"content": ""},
    "refusal": {"content": None, "refusal": "I may not."},
    "no refusal": {"content": "Kolberg", "refusal": None},
    "function call": {"content": None, "tool_calls": [CALL]},
    "text and calls": {"content": "Let me look.", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
    "custom call": {
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "custom", "custom": {"name": "open_gate", "input": "gate A-17"}}],
    },
    "a call of tomorrow": {
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "mcp", "mcp": {"arguments": "{}"}}],
    },
    "a call with Gemini's signature": {
        "content": None,
        "tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "Ab3x"}}}],
    },
    "legacy function call": {"content": None, "function_call": {"name": "open_gate", "arguments": "{}"}},
    "reasoning_content": {"content": "Kolberg", "reasoning_content": "hm"},
    "reasoning": {
        "content": "Kolberg",
        "reasoning": "hm",
        "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
    },
    "reasoning_details": {
        "content": "Kolberg",
        "reasoning_details": [
            {"type": "reasoning.summary", "summary": "hm", "format": "openai-responses-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "Ab3x", "id": "rs_1", "index": 1},
            {"type": "reasoning.text", "text": "so", "signature": "Ab3x", "index": 2},
        ],
    },
    "thinking_blocks": {
        "content": "Kolberg",
        "thinking_blocks": [
            {"type": "thinking", "thinking": "hm", "signature": "Ab3x"},
            {"type": "redacted_thinking", "data": "Ab3x"},
        ],
    },
    "content list with thinking": {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}, {"type": "text", "text": "so"}]},
            {"type": "text", "text": "Kol"},
            {"type": "text", "text": "berg"},
            {"type": "reference", "reference_ids": [1, 2]},
        ]
    },
    "audio": {
        "content": None,
        "audio": {"id": "audio_1", "transcript": "Kolberg", "data": "AAAABBBB", "expires_at": 99},
    },
    "images": {
        "content": "",
        "images": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "index": 0},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,BBBB"}, "index": 1},
        ],
    },
    "annotations": {
        "content": "Kolberg",
        "annotations": [
            {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "a", "start_index": 0}},
            {"type": "url_citation", "url_citation": {"url": "https://b.example", "title": "b", "start_index": 3}},
        ],
    },
    "no annotations": {"content": "Kolberg", "annotations": [], "tool_calls": []},
    "context": {"content": "Kolberg", "context": {"citations": [{"content": "a page"}], "intent": "[]"}},
    "a name of tomorrow": {"content": "Kolberg", "musings": "hm", "mood": {"valence": 0.5, "words": ["calm", "dry"]}},
}
BESIDE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "fingerprint": {"system_fingerprint": "fp_1", "service_tier": "default", "created": 1, "model": "up"},
    "citations": {"citations": ["https://a.example"], "search_results": [{"title": "a"}]},
    "filters": {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]},
    "provider": {"citations": ["a"], "x_vendor": {"seed": 1}},
}
OF_CHOICE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "logprobs": {"logprobs": {"content": [TOKEN, NEXT], "refusal": None}},
    "refusal logprobs": {"logprobs": {"content": None, "refusal": [TOKEN, NEXT]}},
    "filters": {"content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}},
    "vLLM": {"stop_reason": 128001, "token_ids": [1, 2, 3]},
    "OpenRouter": {"native_finish_reason": "STOP"},
}


def chat_body(message: dict[str, Any], choice: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    one = {"logprobs": None, "finish_reason": "stop", **choice, "index": 0, "message": {"role": "assistant", **message}}
    return {"id": "c1", "object": "chat.completion", **beside, "choices": [one], "usage": USAGE}


def without_no_calls(body: dict[str, Any]) -> dict[str, Any]:
    for choice in body["choices"]:
        if choice["message"].get("tool_calls") == []:
            del choice["message"]["tool_calls"]
    return body


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("choice", OF_CHOICE)
@pytest.mark.parametrize("message", MESSAGES)
def test_a_chat_answer_comes_back_as_it_was(message: str, choice: str, beside: str) -> None:
    body = chat_body(MESSAGES[message], OF_CHOICE[choice], BESIDE[beside])
    stream = passes(body, "chat")
    assert gathered(stream) == without_no_calls(body)
    assert gathered(passes(gathered(stream), "chat")) == gathered(stream)


@pytest.mark.parametrize("message", MESSAGES)
def test_what_an_answer_says_once_stands_in_one_chunk(message: str) -> None:
    body = chat_body(MESSAGES[message], OF_CHOICE["logprobs"], BESIDE["citations"])
    chunks = events(passes(body, "chat"))
    assert len([chunk for chunk in chunks if "citations" in chunk]) == 1
    with_logprobs = [one for chunk in chunks for one in chunk["choices"] if one["logprobs"]]
    assert [one["logprobs"] for one in with_logprobs] == [{"content": [TOKEN, NEXT], "refusal": None}]
    for name, value in MESSAGES[message].items():
        said = [one["delta"][name] for chunk in chunks for one in chunk["choices"] if one["delta"].get(name)]
        assert len(said) == (len(value) if name == "tool_calls" else bool(value))


def test_probabilities_go_with_the_text_they_belong_to() -> None:
    chunks = events(passes(json.loads((GOLDEN / "N06.json").read_bytes()), "chat"))
    said = [one for chunk in chunks for one in chunk["choices"]]
    assert [one["delta"].get("content") for one in said if one.get("logprobs")] == ["Kolberg"]
    assert [token["token"] for one in said for token in (one.get("logprobs") or {}).get("content", [])] == [
        "Kol",
        "berg",
    ]


def test_several_choices_come_back() -> None:
    body = chat_body(MESSAGES["text"], {}, {})
    body["choices"] = [
        {**body["choices"][0], "index": index, "finish_reason": end} for index, end in enumerate(("stop", "length"))
    ]
    assert gathered(passes(body, "chat")) == body


# Legacy completions.


@pytest.mark.parametrize(
    "choice",
    [
        {"text": "Kolberg", "finish_reason": "stop"},
        {"text": "Kolberg", "finish_reason": "length", "stop_reason": 2, "token_ids": [1, 2]},
        {"text": "", "finish_reason": "stop"},
        {
            "text": "Say Kolberg",
            "logprobs": {
                "tokens": ["Say ", "Kol", "berg"],
                "token_logprobs": [None, -0.1, -0.2],
                "top_logprobs": None,
                "text_offset": [0, 4, 7],
            },
            "finish_reason": "stop",
        },
    ],
)
def test_a_completion_comes_back_as_it_was(choice: dict[str, Any]) -> None:
    choices = [{"logprobs": None, **choice, "index": index} for index in range(2)]
    body = {"id": "c1", "object": "text_completion", "model": "up", "choices": choices, "usage": USAGE}
    assert gathered(passes(body, "completions"), "completions") == body


def test_probabilities_of_a_completion_are_joined() -> None:
    def piece(text: str, at: int, finish: str | None = None) -> bytes:
        logprobs = {"tokens": [text], "token_logprobs": [-0.1], "top_logprobs": None, "text_offset": [at]}
        choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": finish}
        return b"data: " + json.dumps({"id": "c1", "choices": [choice]}).encode() + b"\n\n"

    whole = gathered(piece("Kol", 0) + piece("berg", 3, "stop") + DONE, "completions")["choices"][0]
    assert whole["text"] == "Kolberg"
    assert whole["logprobs"] == {
        "tokens": ["Kol", "berg"], "token_logprobs": [-0.1, -0.1], "top_logprobs": None, "text_offset": [0, 3],
    }  # fmt: skip
