"""What newer models of Anthropic's refuse, and an answer in JSON, which none takes as a form or older ones do not."""

import json
from typing import Any

import pytest

from tollhouse.core.conversation import (
    Conversation,
    Message,
    OutputForm,
    ReasoningAsked,
    Role,
    TextPart,
    Tool,
    ToolChoice,
)
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.formats.anthropic.words import WORDS

Object = dict[str, Any]


def said(role: Role, text: str) -> Message:
    return Message(role=role, parts=[TextPart(text=text)])


def conversation(*messages: Message, **members: Any) -> Conversation:
    return Conversation(messages=list(messages), **members)


def sent(asked: Conversation, model: str = "claude-sonnet-4-5") -> Object:
    body = json.loads(WORDS.write_request(asked, model=model, stream=False, include_usage=True))
    assert isinstance(body, dict)
    return body


ENDED = (said("user", "Hi"), said("assistant", "Yes"))
GO_ON = {"role": "user", "content": "Continue."}


@pytest.mark.parametrize(
    ("model", "reasoning", "ends"),
    [
        ("claude-sonnet-4-5", None, False),
        ("claude-sonnet-4-5", ReasoningAsked(enabled=False), False),
        ("claude-sonnet-4-5", ReasoningAsked(effort="low"), True),
        ("claude-sonnet-4-6", None, True),
        ("claude-opus-5", ReasoningAsked(enabled=False), True),
    ],
)
def test_a_user_speaks_last_where_a_model_wants_it(model: str, reasoning: ReasoningAsked | None, ends: bool) -> None:
    body = sent(conversation(*ENDED, reasoning=reasoning), model)
    assert (body["messages"][-1] == GO_ON) is ends


def test_a_conversation_in_which_nobody_says_anything_is_one() -> None:
    for history in ([], [said("user", "")], [said("user", " "), said("assistant", "")]):
        assert sent(conversation(*history))["messages"] == [{"role": "user", "content": "."}]


@pytest.mark.parametrize("stop", [["\n"], ["END", " \t"], [" "]])
def test_stops_of_blanks_are_refused_by_their_name(stop: list[str]) -> None:
    asked_for = conversation(said("user", "Hi"), stop=stop)
    asked_for.uses["stop"] = "stop_sequences"
    with pytest.raises(UnsupportedParameter) as refused:
        sent(asked_for)
    assert refused.value.param == "stop_sequences"


JSON = OutputForm()
FORM = OutputForm(schema={"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}})
ANSWER = "give_answer_as_json"


@pytest.mark.parametrize(
    ("model", "form", "choice", "tools", "chosen"),
    [
        ("claude-sonnet-4-5", JSON, None, [], {"type": "tool", "name": ANSWER}),
        ("claude-3-5-haiku-20241022", FORM, None, [], {"type": "tool", "name": ANSWER}),
        ("claude-sonnet-4-5", JSON, None, ["open"], {"type": "any"}),
        ("claude-sonnet-4-5", JSON, ToolChoice(choosing="auto", names=("open",)), ["open", "shut"], {"type": "any"}),
        ("claude-sonnet-4-5", JSON, ToolChoice(choosing="none"), ["open"], {"type": "tool", "name": ANSWER}),
    ],
)
def test_an_answer_in_json_is_given_through_a_tool(
    model: str, form: OutputForm, choice: ToolChoice | None, tools: list[str], chosen: Object
) -> None:
    declared = [Tool(name=name) for name in tools]
    wanted = conversation(said("user", "Hi"), output=form, tools=declared, tool_choice=choice)
    wanted.reasoning = ReasoningAsked(effort="high")
    body = sent(wanted, model)
    assert [tool["name"] for tool in body["tools"]] == [*tools[:1], ANSWER]
    assert (body["tool_choice"], "output_config" in body, "thinking" in body) == (chosen, False, False)
    schema = body["tools"][-1]["input_schema"]
    inner = {"$ref": "#/$defs/a"} if form is FORM else {"type": "object"}
    assert (schema["properties"], schema["required"]) == ({"answer": inner}, ["answer"])
    assert schema.get("$defs") == ({"a": {"type": "object"}} if form is FORM else None)


def test_where_a_tool_must_be_called_there_is_no_answer_and_some_models_cannot_be_made_to_give_one() -> None:
    forced = conversation(said("user", "Hi"), output=JSON, tools=[Tool(name="open")])
    forced.tool_choice = ToolChoice(choosing="named", names=("open",))
    assert [tool["name"] for tool in sent(forced)["tools"]] == ["open"]
    with pytest.raises(UnsupportedParameter):
        sent(conversation(said("user", "Hi"), output=JSON), "claude-fable-5")


OFF = {"thinking": {"type": "disabled"}}


@pytest.mark.parametrize(
    ("model", "reasoning", "members"),
    [
        ("claude-sonnet-5", None, OFF),
        ("claude-sonnet-5", ReasoningAsked(effort="low"), OFF | {"output_config": {"effort": "low"}}),
        ("claude-opus-5", ReasoningAsked(effort="xhigh"), OFF),
        ("claude-opus-5", ReasoningAsked(budget=2_000), OFF | {"output_config": {"effort": "low"}}),
        ("claude-opus-4-8", None, {}),
        ("claude-sonnet-4-5", None, {}),
        ("claude-fable-5", None, {}),
    ],
    ids=str,
)
def test_models_that_think_unasked_do_not_where_they_must_call_a_tool(
    model: str, reasoning: ReasoningAsked | None, members: Object
) -> None:
    forced = conversation(said("user", "Hi"), tools=[Tool(name="open")], reasoning=reasoning)
    forced.tool_choice = ToolChoice(choosing="required")
    body = sent(forced, model)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == members
    forced.tool_choice = ToolChoice(choosing="auto")
    assert "disabled" not in json.dumps(sent(forced, model))
