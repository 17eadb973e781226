"""A request of a response as a provider of this format gets it, written from core words. Nothing is kept there
(`store` is false), so what was thought in earlier turns goes with it."""

from collections.abc import Sequence
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
    ToolChoice,
    ToolResult,
)
from tollhouse.core.end_user import opaque_user
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.tool_schema import tool_schema
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words.as_models_take import effort_for, sampling_for
from tollhouse.formats.openai.words.call_ids import short_id
from tollhouse.formats.openai.words.media import name_of, url_of
from tollhouse.formats.openai.words.models_known import cannot_think
from tollhouse.formats.openai.words.response_reasoning import OWN
from tollhouse.formats.openai.words.settings import USER_CHARACTERS_MAX
from tollhouse.formats.openai.words.strict_schema import can_be_strict

Object = dict[str, object]

SAYS: Final = frozenset(
    (
        *("images", "image_urls", "files", "file_urls", "tool_result_media", "tools", "strict_tools", "custom_tools"),
        *("tool_grammars", "tool_choice_named", "tool_choice_several", "parallel_tool_calls", "json_object"),
        *("json_schema", "logprobs", "reasoning", "reasoning_off", "verbosity", "user", "service_tier"),
    )
)
_CAP: Final = ("max_output_tokens",)
_CAP_MIN: Final = 16
"""A lower one is refused; clients ask for one token to see whether a model answers."""
_ID_CHARACTERS_MAX: Final = 64


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
    instructions, messages = _instructions(conversation.messages)
    body: Object = {"model": model}
    if instructions:
        body["instructions"] = instructions
    body["input"] = [item for message in messages for item in _items(message)]
    body["store"] = False
    if stream:
        body["stream"] = True
    if conversation.output_cap is not None:
        body |= dict.fromkeys(caps or _CAP, max(_CAP_MIN, conversation.output_cap))
    body |= sampling_for(conversation, model, ("temperature", "top_p"))
    _add_tools(body, conversation)
    _add_text(body, conversation)
    _add_reasoning(body, conversation, model)
    if conversation.user:
        body["user"] = opaque_user(conversation.user, USER_CHARACTERS_MAX)
    if conversation.service_tier:
        body["service_tier"] = conversation.service_tier
    return chunks.encode(body)


def _instructions(messages: Sequence[Message]) -> tuple[str, Sequence[Message]]:
    """What the system says before anybody else; later words of it keep their place."""
    leading = next((at for at, one in enumerate(messages) if one.role not in ("system", "developer")), len(messages))
    if leading == len(messages):  # nobody else speaks: a request without input would be none
        leading = 0
    texts = [part.text for one in messages[:leading] for part in one.parts if isinstance(part, TextPart) and part.text]
    return "\n\n".join(texts), messages[leading:]


def _add_tools(body: Object, conversation: Conversation) -> None:
    if not conversation.tools:
        return
    body["tools"] = [_tool(tool) for tool in conversation.tools]
    if conversation.tool_choice is not None:
        body["tool_choice"] = _choice(conversation.tool_choice, conversation.tools)
    if conversation.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = conversation.parallel_tool_calls


def _tool(tool: Tool) -> Object:
    said: Object = {"type": "custom" if tool.is_custom else "function", "name": tool.name}
    if tool.description:
        said["description"] = tool.description
    if tool.is_custom:
        return said if tool.grammar is None else said | {"format": {"type": "grammar", **tool.grammar}}
    parameters = tool_schema(tool.parameters)
    return said | {"parameters": parameters, "strict": tool.strict is True and can_be_strict(parameters)}


def _choice(choice: ToolChoice, tools: Sequence[Tool]) -> object:
    if not choice.names:
        return choice.choosing
    custom = frozenset(tool.name for tool in tools if tool.is_custom)
    named = [{"type": "custom" if name in custom else "function", "name": name} for name in choice.names]
    if choice.choosing == "named":
        return named[0]
    return {"type": "allowed_tools", "mode": choice.choosing, "tools": named}


