"""Requests for messages in core words."""

from collections.abc import Collection
from typing import Final

from tollhouse.core.conversation import (
    Choosing,
    Conversation,
    Message,
    OutputForm,
    ReasoningAsked,
    Role,
    TextPart,
    Tool,
    ToolChoice,
)
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.features import note
from tollhouse.core.half_pairs import restore_members
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.provider_json import Object, decode_any
from tollhouse.formats.anthropic.block_reader import cache_of, parts_of
from tollhouse.formats.anthropic.own_tools import as_function
from tollhouse.formats.anthropic.tool_changes import tools_in_effect

_ROLES: Final[dict[str, Role]] = {"user": "user", "assistant": "assistant", "system": "system"}
_CHOICES: Final[dict[str, Choosing]] = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
_OF_A_TOOL: Final = frozenset(
    ("type", "name", "description", "input_schema", "strict", "cache_control", "defer_loading")
)
_OF_THINKING: Final = {"summarized": True, "omitted": False}
_BILLING: Final = "x-anthropic-billing-header:"
"""How a block of the system prompt begins that a client writes for the vendor alone, anew for each call."""
_LOOKED_FOR: Final = ("web_search", "web_fetch", "tool_search_tool", "advisor")
"""What the vendor looks up beside the caller's own tools: only what must be called, or stands alone, is refused."""
_STOPS_MAX: Final = 4
_DROPPED: Final = {
    "service_tier": "service_tier",
    "speed": "service_tier",
    "inference_geo": "service_tier",
    "context_management": "truncation",
    "container": "state",
    "mcp_servers": "built_in_tools",
}
"""Members that only Anthropic reads, by the feature that they use."""
_TYPES: Final[dict[str, tuple[type, str]]] = {
    **dict.fromkeys(("tools", "stop_sequences"), (list, "an array")),
    **dict.fromkeys(("tool_choice", "thinking", "output_config", "output_format", "metadata"), (dict, "an object")),
    "top_k": (int, "an integer"),
}
_READ: Final = frozenset(
    (
        *("model", "messages", "system", "max_tokens", "stream", "tools", "tool_choice", "metadata", "stop_sequences"),
        *("temperature", "top_p", "top_k", "thinking", "output_config", "output_format", "cache_control"),
        "diagnostics",
    )
)


def read_request(request: ModelRequest) -> Conversation:
    """Raises BadRequest for what the format does not allow where it has to be read, UnsupportedParameter for what no
    other format can say."""
    members = restore_members(request.members) if request.has_halves else request.members
    body = {name: decode_any(bytes(raw)) for name, raw in members.items()}
    body = {name: value for name, value in body.items() if value is not None}
    if request.output_cap == 0:
        raise UnsupportedParameter(
            "'max_tokens': 0 has a prompt cached without an answer, which the provider of this model cannot do.",
            param="max_tokens",
        )
    for name, (wanted, words) in _TYPES.items():
        if name in body and type(body[name]) is not wanted:
            raise BadRequest(f"'{name}' must be {words}.", param=name)
    conversation = Conversation(messages=[], output_cap=request.output_cap)
    if "system" in body:
        _read_system(conversation, body["system"])
    _read_messages(conversation, body.get("messages"))
    _read_tools(conversation, body)
    _read_reasoning(conversation, body)
    _read_sampling(conversation, body)
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("user_id"), str):
        conversation.user = metadata["user_id"]
        note(conversation, "user", "metadata.user_id")
    if body.get("cache_control"):
        note(conversation, "cache_marks", "cache_control")
    for name, value in body.items():
        if name not in _READ and value is not False and value != [] and (name, value) != ("service_tier", "auto"):
            note(conversation, _DROPPED.get(name, "other"), name)
    return conversation


def _read_system(conversation: Conversation, system: object) -> None:
    parts = parts_of(conversation, system, "system")
    parts = [part for part in parts if not (isinstance(part, TextPart) and part.text.startswith(_BILLING))]
    if parts:
        conversation.messages.append(Message(role="system", parts=parts))


def _read_messages(conversation: Conversation, messages: object) -> None:
    for at, message in enumerate(messages if isinstance(messages, list) else []):
        path = f"messages[{at}]"
        if not isinstance(message, dict):
            raise BadRequest(f"'{path}' must be an object with a 'role'.", param=path)
        role = _ROLES.get(str(message.get("role")))
        if role is None:
            raise BadRequest(f"'{path}.role' must be 'user' or 'assistant'.", param=f"{path}.role")
        if message.get("content") is None:
            raise BadRequest(f"Missing required parameter: '{path}.content'.", param=f"{path}.content")
        parts = parts_of(conversation, message["content"], f"{path}.content")
        if parts or role != "system":  # one that only changes tools says nothing
            conversation.messages.append(Message(role=role, parts=parts, path=path))


