"""Tools and the choice among them, as chat and responses ask for them."""

from collections.abc import Mapping
from typing import Any, Final

from tollhouse.core.conversation import Choosing, Conversation, Tool, ToolChoice
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.formats.openai.words.caller_tools import BUILT_IN, flat_name, runs_at_the_caller
from tollhouse.formats.openai.words.media import read_cache_mark
from tollhouse.formats.openai.words.members import Object, array, flag, object_of, text

_CHOICES: Final[Mapping[str, Choosing]] = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
NO_PARAMETERS: Final = {"type": "object", "properties": {}}


_SEARCHES: Final = ("web_search", "image_generation", "tool_search", "programmatic_tool_calling")
"""What a vendor runs beside the caller's own tools. Agents declare it in each call, whether their user wants it or not:
it is only refused where nothing else is offered, or where it must be used."""


def read_tools(conversation: Conversation, value: object, path: str = "tools") -> None:
    tools = array(value, path) if value is not None else []
    hosted: list[tuple[str, Object]] = []
    for at, one in enumerate(tools):
        tool = object_of(one, f"{path}[{at}]")
        if not _read_tool(conversation, tool, f"{path}[{at}]"):
            hosted.append((f"{path}[{at}]", tool))
    for place, tool in hosted:
        is_beside = bool(conversation.tools) and str(tool.get("type")).startswith(_SEARCHES)
        note(conversation, "offered_tools" if is_beside else "built_in_tools", place)


def _read_tool(conversation: Conversation, tool: Object, path: str, namespace: str = "") -> bool:
    """False: the vendor runs it."""
    kind = "function" if "input_schema" in tool else tool.get("type", "function")  # as Anthropic has it
    inner = tool.get(kind) if isinstance(kind, str) else None
    if kind == "function":
        conversation.tools.append(read_function(conversation, inner if isinstance(inner, dict) else tool, path))
        conversation.tools[-1].cache = read_cache_mark(conversation, tool, path)
    elif kind == "custom":
        conversation.tools.append(_read_custom(conversation, inner if isinstance(inner, dict) else tool, path))
    elif kind == "namespace" and not namespace:
        name = text(tool.get("name"), f"{path}.name")
        for at, one in enumerate(array(tool.get("tools"), f"{path}.tools")):
            _read_tool(conversation, object_of(one, f"{path}.tools[{at}]"), f"{path}.tools[{at}]", name)
        return True
    elif runs_at_the_caller(tool):
        conversation.tools.append(_read_built_in(conversation, tool, path))
    else:
        return False
    last = conversation.tools[-1]
    if kind == "custom" or (kind == "function" and namespace):
        last.stands_for = f"{kind} {namespace} {last.name}"
    last.name = flat_name(namespace, last.name)
    return True


def _read_built_in(conversation: Conversation, tool: Object, path: str) -> Tool:
    note(conversation, "tools", path)
    kind = str(tool["type"])
    usual = BUILT_IN[kind]
    own = tool.get("parameters")
    return Tool(
        name=kind,
        description=_words(tool.get("description")) or usual.description,
        parameters=own if isinstance(own, dict) else dict(usual.parameters),
        stands_for=kind,
    )


def read_function(conversation: Conversation, function: Object, path: str) -> Tool:
    parameters = function.get("parameters", function.get("input_schema"))
    note(conversation, "tools", path)
    strict = flag(function.get("strict"), f"{path}.strict")
    if strict:
        note(conversation, "strict_tools", f"{path}.strict")
    return Tool(
        name=text(function.get("name"), f"{path}.name"),
        description=_words(function.get("description")),
        parameters=None if parameters is None else object_of(parameters, f"{path}.parameters"),
        strict=strict,
    )


def _read_custom(conversation: Conversation, custom: Object, path: str) -> Tool:
    note(conversation, "custom_tools", path)
    form = custom.get("format")
    grammar: Object | None = None
    if isinstance(form, dict) and form.get("type") == "grammar":
        note(conversation, "tool_grammars", f"{path}.format")
        inner = form.get("grammar")
        grammar = inner if isinstance(inner, dict) else {name: form[name] for name in form if name != "type"}
    return Tool(
        name=text(custom.get("name"), f"{path}.name"),
        description=_words(custom.get("description")),
        is_custom=True,
        grammar=grammar,
    )


def read_tool_choice(conversation: Conversation, value: object, path: str = "tool_choice") -> None:
    if value is None:
        return
    if isinstance(value, str):
        if value not in _CHOICES:
            raise BadRequest(f"'{path}' must be 'auto', 'none', 'required' or an object.", param=path)
        conversation.tool_choice = ToolChoice(choosing=_CHOICES[value])
        return
    choice = object_of(value, path)
    kind = choice.get("type", "function")
    inner = choice.get(kind) if isinstance(kind, str) else None
    said: Object = inner if isinstance(inner, dict) else choice
    if kind in ("function", "custom", "tool"):
        note(conversation, "tool_choice_named", path)
        text(said.get("name"), f"{path}.{kind}.name" if said is inner else f"{path}.name")
        name = _declared(said, _by_own_name(conversation))
        conversation.tool_choice = ToolChoice(choosing="named", names=(name,), is_custom=kind == "custom")
    elif kind == "allowed_tools":
        _read_allowed(conversation, said, path)
    elif isinstance(kind, str) and kind in _CHOICES:
        conversation.tool_choice = ToolChoice(choosing=_CHOICES[kind])
    elif isinstance(kind, str) and kind in BUILT_IN and any(tool.name == kind for tool in conversation.tools):
        note(conversation, "tool_choice_named", path)
        conversation.tool_choice = ToolChoice(choosing="named", names=(kind,))
    else:
        note(conversation, "built_in_tools", path)


def _read_allowed(conversation: Conversation, allowed: Object, path: str) -> None:
    note(conversation, "tool_choice_several", path)
    listed, known = array(allowed.get("tools"), f"{path}.tools"), _by_own_name(conversation)
    names = [_declared(one, known) for one in listed if _named(one)]
    conversation.tool_choice = ToolChoice(
        choosing="required" if allowed.get("mode") == "required" else "auto", names=tuple(names)
    )


def _by_own_name(conversation: Conversation) -> dict[str, str]:
    """The names of functions by those that they have within their namespace, and by themselves. Of two that have one
    name within, none is meant by it."""
    found: dict[str, str] = {}
    for tool in conversation.tools:
        _, parted, own = tool.name.rpartition("__")
        if parted:
            found[own] = own if own in found else tool.name
    return found | {tool.name: tool.name for tool in conversation.tools}


def _declared(one: Object, known: Mapping[str, str]) -> str:
    """The name of the function that a choice means: it may stand in a namespace, which the choice need not tell."""
    name, namespace = _named(one), one.get("namespace")
    return flat_name(namespace, name) if isinstance(namespace, str) else known.get(name, name)


def _named(one: Any) -> str:
    if not isinstance(one, dict):
        return ""
    inner = one.get(str(one.get("type")))
    name = inner.get("name") if isinstance(inner, dict) else one.get("name")
    return name if isinstance(name, str) else ""


def callable_tools(conversation: Conversation) -> list[Tool]:
    """The tools that may be called: where several are named, no others are told to the model."""
    choice = conversation.tool_choice
    if choice is None or choice.choosing == "named" or not choice.names:
        return conversation.tools
    names = frozenset(choice.names)
    return [tool for tool in conversation.tools if tool.name in names]


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""