def _add_text(body: Object, conversation: Conversation) -> None:
    settings: Object = {}
    form = conversation.output
    if form is not None and form.schema is None:
        settings["format"] = {"type": "json_object"}
    elif form is not None:
        said: Object = {"type": "json_schema", "name": form.name or "answer", "schema": form.schema}
        if form.description:
            said["description"] = form.description
        strict = form.strict and can_be_strict(form.schema)
        settings["format"] = said if strict is None else said | {"strict": strict}
    if conversation.verbosity:
        settings["verbosity"] = conversation.verbosity
    if settings:
        body["text"] = settings


def _add_reasoning(body: Object, conversation: Conversation, model: str) -> None:
    asked, include, thinks = conversation.reasoning, [], not cannot_think(model)
    effort = effort_for(conversation, model)
    if asked is not None and thinks:
        settings: Object = {}
        if effort:
            settings["effort"] = effort
        summary = asked.summary or ("auto" if asked.visible else "")
        if summary and asked.enabled:
            settings["summary"] = summary
        body["reasoning"] = settings
    if thinks and ((asked is not None and asked.enabled) or _thinks(conversation.messages)):
        include.append("reasoning.encrypted_content")
    if conversation.logprobs:
        include.append("message.output_text.logprobs")
        if conversation.top_logprobs:
            body["top_logprobs"] = conversation.top_logprobs
    if include:
        body["include"] = include


def _thinks(messages: Sequence[Message]) -> bool:
    return any(_is_own(part) for message in messages for part in message.parts)


def _is_own(part: Part) -> bool:
    return isinstance(part, Reasoning) and part.opaque is not None and part.opaque.format == OWN


def _items(message: Message) -> list[Object]:
    items: list[Object] = []
    content: list[Object] = []
    said = "output_text" if message.role == "assistant" else "input_text"
    for part in message.parts:
        if isinstance(part, ToolResult | ToolCall | Reasoning):
            _close(items, content, message)
            content = []
            items += _item(part)
        else:
            content += _content(part, said)
    _close(items, content, message)
    if not items and message.role != "assistant":
        items.append({"type": "message", "role": message.role, "content": [{"type": said, "text": ""}]})
    return items


def _close(items: list[Object], content: list[Object], message: Message) -> None:
    """What an assistant said is a text: in parts it would be an item of the provider's own, with an id."""
    if not content:
        return
    said: object = content
    if message.role == "assistant" and all(one["type"] == "output_text" for one in content):
        said = "".join(str(one["text"]) for one in content)
    items.append({"type": "message", "role": message.role, "content": said})


def _item(part: ToolResult | ToolCall | Reasoning) -> list[Object]:
    if isinstance(part, ToolResult):
        kind = "custom_tool_call_output" if part.is_custom else "function_call_output"
        return [{"type": kind, "call_id": short_id(part.id, _ID_CHARACTERS_MAX), "output": _output(part)}]
    if isinstance(part, ToolCall):
        known: Object = {"call_id": short_id(part.id, _ID_CHARACTERS_MAX), "name": part.name}
        if part.is_custom:
            return [{"type": "custom_tool_call", **known, "input": part.arguments}]
        return [{"type": "function_call", **known, "arguments": part.arguments or "{}"}]
    if part.opaque is None or not _is_own(part):
        return []
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    return [{"type": "reasoning", "summary": summary, "encrypted_content": part.opaque.data}]


def _output(result: ToolResult) -> object:
    if all(isinstance(part, TextPart) for part in result.parts):
        return "\n".join(part.text for part in result.parts if isinstance(part, TextPart) and part.text)
    return [one for part in result.parts for one in _content(part, "input_text")]


def _content(part: Part, said: str) -> list[Object]:
    if isinstance(part, TextPart):
        text: Object = {"type": said, "text": part.text}
        return [text | {"annotations": []} if said == "output_text" else text] if part.text else []
    if isinstance(part, Refusal):
        return [{"type": "refusal", "refusal": part.text}]
    if not isinstance(part, MediaPart) or said == "output_text":
        return []
    if part.kind == "image":
        return [{"type": "input_image", "image_url": url_of(part), "detail": part.detail or "auto"}]
    if part.kind != "file":
        raise UnsupportedParameter("Sound and films cannot be passed on to the provider of this model.")
    if part.text:
        return [{"type": said, "text": f"{part.name}:\n\n{part.text}" if part.name else part.text}]
    if part.url:
        return [{"type": "input_file", "file_url": part.url}]
    return [{"type": "input_file", "filename": name_of(part), "file_data": url_of(part)}]