def _read_tools(conversation: Conversation, body: Object) -> None:
    hosted: dict[str, Object] = {}
    for path, tool in tools_in_effect(body).items():
        plain = tool if tool.get("type") in (None, "custom") else as_function(tool)
        if plain is None:
            hosted[path] = tool
        else:
            conversation.tools.append(_tool(conversation, plain, path))
    for path, tool in hosted.items():
        is_beside = bool(conversation.tools) and str(tool.get("type")).startswith(_LOOKED_FOR)
        note(conversation, "offered_tools" if is_beside else "built_in_tools", path)
    if conversation.tools:
        note(conversation, "tools", "tools")
    _read_choice(conversation, body.get("tool_choice"), {str(tool.get("name")) for tool in hosted.values()})


def _read_choice(conversation: Conversation, choice: object, hosted: Collection[str]) -> None:
    """hosted: names of tools that the vendor runs."""
    if not isinstance(choice, dict):
        return
    choosing = _CHOICES.get(str(choice.get("type")))
    if choosing is None:
        raise BadRequest("'tool_choice.type' must be 'auto', 'any', 'tool' or 'none'.", param="tool_choice.type")
    names: tuple[str, ...] = ()
    if choosing == "named":
        if not isinstance(choice.get("name"), str):
            raise BadRequest("Missing required parameter: 'tool_choice.name'.", param="tool_choice.name")
        names = (choice["name"],)
    if names and names[0] in hosted:
        note(conversation, "built_in_tools", "tool_choice")
    conversation.tool_choice = ToolChoice(choosing=choosing, names=names)
    if names:
        note(conversation, "tool_choice_named", "tool_choice")
    if choice.get("disable_parallel_tool_use") is True:
        conversation.parallel_tool_calls = False
        note(conversation, "parallel_tool_calls", "tool_choice.disable_parallel_tool_use")


def _tool(conversation: Conversation, tool: Object, path: str) -> Tool:
    name, description, schema = tool.get("name"), tool.get("description"), tool.get("input_schema")
    if not isinstance(name, str) or not name:
        raise BadRequest(f"Missing required parameter: '{path}.name'.", param=f"{path}.name")
    if schema is not None and not isinstance(schema, dict):
        raise BadRequest(f"'{path}.input_schema' must be an object.", param=f"{path}.input_schema")
    strict = tool.get("strict")
    if strict is True:
        note(conversation, "strict_tools", f"{path}.strict")
    for member, value in tool.items():
        if member not in _OF_A_TOOL and value not in (None, False):
            note(conversation, "other", f"{path}.{member}")
    return Tool(
        name=name,
        description=description if isinstance(description, str) else "",
        parameters=schema,
        strict=strict if isinstance(strict, bool) else None,
        cache=cache_of(conversation, tool, path),
    )


def _read_reasoning(conversation: Conversation, body: Object) -> None:
    """Whether and how long it thinks; the effort, and the form of the answer, stand in one member."""
    thinking, settings = body.get("thinking"), body.get("output_config")
    effort = settings.get("effort") if isinstance(settings, dict) else None
    effort = effort if isinstance(effort, str) else ""
    form = settings.get("format") if isinstance(settings, dict) else None
    if isinstance(thinking, dict):
        kind, budget = thinking.get("type"), thinking.get("budget_tokens")
        conversation.reasoning = ReasoningAsked(
            enabled=kind != "disabled",
            effort=effort,
            budget=budget if type(budget) is int and not effort and kind == "enabled" else None,
            visible=_OF_THINKING.get(str(thinking.get("display"))),
        )
        note(conversation, "reasoning_off" if kind == "disabled" else "reasoning", "thinking")
        if effort and kind == "disabled":
            note(conversation, "reasoning", "output_config.effort")
    elif effort:
        conversation.reasoning = ReasoningAsked(effort=effort)
        note(conversation, "reasoning", "output_config.effort")
    path = "output_config.format"
    if form is None and body.get("output_format") is not None:
        form, path = body["output_format"], "output_format"
    if isinstance(form, dict):
        schema = form.get("schema")
        if form.get("type") != "json_schema" or not isinstance(schema, dict):
            raise BadRequest(f"'{path}' must be {{'type': 'json_schema', 'schema': {{...}}}}.", param=path)
        conversation.output = OutputForm(schema=schema, strict=True)
        note(conversation, "json_schema", path)


def _read_sampling(conversation: Conversation, body: Object) -> None:
    conversation.temperature = _number(body, "temperature")
    conversation.top_p = _number(body, "top_p")
    top_k = body.get("top_k")
    if type(top_k) is int:
        conversation.top_k = top_k
        note(conversation, "top_k", "top_k")
    stops = body.get("stop_sequences")
    for at, one in enumerate(stops if isinstance(stops, list) else []):
        if not isinstance(one, str):
            raise BadRequest(f"'stop_sequences[{at}]' must be a string.", param=f"stop_sequences[{at}]")
        conversation.stop.append(one)
    if conversation.stop:
        note(conversation, "stop", "stop_sequences")
    if len(conversation.stop) > _STOPS_MAX:
        note(conversation, "stop_many", "stop_sequences")


def _number(body: Object, name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"'{name}' must be a number.", param=name)
    return float(value)
