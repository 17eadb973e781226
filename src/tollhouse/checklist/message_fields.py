"""Step 2 for bodies of Anthropic's messages: what the gateway leaves to providers to judge."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tollhouse.checklist.steps import Trouble, wrong
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase

_MESSAGES_MAX: Final = 10_000
_ROLES: Final = ("user", "assistant", "system")
_OF_CHAT: Final[Mapping[str, str]] = {
    "stop": "stop_sequences",
    "max_completion_tokens": "max_tokens",
    "reasoning_effort": "thinking",
    "response_format": "output_config",
}
"""Members of chat completions, by those that mean it here."""
_BUDGET_MIN: Final = 1_024
_CACHES_MAX: Final = 4
Members = Mapping[str, Any]


def trouble_of(operation: Operation, members: Members) -> Trouble | None:
    """The first thing that providers refuse; members: of a body that the gateway has read."""
    looks: Iterable[Callable[[Members], Trouble | None]] = (
        *(_of_chat, _messages, _last, _tools, _tool_choice, _thinking, _caches),
    )
    return next((found for look in looks if (found := look(members)) is not None), None)


def _of_chat(members: Members) -> Trouble | None:
    for name, own in _OF_CHAT.items():
        if members.get(name) is not None:
            return wrong(
                Phrase("`%(name)s` is of chat completions; this API has no such member.", name=name),
                Phrase("Write `%(own)s`, or send the body to `/v1/chat/completions`.", own=own),
            )
    return None


def _messages(members: Members) -> Trouble | None:
    """Each by itself, and in their order: a result of a tool follows the call that it answers."""
    waiting: tuple[str, ...] = ()  # ids of calls that the next message answers
    for at, message in enumerate(members["messages"][:_MESSAGES_MAX]):
        place = f"messages[{at}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            return _role(place, role)
        found = _content(place, message.get("content"), waiting)
        if found is not None:
            return found
        blocks = _blocks(message.get("content"))
        answered = {one.get("tool_use_id") for one in blocks if one.get("type") == "tool_result"}
        missing = [one for one in waiting if one not in answered]
        if missing:
            return _unanswered(at - 1)
        waiting = tuple(str(one.get("id")) for one in blocks if one.get("type") == "tool_use")
    return _unanswered(len(members["messages"]) - 1) if waiting and len(members["messages"]) <= _MESSAGES_MAX else None


def _role(place: str, role: object) -> Trouble:
    if role in ("tool", "function"):
        return wrong(
            Phrase("`%(place)s.role` is `%(role)s`, as in chat completions.", place=place, role=role),
            Phrase(
                "Write the result as a block of a user's message:"
                ' `{"role": "user", "content": [{"type": "tool_result", "tool_use_id": ..., "content": ...}]}`.'
            ),
        )
    return wrong(
        Phrase("`%(place)s` has no `role` that this API knows.", place=place),
        Phrase("Write `user` or `assistant`; the instructions stand in `system`, beside `messages`."),
    )


def _unanswered(at: int) -> Trouble:
    return wrong(
        Phrase("`messages[%(at)s]` has a `tool_use` that the next message does not answer.", at=at),
        Phrase(
            "Put a `tool_result` with its `tool_use_id` into the message behind it, for each call. Whoever shortens a"
            " conversation removes both or neither."
        ),
    )


def _content(place: str, content: object, waiting: tuple[str, ...]) -> Trouble | None:
    if content == "" or content == []:
        return _empty(f"{place}.content")
    for at, block in enumerate(_blocks(content)):
        where, kind = f"{place}.content[{at}]", block.get("type")
        if kind == "text" and not str(block.get("text") or "").strip():
            return _empty(where)
        if kind in ("image_url", "input_audio", "file"):
            return _of_chat_part(where, str(kind))
        if kind == "image" and not isinstance(block.get("source"), dict):
            return _of_chat_part(where, "image")
        if kind == "tool_use" and not isinstance(block.get("input"), dict):
            return wrong(
                Phrase("`%(where)s.input` must be an object.", where=where),
                Phrase("Send the arguments as JSON that was read, not as a text; `{}` where there are none."),
            )
        if kind == "tool_result" and block.get("tool_use_id") not in waiting:
            return wrong(
                Phrase("`%(where)s` answers no `tool_use` of the message before it.", where=where),
                Phrase(
                    "Send the assistant's message with its `tool_use` right before the results, and give each the `id`"
                    " of its call as `tool_use_id`."
                ),
            )
    return None


def _of_chat_part(where: str, kind: str) -> Trouble:
    return wrong(
        Phrase("`%(where)s` is no block of this API: `%(kind)s`.", where=where, kind=kind),
        Phrase(
            'Write a picture as `{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data":'
            ' ...}}`, or with `{"type": "url", "url": ...}` as its source.'
        ),
    )


def _empty(where: str) -> Trouble:
    return wrong(Phrase("`%(where)s` is an empty text.", where=where), Phrase("Leave empty blocks and messages out."))


def _last(members: Members) -> Trouble | None:
    last = members["messages"][-1]
    if not isinstance(last, dict) or last.get("role") != "assistant":
        return None
    content = last.get("content")
    text = content if isinstance(content, str) else str((_blocks(content) or [{}])[-1].get("text") or "")
    if text == text.rstrip():
        return None
    return wrong(
        Phrase("The last message is the assistant's, and ends with a blank."),
        Phrase("Take the blanks and line breaks from its end: the model goes on behind them."),
    )


def _tools(members: Members) -> Trouble | None:
    for at, tool in enumerate(_blocks(members.get("tools"))):
        if tool.get("type") not in (None, "custom", "function"):
            continue
        if "function" in tool or "parameters" in tool or "input_schema" not in tool:
            return wrong(
                Phrase("`tools[%(at)s]` has no `input_schema`.", at=at),
                Phrase(
                    'Write `{"name": ..., "description": ..., "input_schema": {"type": "object", ...}}`. `function` and'
                    " `parameters` are of chat completions."
                ),
            )
    return None


def _tool_choice(members: Members) -> Trouble | None:
    choice = members.get("tool_choice")
    if choice is None or (isinstance(choice, dict) and choice.get("type") in ("auto", "any", "tool", "none")):
        return None
    return wrong(
        Phrase("`tool_choice` must be an object whose `type` is `auto`, `any`, `tool` or `none`."),
        Phrase('Write `{"type": "auto"}`.'),
    )


def _thinking(members: Members) -> Trouble | None:
    thinking = members.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if not isinstance(budget, int):
        return None
    most = members.get("max_tokens")  # with tools, it may think between their calls beyond that
    below = members.get("tools") or not isinstance(most, int) or budget < most
    if budget >= _BUDGET_MIN and below:
        return None
    return wrong(
        Phrase(
            "`thinking.budget_tokens` is %(budget)s; it goes from %(least)s to less than `max_tokens`.",
            budget=budget,
            least=_BUDGET_MIN,
        ),
        Phrase("Raise `max_tokens`, or leave `thinking` out."),
    )


def _caches(members: Members) -> Trouble | None:
    tools, system = members.get("tools"), members.get("system")
    holders = [members, *_blocks(tools), *_blocks(system)]
    for message in members["messages"][:_MESSAGES_MAX]:
        holders += _blocks(message.get("content")) if isinstance(message, dict) else []
    count = sum(isinstance(one.get("cache_control"), dict) for one in holders)
    if count <= _CACHES_MAX:
        return None
    return wrong(
        Phrase("%(count)s blocks have a `cache_control`; at most %(most)s are taken.", count=count, most=_CACHES_MAX),
        Phrase("Keep those of the tools, of `system`, and of the last messages."),
    )


def _blocks(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
