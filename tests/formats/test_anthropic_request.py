"""Requests for messages: what decides something here, what it can cost, and what goes on to a provider."""

import json
from typing import Any

import pytest

from tests.formats.anthropic_samples import (
    EPHEMERAL,
    GATE,
    PICTURE,
    SEARCH,
    SIGNATURE,
    Object,
    assistant,
    encoded,
    picture,
    request,
    text,
    user,
)
from tollhouse.core.conversation import Opaque
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.opaque import id_with, sealed
from tollhouse.formats.anthropic import request as requests
from tollhouse.formats.anthropic.input_bounds import OWN_TOOL_TOKENS, input_bounds, prompt_of
from tollhouse.formats.anthropic.wire import WIRE


def read(*messages: Object, **members: object) -> ModelRequest:
    return requests.read(encoded(request(*messages, **members)))


def sent(asked: ModelRequest, *, stream: bool = False) -> Object:
    pieces = requests.write(asked, model="up", stream=stream, include_usage=True)
    body = json.loads(b"".join(map(bytes, pieces)))
    assert isinstance(body, dict)
    return body


def test_what_decides_something_is_read() -> None:
    asked = read(
        stream=True,
        thinking={"type": "enabled", "budget_tokens": 4096},
        metadata={"user_id": "u-1", "team": "gates", "n": 1},
        top_k=40,
        stop_sequences=["END"],
    )
    assert (asked.model, asked.stream, asked.wants_usage) == ("claude-sonnet-4-5", True, True)
    assert (asked.output_cap, asked.cap_param, asked.thinking) == (8192, "max_tokens", 4096)
    assert (asked.user, asked.metadata) == ("u-1", {"team": "gates"})
    assert (asked.n, asked.choices, asked.tier, asked.reads_more, asked.thinks_beside) == (1, 1, "", False, False)
    assert asked.affinity.startswith(b'[{"role":"user"')
    assert read(stream=None).stream is False
    assert read(max_tokens=0).output_cap == 0, "has the prompt cached, and nothing said"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 1}, "model"),
        ({"model": ""}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": "8"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 2**32}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"Max_Tokens": 8}, "Max_Tokens"),
        ({"Tools": []}, "Tools"),
    ],
    ids=str,
)
def test_what_is_missing_or_wrong_is_named(wrong: Object, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**wrong)
    assert refused.value.param == param
    assert param in refused.value.message


def test_the_tokens_of_a_request_without_a_cap_can_be_asked_for() -> None:
    body = request()
    del body["max_tokens"]
    asked = requests.read_counted(encoded(body))
    assert (asked.output_cap, asked.stream) == (None, False)
    with pytest.raises(BadRequest):
        requests.read(encoded(body))


@pytest.mark.parametrize(
    ("members", "tier", "param"),
    [
        ({"service_tier": "auto"}, "", ""),
        ({"service_tier": "standard_only"}, "", ""),
        ({"service_tier": "priority"}, "priority", "service_tier"),
        ({"speed": "standard"}, "", ""),
        ({"speed": None}, "", ""),
        ({"speed": "fast"}, "fast", "speed"),
        ({"inference_geo": "global"}, "", ""),
        ({"inference_geo": "us"}, "us", "inference_geo"),
        ({"tools": [GATE, {**GATE, "type": "custom"}]}, "", ""),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "", ""),
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, "", ""),
    ],
    ids=str,
)
def test_what_is_billed_beside_tokens_needs_a_price_by_its_name(members: Object, tier: str, param: str) -> None:
    asked = read(**members)
    assert (asked.tier, asked.tier_param) == (tier, param)


def test_a_call_has_one_price() -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        read(speed="fast", inference_geo="us")
    assert refused.value.param == "inference_geo"


@pytest.mark.parametrize(
    ("members", "reads_more", "writes_more"),
    [
        ({"cache_control": EPHEMERAL, "output_config": {"effort": "low"}}, False, False),
        ({"container": "c_1"}, True, False),
        ({"mcp_servers": [{"type": "url", "url": "https://x.example", "name": "x"}]}, True, False),
        ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, False, False),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, True, True),
        ({"something_new": {"a": 1}}, True, True),
        ({"something_new": False}, False, False),
    ],
    ids=str,
)
def test_what_reads_or_writes_more_is_held_for(members: Object, reads_more: bool, writes_more: bool) -> None:
    asked = read(**members)
    assert (asked.reads_more, asked.thinks_beside) == (reads_more, writes_more)
    assert input_bounds(asked).has_remote_input is reads_more


def test_what_names_other_models_does_not_go_on() -> None:
    asked = read(fallbacks=[{"model": "claude-opus-5"}], fallback_models=["x"])
    assert asked.dropped == ("fallbacks", "fallback_models")
    assert sent(asked).keys() == {"model", "max_tokens", "messages"}


def bounds(*content: object, **members: object) -> tuple[int, int, bool]:
    asked = read(user(*content), **members)
    found = input_bounds(asked)
    return asked.length - found.bytes, found.parts, found.has_remote_input


PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}
OUTSIDE = {"type": "url", "url": "https://x.example/a"}


