"""Arguments of calls in a history, as the objects that they are.

Clients keep what a model once wrote: nothing or `null` for a tool that takes nothing, an empty list where their
language has one kind of both (PHP), an object in a text in JSON. Other formats take an object alone, and templates of
chats fail.
"""

from tollhouse.core.conversation import Conversation, ToolCall
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.provider_json import decode_any, json_object

_EMPTY = ("", "null", "[]")


def open_arguments(conversation: Conversation) -> None:
    """What is no object at all stays as it is: a format says it as it can."""
    for message in conversation.messages:
        for part in message.parts:
            if isinstance(part, ToolCall) and not part.is_custom:
                part.arguments = _opened(part.arguments)


def _opened(arguments: str) -> str:
    text = arguments.strip()
    if text in _EMPTY:
        return "{}"
    if not text.startswith('"'):
        return arguments
    try:
        inner = decode_any(text.encode(errors="replace"))
    except UpstreamBroke:
        return arguments
    return inner if isinstance(inner, str) and json_object(inner) is not None else arguments
