"""Core words in a form that can be compared: what says the same is the same."""

from collections.abc import Iterable
from typing import Any

from msgspec import json, structs

from tollhouse.core.conversation import (
    Conversation,
    MediaPart,
    Part,
    Reasoning,
    Refusal,
    TextPart,
    ToolCall,
    ToolChoice,
)
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    CitationAdded,
    Finished,
    OpaqueAdded,
    PartBegan,
    Reply,
    ReplyChoice,
    ReplyEvent,
    TextAdded,
    UsageTold,
)
from tollhouse.core.usage import Usage

_SETTINGS = (
    *("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias", "n"),
    *("logprobs", "top_logprobs", "stop", "verbosity", "user", "service_tier", "parallel_tool_calls", "output"),
)


def reply_of(events: Iterable[ReplyEvent]) -> Reply:
    """A stream as the whole answer that it is."""
    reply, parts = Reply(choices=[]), dict[tuple[int, int], Any]()
    for event in events:
        if isinstance(event, Began):
            reply.id, reply.model, reply.created = event.id, event.model, event.created
        elif isinstance(event, UsageTold):
            reply.usage = event.usage
        elif isinstance(event, PartBegan):
            parts[event.choice, event.index] = structs.replace(event.part)
        elif isinstance(event, TextAdded):
            parts[event.choice, event.index].text += event.text
            _choice(reply, event.choice).logprobs = [
                *(_choice(reply, event.choice).logprobs or []),
                *(event.logprobs or []),
            ] or None
        elif isinstance(event, ArgumentsAdded):
            parts[event.choice, event.index].arguments += event.text
        elif isinstance(event, OpaqueAdded):
            parts[event.choice, event.index].opaque = event.opaque
        elif isinstance(event, CitationAdded):
            parts[event.choice, event.index].citations += (event.citation,)
        elif isinstance(event, Finished):
            choice = _choice(reply, event.choice)
            choice.finish, choice.stop_sequence = event.finish, event.stop_sequence
    for (number, _), part in sorted(parts.items(), key=lambda placed: placed[0]):
        _choice(reply, number).parts.append(part)
    return reply


def _choice(reply: Reply, number: int) -> ReplyChoice:
    while len(reply.choices) <= number:
        reply.choices.append(ReplyChoice(parts=[]))
    return reply.choices[number]


def reply_said(reply: Reply, wire: str) -> Any:
    """Of an answer: its parts, its reasons, its probabilities, its usage. wire: the format that is to have said it."""
    choices = [
        (_parts(choice.parts, wire), choice.finish, [(one.token, one.logprob) for one in choice.logprobs or ()])
        for choice in reply.choices
    ]
    return choices, None if reply.usage is None else _usage(reply.usage)


def _usage(usage: Usage) -> tuple[int, int, int]:
    return usage.tokens_in(), usage.cache_read, usage.tokens_out()


def conversation_said(conversation: Conversation, wire: str) -> Any:
    """Of a request: who says what, its tools and its settings."""
    said: list[tuple[str, list[Any]]] = []
    for message in conversation.messages:
        role = "system" if message.role == "developer" else message.role
        parts = _parts([part for part in message.parts if not _is_foreign(part, wire)], wire)
        if said and said[-1][0] == role:
            said[-1] = role, _joined([*said[-1][1], *parts])
        elif parts:
            said.append((role, parts))
    tools = [(one.name, one.description, _schema(one.parameters), one.is_custom) for one in conversation.tools]
    settings = {name: getattr(conversation, name) for name in _SETTINGS}
    choice = conversation.tool_choice
    return said, tools, None if choice == ToolChoice(choosing="auto") else choice, settings


def _is_foreign(part: Part, wire: str) -> bool:
    """Thoughts that a format did not make are not sent to it."""
    return isinstance(part, Reasoning) and (part.opaque is None or part.opaque.format != wire)


def _schema(parameters: object) -> object:
    return {} if parameters in (None, {"type": "object"}, {"type": "object", "properties": {}}) else parameters


def _parts(parts: Iterable[Part], wire: str) -> list[Any]:
    return _joined([one for part in parts for one in _part(part, wire)])


def _joined(parts: list[Any]) -> list[Any]:
    """Texts that follow one another are one; what parts them is no matter."""
    found: list[Any] = []
    for part in parts:
        if found and part[0] == "text" == found[-1][0]:
            found[-1] = "text", found[-1][1] + part[1], [*found[-1][2], *part[2]]
        else:
            found.append(part)
    return found


def _part(part: Part, wire: str) -> list[Any]:
    if isinstance(part, TextPart):
        text = "".join(part.text.split())
        return [("text", text, [one.url for one in part.citations])] if text else []
    if isinstance(part, Refusal):
        return [("refusal", part.text)]
    if isinstance(part, Reasoning):
        own = part.opaque.data if part.opaque is not None and part.opaque.format == wire else None
        return [("reasoning", part.text, None if own is None or wire == "openai_chat" else own)]
    if isinstance(part, MediaPart):
        return [("media", part.kind, part.data, part.url, part.file_id, part.text, part.media_type)]
    call_id = "" if wire == "gemini_content" else part.id  # it numbers none
    if isinstance(part, ToolCall):
        return [("call", call_id, part.name, _json(part.arguments), part.is_custom)]
    return [("result", call_id, _parts(part.parts, wire))]


def _json(text: str) -> object:
    try:
        return json.decode(text or "{}")
    except ValueError:
        return text
