"""A chat's request as a provider of this format gets it, written from core words.

Said in the plainest form, which every server reads: one text as a string, tools that take text as functions, of several
allowed tools only those, pictures in results of tools in the message after them.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from tollhouse.core.conversation import (
    Conversation,
    MediaPart,
    Message,
    Part,
    Reasoning,
    Refusal,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from tollhouse.core.end_user import opaque_user
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.features import leave_out
from tollhouse.core.form_in_words import form_in_words
from tollhouse.core.provider_json import json_object
from tollhouse.core.text_tools import described, input_schema
from tollhouse.core.tool_schema import tool_schema
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words import reasoning
from tollhouse.formats.openai.words.as_models_take import effort_for, sampling_for
from tollhouse.formats.openai.words.call_ids import short_id
from tollhouse.formats.openai.words.media import audio_of, name_of, url_of
from tollhouse.formats.openai.words.models_known import is_own, rests_to_call, takes_schema, wants_thoughts
from tollhouse.formats.openai.words.requested_tools import callable_tools
from tollhouse.formats.openai.words.settings import USER_CHARACTERS_MAX
from tollhouse.formats.openai.words.strict_schema import can_be_strict

Object = dict[str, object]

SAYS: Final = frozenset(
    (
        *("images", "image_urls", "audio", "files", "tool_result_media", "message_names", "tools", "strict_tools"),
        *("custom_tools", "tool_choice_named", "tool_choice_several", "parallel_tool_calls", "json_object"),
        *("json_schema", "stop", "n", "logprobs", "logit_bias", "penalties", "seed", "reasoning", "verbosity", "user"),
        "service_tier",
    )
)
_CAP: Final = ("max_tokens",)
_ID_CHARACTERS_MAX: Final = 40
_NO_THOUGHTS: Final = " "
"""What stands where thoughts must stand, and another model made them, or none did: an empty text is refused."""
_SAMPLING: Final = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias")


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
    """See `core.words.WriteConversation`."""
    messages = [*_in_words(conversation, model), *conversation.messages]
    body: Object = {"model": model, "messages": _messages(messages, model)}
    if stream:
        body["stream"] = True
        if include_usage:
            body["stream_options"] = {"include_usage": True}
    if conversation.output_cap is not None:
        body |= dict.fromkeys(caps or _CAP, conversation.output_cap)
    body |= sampling_for(conversation, model, _SAMPLING)
    if conversation.n > 1:
        body["n"] = conversation.n
    if conversation.stop:
        body["stop"] = conversation.stop
    if conversation.logprobs:
        body["logprobs"] = True
        if conversation.top_logprobs is not None:
            body["top_logprobs"] = conversation.top_logprobs
    _add_tools(body, conversation)
    _add_form(body, conversation, model)
    _add_reasoning(body, conversation, model)
    user = opaque_user(conversation.user, USER_CHARACTERS_MAX)
    named = {"verbosity": conversation.verbosity, "user": user, "service_tier": conversation.service_tier}
    body |= {name: value for name, value in named.items() if value}
    return chunks.encode(body)


def _add_tools(body: Object, conversation: Conversation) -> None:
    tools = callable_tools(conversation)
    if not tools:
        return
    body["tools"] = [{"type": "function", "function": _function(tool)} for tool in tools]
    choice = conversation.tool_choice
    if choice is not None:
        named: Object = {"type": "function", "function": {"name": choice.names[0]}} if choice.names else {}
        body["tool_choice"] = named if choice.choosing == "named" else choice.choosing
    if conversation.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = conversation.parallel_tool_calls


def _function(tool: Tool) -> Object:
    function: Object = {"name": tool.name}
    if description := described(tool):
        function["description"] = description
    if tool.is_custom:
        return {**function, "parameters": input_schema(tool.name)}
    parameters = function["parameters"] = tool_schema(tool.parameters)
    if tool.strict is not None:
        function["strict"] = tool.strict and can_be_strict(parameters)
    return function


def _add_reasoning(body: Object, conversation: Conversation, model: str) -> None:
    asked, choice = conversation.reasoning, conversation.tool_choice
    must_call = "tools" in body and choice is not None and choice.choosing in ("required", "named")
    if must_call and rests_to_call(model):
        body["thinking"] = {"type": "disabled"}
        if asked is not None and asked.enabled:
            leave_out(conversation, "reasoning")
    elif (effort := effort_for(conversation, model)) and (effort != "none" or is_own(model)):
        body["reasoning_effort"] = effort


def _add_form(body: Object, conversation: Conversation, model: str) -> None:
    form = conversation.output
    if form is None:
        return
    if form.schema is None or not takes_schema(model):
        body["response_format"] = {"type": "json_object"}
        return
    schema: Object = {"name": form.name or "answer", "schema": form.schema}
    if form.description:
        schema["description"] = form.description
    if form.strict is not None:
        schema["strict"] = form.strict and can_be_strict(form.schema)
    body["response_format"] = {"type": "json_schema", "json_schema": schema}


def _in_words(conversation: Conversation, model: str) -> list[Message]:
    """A schema, where the model is told of it in words alone."""
    form = conversation.output
    if form is None or form.schema is None or takes_schema(model):
        return []
    leave_out(conversation, "json_schema")
    return [form_in_words(form)]


def _messages(messages: Sequence[Message], model: str) -> list[Object]:
    """What the system says in a row is one message: some servers take no second one. What it says later stands there as
    words of the user, but for models of OpenAI: templates of others take a system message at the beginning alone."""
    found: list[Object] = []
    for is_system, run in groupby(messages, lambda message: message.role in ("system", "developer")):
        if not is_system:
            for message in run:
                found += _assistant(message, model) if message.role == "assistant" else _user(message)
        elif text := _joined([part for message in run for part in message.parts], "\n\n"):
            _say_as_system(found, text, anywhere=is_own(model))
    return found


def _say_as_system(found: list[Object], text: str, *, anywhere: bool) -> None:
    if anywhere or not found:
        found.append({"role": "system", "content": text})
    elif found[-1]["role"] != "user" or "name" in found[-1]:
        found.append({"role": "user", "content": text})
    else:
        before = found[-1]["content"]
        said: object = f"{before}\n\n{text}"
        if isinstance(before, list):
            said = [*before, {"type": "text", "text": text}]
        found[-1]["content"] = said


def _named(said: Object, message: Message) -> Object:
    return {**said, "name": message.name} if message.name else said


def _joined(parts: Sequence[Part], between: str) -> str:
    return between.join(part.text for part in parts if isinstance(part, TextPart | Refusal) and part.text)


def _user(message: Message) -> list[Object]:
    """Results of tools first, each a message of its own; then everything else, and the media in results."""
    found: list[Object] = []
    content: list[Object] = []
    for part in message.parts:
        if not isinstance(part, ToolResult):
            content += _content(part)
            continue
        said: Object = {"role": "tool", "tool_call_id": short_id(part.id, _ID_CHARACTERS_MAX)}
        media = [one for one in part.parts if isinstance(one, MediaPart)]
        text = _joined(part.parts, "\n")
        if media:
            text = f"{text}\n" if text else ""
            text += f"(What {part.name or 'the tool'} gave stands in the next message.)"
            content.append(
                {"type": "text", "text": f"From {part.name or 'the tool'} ({short_id(part.id, _ID_CHARACTERS_MAX)}):"}
            )
            for one in media:
                content += _content(one)
        found.append({**said, "content": text})
    if content or not found:
        texts = [one.get("text") for one in content]
        plain = texts[0] if len(content) == 1 and content[0]["type"] == "text" else None
        found.append(_named({"role": "user", "content": (content or "") if plain is None else plain}, message))
    return found


def _content(part: Part) -> list[Object]:
    if isinstance(part, TextPart | Refusal):
        return [{"type": "text", "text": part.text}] if part.text else []
    if not isinstance(part, MediaPart):
        return []
    if part.kind == "image":
        image: Object = {"url": url_of(part)}
        if part.detail:
            image["detail"] = part.detail
        return [{"type": "image_url", "image_url": image}]
    if part.kind == "audio":
        return [{"type": "input_audio", "input_audio": audio_of(part)}]
    if part.kind == "video":
        raise UnsupportedParameter("Films cannot be passed on to the provider of this model.")
    if part.text:
        return [{"type": "text", "text": f"{part.name}:\n\n{part.text}" if part.name else part.text}]
    return [{"type": "file", "file": {"filename": name_of(part), "file_data": url_of(part)}}]


def _assistant(message: Message, model: str) -> list[Object]:
    """Texts that stood apart are one: the parts of an answer follow each other without a break. A message that says
    nothing, as of thoughts that do not go on, is none: some servers refuse it."""
    said: Object = {"role": "assistant", "content": _joined(message.parts, "") or None}
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    for part in message.parts:
        if isinstance(part, Reasoning):
            reasoning.write_back(said, part)
    if calls:
        if wants_thoughts(model) and not any(name in said for name in (*reasoning.NAMES, *reasoning.DETAILS)):
            said["reasoning_content"] = _NO_THOUGHTS
        said["tool_calls"] = [_call(part) for part in calls]
    elif said["content"] is None:
        if len(said) == 2:
            return []
        said["content"] = ""
    return [_named(said, message)]


def _call(call: ToolCall) -> Object:
    arguments = chunks.encode({"input": call.arguments}).decode() if call.is_custom else call.arguments or "{}"
    said: Object = {
        "id": short_id(call.id, _ID_CHARACTERS_MAX),
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }
    if call.opaque is not None and call.opaque.format == reasoning.OWN:
        kept = json_object(call.opaque.data)
        if kept:
            said["extra_content"] = kept
    return said