@pytest.mark.parametrize(
    ("content", "taken_out", "parts", "elsewhere"),
    [
        ([text("Hi", cache_control=EPHEMERAL)], 0, 0, False),
        ([picture(), picture()], 2 * (len(PICTURE) + 2), 2, False),
        ([picture(**OUTSIDE)], 0, 1, True),
        ([picture(type="file", file_id="file_1")], 0, 1, True),
        ([{"type": "document", "source": PDF}], 10, 1, True),
        ([{"type": "document", "source": OUTSIDE}], 0, 1, True),
        ([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}], 0, 0, False),
        (
            [{"type": "document", "source": {"type": "content", "content": [text("x"), picture()]}}],
            len(PICTURE) + 2,
            1,
            False,
        ),
        ([{"type": "search_result", "source": "https://x.example", "title": "x", "content": [text("x")]}], 0, 0, False),
        ([{"type": "tool_result", "tool_use_id": "t", "content": [text("x"), picture()]}], len(PICTURE) + 2, 1, False),
        ([{"type": "tool_result", "tool_use_id": "t", "content": "x", "is_error": True}], 0, 0, False),
        ([{"type": "thinking", "thinking": "x", "signature": SIGNATURE}], 0, 0, False),
        ([{"type": "redacted_thinking", "data": "x"}], 0, 0, False),
        ([{"type": "tool_use", "id": "t", "name": "x", "input": {"type": "image", "source": OUTSIDE}}], 0, 0, False),
        ([{"type": "container_upload", "file_id": "file_1"}], 0, 1, True),
        ([{"type": "web_search_tool_result", "tool_use_id": "t", "content": []}], 0, 1, True),
        ([{"type": "something_new"}], 0, 1, True),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_input_is_bounded_by_what_it_is_made_of(
    content: list[Object], taken_out: int, parts: int, elsewhere: bool
) -> None:
    assert bounds(*content) == (taken_out, parts, elsewhere)


def test_tools_bound_the_input_where_the_caller_runs_them() -> None:
    assert bounds("Hi", tools=[GATE])[2] is False
    own = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
    assert bounds("Hi", tools=[own, GATE]) == (-OWN_TOOL_TOKENS, 0, False)
    assert bounds("Hi", tools=[{"type": "mcp_toolset", "mcp_server_name": "x"}])[2] is True
    assert bounds("Hi", tools=[SEARCH])[2] is True
    assert bounds("Hi", tools=None)[2] is False
    assert bounds("Hi", tools="odd")[2] is True


def test_the_prompt_is_all_that_is_read_without_media() -> None:
    asked = read(
        user(picture(), text("Who pays?")),
        system=[text("You keep a gate.")],
        tools=[GATE],
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
    )
    prompt = prompt_of(asked, input_bounds(asked))
    for part in ("You keep a gate.", "Who pays?", "open_gate", "json_schema"):
        assert part in prompt.text
    assert PICTURE not in prompt.text
    assert prompt.ids == 0


def test_members_go_on_as_they_came() -> None:
    raw = b'{"system" : [ {"type":"text","text":"\\u00e9"} ],"max_tokens":1e1,"max_tokens":8,"model":"a","model":"b",'
    raw += b'"messages":[{"role":"user","content":"x", "n":1e999}],"stream":true,"new":{"a":[1, 2]}}'
    asked = requests.read(raw)
    assert (asked.model, asked.output_cap) == ("b", 8)
    assert b"".join(map(bytes, requests.write(asked, model="up", stream=False, include_usage=True))) == (
        b'{"system":[ {"type":"text","text":"\\u00e9"} ],"max_tokens":8,"model":"up",'
        b'"messages":[{"role":"user","content":"x", "n":1e999}],"stream":false,"new":{"a":[1, 2]}}'
    )
    assert sent(read(), stream=True)["stream"] is True
    assert "stream" not in sent(read())


def test_a_large_body_goes_on_in_pieces() -> None:
    asked = read(user("x" * 2_000_000))
    pieces = requests.write(asked, model="up", stream=False, include_usage=True)
    assert len(pieces) > 1
    assert json.loads(b"".join(map(bytes, pieces)))["messages"] == [user("x" * 2_000_000)]


def test_half_of_a_pair_is_passed_on() -> None:
    raw = b'{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"cut \\ud83d"}]}'
    asked = requests.read(raw)
    assert asked.has_halves
    assert b"cut \\ud83d" in b"".join(map(bytes, requests.write(asked, model="up", stream=False, include_usage=True)))


FOREIGN = Opaque("gemini_content", "c2lnbg==")
THOUGHT = {"type": "thinking", "thinking": "I must.", "signature": SIGNATURE}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "open_gate", "input": {"gate": "A"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "open"}


def test_thoughts_of_other_makers_do_not_reach_anthropic() -> None:
    marked = id_with("toolu_1", FOREIGN)
    history = [
        user("Open A."),
        assistant({"type": "thinking", "thinking": "Hm.", "signature": sealed(FOREIGN, WIRE)}, {**CALL, "id": marked}),
        user({**RESULT, "tool_use_id": marked}),
        assistant(THOUGHT, {"type": "thinking", "thinking": "", "signature": ""}, text("It is open.")),
        user("And?"),
        assistant({"type": "redacted_thinking", "data": sealed(FOREIGN, WIRE)}),
        user("Well?"),
    ]
    thinking = {"type": "enabled", "budget_tokens": 2048}
    body = sent(read(*history, thinking=thinking))
    assert body["messages"] == [
        user("Open A."),
        assistant(CALL),
        user(RESULT),
        assistant(THOUGHT, text("It is open.")),
        user("And?"),
        user("Well?"),
    ]
    assert body["thinking"] == thinking, "a new turn begins with the thoughts of its own"
    within = sent(read(*history[:3], thinking=thinking))
    assert "thinking" not in within, "a turn that began without thoughts goes on so"
    assert sent(read(*history[:3], thinking={"type": "adaptive"}))["thinking"] == {"type": "adaptive"}


def test_what_anthropic_signed_goes_back_byte_for_byte() -> None:
    raw = encoded(request(user("Open A."), assistant(THOUGHT, CALL), user(RESULT)))
    raw = raw.replace(b'"signature":', b'"signature" : ')
    asked = requests.read(raw)
    written: Any = b"".join(
        map(bytes, requests.write(asked, model="claude-sonnet-4-5", stream=False, include_usage=True))
    )
    assert written == raw
