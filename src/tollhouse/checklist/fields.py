"""Step 2, behind the reading of the gateway: what it leaves to providers to judge, and what they refuse most often."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tollhouse.checklist.steps import Trouble, wrong
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase
from tollhouse.core.spelling import nearest

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_OTHER_NAMES: Final = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
}
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "top_logprobs": (0, 20),
}
_STOPS_MAX: Final = 4
_MESSAGES_MAX: Final = 10_000
_PART_TYPES: Final = ("text", "image_url", "input_audio", "file", "refusal", "video_url")
_OF_MESSAGES: Final = ("image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking")
Members = Mapping[str, Any]


def trouble_of(operation: Operation, members: Members) -> Trouble | None:
    """The first thing that providers refuse; members: of a body that the gateway has read."""
    looks: Iterable[Callable[[Members], Trouble | None]] = (_ranges, _stops)
    if operation == "chat":
        looks = (*looks, _messages, _tools, _tool_choice, _response_format, _of_other_vendors)
    return next((found for look in looks if (found := look(members)) is not None), None)


def _ranges(members: Members) -> Trouble | None:
    for name, (least, most) in _RANGES.items():
        value = members.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return wrong(
                Phrase("`%(name)s` must be a number.", name=name),
                Phrase("Write it without quotes, or leave it out."),
            )
        if not least <= value <= most:
            return wrong(
                Phrase("`%(name)s` is %(value)s; it goes from %(least)s to %(most)s.", name=name,
                       value=repr(value)[:20], least=least, most=most),
                Phrase("Set it to a value from %(least)s to %(most)s, or leave it out.", least=least, most=most),
            )  # fmt: skip
    return None


def _stops(members: Members) -> Trouble | None:
    stop = members.get("stop")
    if isinstance(stop, list) and len(stop) > _STOPS_MAX:
        return wrong(
            Phrase("`stop` has %(count)s entries; at most %(most)s are taken.", count=len(stop), most=_STOPS_MAX),
            Phrase("Leave some of them out."),
        )
    return None


def _messages(members: Members) -> Trouble | None:
    """Each by itself, and in their order: a result of a tool follows the call that it answers."""
    waiting: dict[str, int] = {}  # ids of calls that no message has answered yet
    for at, message in enumerate(members["messages"][:_MESSAGES_MAX]):
        place = f"messages[{at}]"
        if not isinstance(message, dict):
            return wrong(
                Phrase("`%(place)s` is no object.", place=place),
                Phrase('Write it as `{"role": "user", "content": "..."}`.'),
            )
        role = message.get("role")
        if role not in ROLES:
            return _role(place, role)
        found = _order(place, message, waiting) or _content(place, role, message)
        if found is not None:
            return found
        if role == "assistant":
            waiting = _calls(message, at)
    return _unanswered(waiting)


def _role(place: str, role: object) -> Trouble:
    if not isinstance(role, str):
        return wrong(
            Phrase("`%(place)s` has no `role`.", place=place),
            Phrase("Give it one: `system`, `user`, `assistant` or `tool`."),
        )
    meant = _OTHER_NAMES.get(role.lower()) or nearest(role, ROLES)
    return wrong(
        Phrase("`%(place)s.role` is `%(role)s`, which is none.", place=place, role=role[:40]),
        Phrase("Write `%(meant)s`; the roles are `system`, `developer`, `user`, `assistant` and `tool`.", meant=meant),
    )


def _calls(message: Members, at: int) -> dict[str, int]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return {}
    return {one["id"]: at for one in calls if isinstance(one, dict) and isinstance(one.get("id"), str)}


def _order(place: str, message: Members, waiting: dict[str, int]) -> Trouble | None:
    if message["role"] != "tool":
        return _unanswered(waiting)
    answered = message.get("tool_call_id")
    if not isinstance(answered, str):
        return wrong(
            Phrase("`%(place)s` has the role `tool` and no `tool_call_id`.", place=place),
            Phrase("Set `tool_call_id` to the `id` of the call that it answers."),
        )
    if waiting.pop(answered, None) is None:
        return wrong(
            Phrase("`%(place)s` answers no tool call of the message before it.", place=place),
            Phrase(
                "Send the assistant's message with its `tool_calls` right before the results, and give each result the"
                " `id` of its call. Whoever shortens a conversation removes both or neither."
            ),
        )
    return None


def _unanswered(waiting: Mapping[str, int]) -> Trouble | None:
    if not waiting:
        return None
    at = next(iter(waiting.values()))
    return wrong(
        Phrase("`messages[%(at)s]` has tool calls that no message answers.", at=at),
        Phrase(
            "Put a message with the role `tool` and the call's `tool_call_id` behind it for each call, or remove it."
        ),
    )


def _content(place: str, role: str, message: Members) -> Trouble | None:
    content = message.get("content")
    if content is None:
        if role == "assistant" and (message.get("tool_calls") or message.get("function_call") or message.get("audio")):
            return None
        return wrong(
            Phrase("`%(place)s.content` is missing or null.", place=place),
            Phrase("Give it a text. Only an assistant's message with `tool_calls` may do without."),
        )
    if isinstance(content, str):
        return None
    if not isinstance(content, list):
        return wrong(
            Phrase("`%(place)s.content` must be a text or an array of parts.", place=place),
            Phrase('Write a text, or `[{"type": "text", "text": "..."}]`.'),
        )
    return next((found for at, part in enumerate(content) if (found := _part(f"{place}.content[{at}]", part))), None)


def _part(place: str, part: object) -> Trouble | None:
    if isinstance(part, dict) and part.get("type") in _OF_MESSAGES:
        return wrong(
            Phrase("`%(place)s` is a block of Anthropic's API: `%(kind)s`.", place=place, kind=part["type"]),
            Phrase("Send the whole body to `/v1/messages`, whose form that is."),
        )
    if not isinstance(part, dict) or part.get("type") not in _PART_TYPES:
        return wrong(
            Phrase("`%(place)s` is no part of a message.", place=place),
            Phrase(
                'Parts have a `type`: `{"type": "text", "text": ...}`, or `{"type": "image_url", "image_url":'
                ' {"url": ...}}`.'
            ),
        )
    if part["type"] == "image_url":
        image = part.get("image_url")
        if not isinstance(image, dict) or not isinstance(image.get("url"), str):
            return wrong(
                Phrase("`%(place)s.image_url` must be an object with a `url`.", place=place),
                Phrase('Write `{"type": "image_url", "image_url": {"url": "https://..."}}`.'),
            )
        if not image["url"].startswith(("https://", "http://", "data:image/")):
            return wrong(
                Phrase("`%(place)s.image_url.url` is neither an address nor a data URL.", place=place),
                Phrase("Put `data:image/png;base64,` before the base64 of the picture."),
            )
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        return wrong(
            Phrase("`%(place)s.text` must be a text.", place=place),
            Phrase('Write `{"type": "text", "text": "..."}`.'),
        )
    return None


def _tools(members: Members) -> Trouble | None:
    tools = members.get("tools")
    if tools is None:
        return None
    if not isinstance(tools, list) or not tools:
        return wrong(
            Phrase("`tools` must be an array with at least one tool."),
            Phrase("Leave `tools` out where there are none."),
        )
    for at, tool in enumerate(tools):
        inner = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(tool, dict) and tool.get("type") not in ("function", None):
            continue
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            return wrong(
                Phrase("`tools[%(at)s]` has no `function` with a `name`.", at=at),
                Phrase(
                    'Write `{"type": "function", "function": {"name": ..., "parameters": {...}}}`. The flat form'
                    " is of `/v1/responses`, `input_schema` of `/v1/messages`: send a body of that form there."
                ),
            )
    return None


def _tool_choice(members: Members) -> Trouble | None:
    choice = members.get("tool_choice")
    if choice in (None, "none", "auto") or members.get("tools"):
        return None
    return wrong(
        Phrase("`tool_choice` stands there without `tools`."), Phrase("Send `tools` too, or leave `tool_choice` out.")
    )


def _response_format(members: Members) -> Trouble | None:
    wanted = members.get("response_format")
    if wanted is None:
        return None
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        return wrong(
            Phrase("`response_format` must be an object whose `type` is `text`, `json_object` or `json_schema`."),
            Phrase('Write `{"type": "json_object"}`.'),
        )
    schema = wanted.get("json_schema")
    if kind == "json_schema" and not (isinstance(schema, dict) and schema.get("name") and schema.get("schema")):
        return wrong(
            Phrase("`response_format.json_schema` needs a `name` and a `schema`."),
            Phrase('Write `{"type": "json_schema", "json_schema": {"name": "answer", "schema": {...}}}`.'),
        )
    return None


def _of_other_vendors(members: Members) -> Trouble | None:
    """Members of Anthropic's messages, which chat does not know: providers refuse or ignore them."""
    if isinstance(members.get("system"), str | list):
        return wrong(
            Phrase("`system` stands beside `messages`, as in Anthropic's API."),
            Phrase(
                "Send the body to `/v1/messages`, whose form that is, or write it as the first message:"
                ' `{"role": "system", "content": ...}`.'
            ),
        )
    if "max_tokens_to_sample" in members:
        return wrong(
            Phrase("`max_tokens_to_sample` is of an old API of Anthropic."),
            Phrase("Write `max_completion_tokens` or `max_tokens`."),
        )
    return None
