"""Conversations in core words as requests for messages."""

from typing import Final

from tollhouse.core.conversation import Conversation, Message, TextPart, Tool, ToolCall
from tollhouse.core.end_user import opaque_user
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.features import leave_out
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.text_tools import described
from tollhouse.core.tool_schema import tool_schema
from tollhouse.formats.anthropic.answer_tool import choose_it, is_wanted
from tollhouse.formats.anthropic.block_writer import blocks_of, cache_control, text_block
from tollhouse.formats.anthropic.models_known import is_prefilled, is_sampled, longest_answer
from tollhouse.formats.anthropic.schema import answer_schema
from tollhouse.formats.anthropic.thinking import thinking_of

CACHE_MARKS_MAX: Final = 4
_OFF: Final = {"type": "disabled"}
_GO_ON: Final = "Continue."
"""What a user says where the model's own words are the last: newer models, and those that think, do not go on with
them."""
_CHOICES: Final = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}
_USER_CHARACTERS_MAX: Final = 256
_FIRST: Final = "."
"""What a user says where a conversation begins with the model's words, for the format lets a user begin."""


def write_request(
    conversation: Conversation,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
) -> bytes:
    """See `core.words.WriteConversation`. A report comes with every answer, and a cap with every request."""
    cap = conversation.output_cap or conversation.longest_answer or longest_answer(model)
    system, messages = _messages(conversation.messages)
    answer = choose_it(conversation) if is_wanted(conversation, model) else None
    body: Object = {"model": model, "max_tokens": cap}
    if system:
        alone = len(system) == 1 and system[0].keys() == {"type", "text"}
        body["system"] = system[0]["text"] if alone else system
    body["messages"] = messages
    _write_tools(body, conversation, answer)
    body |= thinking_of(conversation, model, cap, messages)
    thinks = body.get("thinking", _OFF) != _OFF
    if messages[-1]["role"] == "assistant" and (thinks or not is_prefilled(model)):
        messages.append({"role": "user", "content": _GO_ON})
    if answer is None and conversation.output is not None and conversation.output.schema is not None:
        form = {"type": "json_schema", "schema": answer_schema(conversation.output.schema)}
        settings = body.get("output_config")
        body["output_config"] = {**(settings if isinstance(settings, dict) else {}), "format": form}
    _write_sampling(body, conversation, is_taken=is_sampled(model) and not thinks)
    if conversation.stop:
        body["stop_sequences"] = _stops(conversation)
    if conversation.user:
        body["metadata"] = {"user_id": opaque_user(conversation.user, _USER_CHARACTERS_MAX, plain=True)}
    if stream:
        body["stream"] = True
    _limit_cache_marks(body)
    return encode(body)


def _messages(messages: list[Message]) -> tuple[list[Object], list[Object]]:
    """The system prompt, which is what the system says before anybody else does, and the turns. What it says later
    stands where it was said, as words of the user."""
    system: list[Object] = []
    turns: list[tuple[str, list[Object]]] = []
    for message in messages:
        if message.role in ("system", "developer") and not turns:
            for part in message.parts:
                system += text_block(part) if isinstance(part, TextPart) else []
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = blocks_of(message.parts)
        if not blocks:
            continue
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))
    if not turns:  # a request without a message is refused, and so is an empty text
        turns, system = [("user", system or [{"type": "text", "text": _FIRST}])], []
    if turns[0][0] == "assistant":
        turns.insert(0, ("user", [{"type": "text", "text": _FIRST}]))
    return system, [_turn(role, blocks, is_last=at == len(turns) - 1) for at, (role, blocks) in enumerate(turns)]


def _turn(role: str, blocks: list[Object], *, is_last: bool) -> Object:
    """Results of tools come first; words that the model is to go on with must not end with a blank."""
    if role == "user":
        results = [block for block in blocks if block["type"] == "tool_result"]
        blocks = results + [block for block in blocks if block["type"] != "tool_result"]
    elif is_last and blocks[-1]["type"] == "text":
        blocks[-1]["text"] = str(blocks[-1]["text"]).rstrip()
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return {"role": role, "content": blocks[0]["text"]}
    return {"role": role, "content": blocks}


def _stops(conversation: Conversation) -> list[str]:
    if all(map(str.strip, conversation.stop)):
        return conversation.stop
    param = conversation.uses.get("stop", "stop")
    raise UnsupportedParameter(
        f"'{param}' cannot be passed on: the provider of this model takes no text of blanks alone at which an answer "
        "ends.",
        param=param,
    )


def _write_tools(body: Object, conversation: Conversation, answer: Object | None) -> None:
    """Where only some of the tools may be called, the model is told of no others. answer: the tool by which it answers
    (`formats.anthropic.answer_tool`)."""
    choice = conversation.tool_choice
    several = frozenset(choice.names if choice is not None and choice.choosing in ("auto", "required") else ())
    tools: list[object] = [_tool(tool) for tool in conversation.tools if not several or tool.name in several]
    tools += [] if answer is None else [answer]
    if not tools:
        _declare_called(body, conversation.messages)
        return
    body["tools"] = tools
    said: Object = {}
    if choice is not None:
        said["type"] = _CHOICES[choice.choosing]
        if choice.choosing == "named":
            said["name"] = choice.names[0]
    if conversation.parallel_tool_calls is False and said.get("type") != "none":
        said = {"type": "auto", **said, "disable_parallel_tool_use": True}
    if said:
        body["tool_choice"] = said


def _declare_called(body: Object, messages: list[Message]) -> None:
    """Calls in a history without tools: they are declared as far as they are known, and none may be called."""
    names = dict.fromkeys(part.name for message in messages for part in message.parts if isinstance(part, ToolCall))
    if names:
        body["tools"] = [{"name": name, "input_schema": tool_schema(None)} for name in names]
        body["tool_choice"] = {"type": "none"}


def _tool(tool: Tool) -> Object:
    said: Object = {"name": tool.name}
    if description := described(tool):
        said["description"] = description
    said["input_schema"] = _TEXT_TAKEN if tool.is_custom else tool_schema(tool.parameters)
    if tool.cache:
        said["cache_control"] = cache_control(tool.cache)
    return said


_TEXT_TAKEN: Final[Object] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
"""What a tool takes that takes text."""


def _write_sampling(body: Object, conversation: Conversation, *, is_taken: bool) -> None:
    """A temperature lies between 0 and 1 here; models take it or `top_p`, and none of these where they think."""
    if is_taken and conversation.temperature is not None and conversation.temperature > 1.0:
        leave_out(conversation, "temperature")
    asked: Object = {
        "temperature": None if conversation.temperature is None else min(conversation.temperature, 1.0),
        "top_p": conversation.top_p,
        "top_k": conversation.top_k,
    }
    for name, value in asked.items():
        if value is None:
            continue
        if not is_taken or (name == "top_p" and "temperature" in body):
            leave_out(conversation, name)
        else:
            body[name] = value


def _limit_cache_marks(body: Object) -> None:
    """The vendor takes so many marks: those furthest on stay, for each covers all before it."""
    marked = [block for place in ("tools", "system", "messages") for block in _marked(body.get(place))]
    for block in marked[:-CACHE_MARKS_MAX]:
        del block["cache_control"]


def _marked(value: object) -> list[Object]:
    found: list[Object] = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            found += _marked(one.get("content"))
            if "cache_control" in one:
                found.append(one)
    return found
