"""Tools that a caller runs themselves and that are no plain functions: texts (`custom`), a shell, patches, a search for
tools, and those in a namespace. A model of another format is told of a function for each; its calls come back as what
they are.

What a function stands for (`Tool.stands_for`) is a text: the type of the tool, its namespace and its name in it, parted
by blanks.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tollhouse.core.provider_json import json_object
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words.json_text import input_of
from tollhouse.formats.openai.words.members import Object

LEGACY: Final = "function_call"
"""What a function stands for that was asked for as before there were `tools`."""
_TEXT: Final = {"type": "string"}
_FIGURE: Final = {"type": "integer"}


class BuiltInFunction(NamedTuple):
    """The function that a model is told of in place of a tool that has a type of its own."""

    description: str
    parameters: Mapping[str, object]


BUILT_IN: Final[Mapping[str, BuiltInFunction]] = MappingProxyType(
    {
        "local_shell": BuiltInFunction(
            "Runs a command in the user's shell and gives back what it prints.",
            {
                "type": "object",
                "properties": {
                    "command": {"type": "array", "items": _TEXT, "description": "The program and its arguments."},
                    "working_directory": _TEXT,
                    "timeout_ms": _FIGURE,
                },
                "required": ["command"],
            },
        ),
        "shell": BuiltInFunction(
            "Runs commands in the user's shell and gives back what they print.",
            {
                "type": "object",
                "properties": {
                    "commands": {"type": "array", "items": _TEXT},
                    "timeout_ms": _FIGURE,
                    "max_output_length": _FIGURE,
                },
                "required": ["commands"],
            },
        ),
        "apply_patch": BuiltInFunction(
            "Creates, updates or deletes a file. `diff`: in the V4A form, of a new or an updated file.",
            {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                    "path": _TEXT,
                    "diff": _TEXT,
                },
                "required": ["type", "path"],
            },
        ),
        "tool_search": BuiltInFunction(
            "Looks for more tools by what they do.",
            {"type": "object", "properties": {"query": _TEXT}, "required": ["query"]},
        ),
    }
)
"""Of the Responses API, by its type: what the caller runs. All other types are run by the vendor."""


def runs_at_the_caller(tool: Object) -> bool:
    """Whether a tool with a type of its own is run by the caller."""
    kind = tool.get("type")
    if kind == "shell":
        environment = tool.get("environment")
        return not isinstance(environment, dict) or environment.get("type") == "local"
    if kind == "tool_search":
        return tool.get("execution") == "client"
    return isinstance(kind, str) and kind in BUILT_IN


def flat_name(namespace: str, name: str) -> str:
    """The name of a function that stands for one in a namespace; `core.tool_names` fits it to a format."""
    return name if not namespace else f"{namespace}{'' if namespace.endswith('__') else '__'}{name}"


def takes_text(name: str, stand_ins: Mapping[str, str]) -> bool:
    """Whether a function stands for a tool that takes text."""
    return stand_ins.get(name, "").startswith("custom")


def is_legacy(name: str, stand_ins: Mapping[str, str]) -> bool:
    """Whether a function was asked for by `functions`: an answer to such a request holds one `function_call`."""
    return stand_ins.get(name) == LEGACY


def call_item(stands_for: str, name: str, call_id: str, arguments: str) -> Object:
    """The item of a call without its own id and status. stands_for: empty: a plain function."""
    kind, _, rest = stands_for.partition(" ")
    namespace, _, own_name = rest.partition(" ")
    known: Object = {"call_id": call_id}
    if kind in ("", "function", LEGACY):
        within = {"namespace": namespace} if namespace else {}
        return {"type": "function_call", **known, "name": own_name or name, **within, "arguments": arguments}
    if kind == "custom":
        within = {"namespace": namespace} if namespace else {}
        return {"type": "custom_tool_call", **known, "name": own_name or name, **within, "input": input_of(arguments)}
    found = json_object(arguments) or {}
    if kind == "local_shell":
        return {"type": "local_shell_call", **known, "action": _exec(found, arguments)}
    if kind == "shell":
        commands = found.get("commands", found.get("command", arguments))
        action = {name: found.get(name) for name in ("timeout_ms", "max_output_length")}
        return {"type": "shell_call", **known, "action": {"commands": _texts(commands), **action}}
    if kind == "apply_patch":
        operation = {name: value for name, value in found.items() if name in ("type", "path", "diff")}
        return {"type": "apply_patch_call", **known, "operation": operation}
    return {"type": "tool_search_call", **known, "execution": "client", "arguments": found}


def _exec(found: Object, arguments: str) -> Object:
    return {
        "type": "exec",
        "command": _texts(found.get("command", arguments)),
        "env": {},
        "timeout_ms": found.get("timeout_ms"),
        "working_directory": found.get("working_directory"),
        "user": None,
    }


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else [str(value)]


def arguments_of(item: Object) -> str:
    """The arguments of the function that stands for a tool with a type of its own, of an item that calls it."""
    kind = item["type"].removesuffix("_call")
    found: Any = item.get("action") if kind in ("local_shell", "shell") else item.get("operation")
    if kind == "tool_search":
        found = item.get("arguments")
    if isinstance(found, str):
        return found
    said = found if isinstance(found, dict) else {}
    if kind == "local_shell":
        said = {name: said.get(name) for name in ("command", "working_directory", "timeout_ms")}
    return chunks.encode({name: value for name, value in said.items() if value is not None}).decode()
