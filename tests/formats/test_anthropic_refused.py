"""Requests for messages that cannot be read: what is wrong is named, and nothing is dropped in silence."""

import pytest

from tests.formats.anthropic_samples import GATE, Object, assistant, user
from tests.formats.test_anthropic_asked import asked
from tollhouse.core.failure import BadRequest


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([{"role": "tool", "content": "x"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": 1}], "messages[0].content"),
        ([{"role": "user", "content": [1]}], "messages[0].content[0]"),
        ([user({"type": "text"})], "messages[0].content[0].text"),
        ([user({"type": "image"})], "messages[0].content[0].source"),
        ([user({"type": "image", "source": {"type": "base64"}})], "messages[0].content[0].source"),
        ([user({"type": "tool_use", "name": "x"})], "messages[0].content[0]"),
        ([user({"type": "tool_result", "content": "x"})], "messages[0].content[0].tool_use_id"),
        ([assistant({"type": "tool_use", "id": "t", "name": "x", "input": "{}"})], "messages[0].content[0].input"),
        ([user("Hi"), "x"], "messages[1]"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_named(body: list[Object], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        asked(*body)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"tools": "x"}, "tools"),
        ({"tools": [{**GATE, "input_schema": []}]}, "tools[0].input_schema"),
        ({"tools": [GATE], "tool_choice": "auto"}, "tool_choice"),
        ({"tools": [GATE], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"stop_sequences": ["x", 1]}, "stop_sequences[1]"),
        ({"thinking": "on"}, "thinking"),
        ({"output_config": []}, "output_config"),
        ({"output_format": "json"}, "output_format"),
        ({"metadata": "me"}, "metadata"),
        ({"top_k": 1.5}, "top_k"),
    ],
    ids=str,
)
def test_no_member_of_a_wrong_type_is_dropped_in_silence(members: Object, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        asked(**members)
    assert refused.value.param == param
