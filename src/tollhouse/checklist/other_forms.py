"""Step 2: of which API a body is, and where it belongs if it was sent to the address of another one."""

from collections.abc import Mapping
from typing import Any, Final

from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase

OPENAI: Final = "openai"
_TOLD_BY: Final[Mapping[str, Operation]] = {
    "messages": "chat",
    "prompt": "completions",
    "input": "responses",
}
_HEADERS: Final = {"anthropic-version": "anthropic", "x-goog-api-key": "gemini", "x-goog-api-client": "gemini"}
"""Headers that one vendor's libraries send, by its format."""
_BLOCKS: Final = frozenset(("tool_use", "tool_result", "thinking", "redacted_thinking", "document"))
_LOOKED_AT: Final = 100
"""Messages and tools that tell of which API a body is."""


def told_by(headers: Mapping[str, str], members: Mapping[str, Any]) -> tuple[str, Operation]:
    """The format and the operation of a body without an address, by what was sent with it and what it holds."""
    form = next((form for name, form in _HEADERS.items() if name in headers), "") or form_of(members)
    if form == OPENAI:
        return form, next((operation for name, operation in _TOLD_BY.items() if name in members), "chat")
    embeds = form == "gemini" and "contents" not in members and ("content" in members or "requests" in members)
    return form, "embeddings" if embeds else "chat"


def form_of(members: Mapping[str, Any]) -> str:
    """The format of a body: of OpenAI, where nothing tells another one."""
    if "messages" not in members:
        return "gemini" if "contents" in members else OPENAI
    tools, messages = members.get("tools"), members.get("messages")
    of_anthropic = (
        isinstance(members.get("system"), str | list)
        or "anthropic_version" in members
        or "stop_sequences" in members
        or any("input_schema" in one for one in _objects(tools))
        or any(part.get("type") in _BLOCKS for one in _objects(messages) for part in _objects(one.get("content")))
    )
    return "anthropic" if of_anthropic else OPENAI


def address_of(form: str, members: Mapping[str, Any]) -> str:
    """Where a body of this format is sent."""
    if form == "gemini":
        model = members.get("model")
        return f"/v1beta/models/{model[:80] if isinstance(model, str) else 'MODEL'}:generateContent"
    return "/v1/messages" if form == "anthropic" else "/v1/chat/completions"


def of_another_form(members: Mapping[str, Any], written: str, operation: Operation) -> Phrase | None:
    """Where a body belongs that is of another vendor's API, or of another call of the same. written: the format of the
    address."""
    form = form_of(members)
    if form != written and not (form == OPENAI and (written == "anthropic" or "messages" not in members)):
        return _belongs(form, members)  # nothing tells a plain body of chats from one of Anthropic
    return _of_another_call(members, operation) if written == OPENAI else None


def _belongs(form: str, members: Mapping[str, Any]) -> Phrase:
    address = address_of(form, members)
    if form == "gemini":
        return Phrase("This is a body of Gemini's API: send it to `%(address)s`.", address=address)
    if form == "anthropic":
        return Phrase("This is a body of Anthropic's API: send it to `%(address)s`.", address=address)
    return Phrase("This is a body of chat completions: send it to `%(address)s`.", address=address)


def _of_another_call(members: Mapping[str, Any], operation: Operation) -> Phrase | None:
    if operation == "chat" and "messages" not in members:
        if "input" in members:
            return Phrase("This body is of `/v1/responses`: send it there, or rename `input` to `messages`.")
        if "prompt" in members:
            return Phrase(
                "This body is of `/v1/completions`. For chat, replace `prompt` by `messages`:"
                ' `[{"role": "user", "content": ...}]`.'
            )
    if operation == "completions" and "messages" in members:
        return Phrase("This body is of `/v1/chat/completions`: send it there.")
    if operation in ("responses", "embeddings", "moderations") and "messages" in members and "input" not in members:
        return Phrase("This body is of `/v1/chat/completions`: send it there, or rename `messages` to `input`.")
    if "deployment_id" in members or "engine" in members:
        return Phrase("`engine` and `deployment_id` are of old libraries: name the model in `model`.")
    return None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value[:_LOOKED_AT] if isinstance(one, dict)] if isinstance(value, list) else []
