"""What other makers signed goes on to nobody else, though a history goes on as it came."""

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from tollhouse.core.conversation import Opaque
from tollhouse.core.opaque import id_with, sealed
from tollhouse.core.operation import Operation
from tollhouse.formats.gemini import request as gemini
from tollhouse.formats.gemini.signatures import TOLD_UNSIGNED, UNSIGNED, opaque_of, signature_of
from tollhouse.formats.openai import request as openai
from tollhouse.formats.openai.summaries import item_with

GEMINI = Opaque("gemini_content", "c2lnbmVk")
CLAUDE = Opaque("anthropic_messages", "signed ÿ?>")


def sent(operation: Operation, **members: Any) -> Any:
    request = openai.read(operation, json.dumps({"model": "m", **members}).encode())
    (body,) = openai.write(request, model="m", stream=False, include_usage=False)
    return json.loads(bytes(body))


def test_a_chat_goes_on_with_ids_of_its_own() -> None:
    call = {"id": id_with("call_1", GEMINI), "type": "function", "function": {"name": "f", "arguments": "{}"}}
    own = {"type": "reasoning.encrypted", "data": "own"}
    other = {"type": "reasoning.text", "text": "hm", "signature": sealed(CLAUDE, "openai_chat")}
    answer = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_details": [own, other]}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "1"}
    messages = sent("chat", messages=[{"role": "user", "content": "a"}, answer, result])["messages"]
    assert messages[1] == {**answer, "tool_calls": [{**call, "id": "call_1"}], "reasoning_details": [own]}
    assert messages[2] == {**result, "tool_call_id": "call_1"}
    alone = sent("chat", messages=[{"role": "assistant", "content": "a", "reasoning_details": [other]}])
    assert alone["messages"] == [{"role": "assistant", "content": "a"}]


def test_items_go_on_without_thoughts_of_others() -> None:
    own = {"type": "reasoning", "summary": [], "encrypted_content": "own"}
    other = {"type": "reasoning", "summary": [], "encrypted_content": sealed(CLAUDE, "openai_responses")}
    call = {"type": "function_call", "call_id": id_with("call_1", GEMINI), "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "1"}
    items = sent("responses", input=[{"role": "user", "content": "a"}, own, other, call, output])["input"]
    assert items[1:] == [own, {**call, "call_id": "call_1"}, {**output, "call_id": "call_1"}]


def test_a_summary_that_a_model_of_another_format_wrote_goes_on_in_words() -> None:
    shortened = item_with("All is well.", "cmp_1")
    own = {"type": "compaction", "encrypted_content": "gAAAA"}
    items = sent("responses", input=[shortened, own, {"role": "user", "content": "th1_"}])["input"]
    told = {"type": "message", "role": "user", "content": "Summary of the conversation so far:\n\nAll is well."}
    assert items == [told, own, {"role": "user", "content": "th1_"}]


@pytest.mark.parametrize("messages", [[{"role": "user", "content": "th1_ is a mark"}], "th1_", [{"a": 1}, "th1_"]])
def test_what_only_looks_so_goes_on_as_it_came(messages: Any) -> None:
    assert sent("responses", input=messages)["input"] == messages


def to_gemini(*parts: object, name: str = "contents") -> Any:
    body = {name: [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": parts}]}
    request = gemini.read(json.dumps(body).encode())
    (written,) = gemini.write(request, model="m", stream=False, include_usage=False)
    return [content.get("parts") for content in json.loads(bytes(written))[name]][1:]


def test_gemini_gets_signatures_of_its_own() -> None:
    own, other = {"thoughtSignature": "b3du"}, {"thoughtSignature": signature_of(CLAUDE)}
    call = {"functionCall": {"name": "f", "args": {}}}
    given = ({"text": "hm", "thought": True, **other}, {"text": "b", **other}, {**call, **other}, {**call, **own})
    kept = [{"text": "b"}, {**call, "thoughtSignature": UNSIGNED}, {**call, **own}]
    assert to_gemini(*given) == [kept]
    assert to_gemini(given[0]) == []


def test_a_call_that_nobody_signed_says_so_to_every_client() -> None:
    """In either alphabet of base64."""
    told = [TOLD_UNSIGNED, b64encode(UNSIGNED.encode()).decode(), urlsafe_b64encode(UNSIGNED.encode()).decode()]
    assert [opaque_of({"functionCall": {}, "thoughtSignature": one}) for one in [*told, UNSIGNED]] == [None] * 4


def test_what_stands_alone_is_looked_at_as_well() -> None:
    """Google reads one object where a list of them is meant."""
    call = {"functionCall": {"name": "f"}, "thoughtSignature": signature_of(CLAUDE)}
    for contents in ({"role": "model", "parts": call}, [{"role": "model", "parts": [call]}]):
        request = gemini.read(json.dumps({"contents": contents}).encode())
        (written,) = gemini.write(request, model="m", stream=False, include_usage=False)
        assert json.loads(bytes(written))["contents"][0]["parts"] == [{**call, "thoughtSignature": UNSIGNED}]
