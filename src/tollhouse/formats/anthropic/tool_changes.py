"""Tools that come and go while a conversation lasts. Other formats tell all tools at once: those that are there at its
end.

A message of the system adds tools, by a definition or by a reference to one of `tools`, and takes them away. One with
`defer_loading` is there once it has been added, or found by a search of the caller's own.
See https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
"""

from collections.abc import Iterator
from typing import Final

from tollhouse.core.failure import BadRequest
from tollhouse.core.provider_json import Object

CHANGES: Final = ("tool_addition", "tool_removal")
_DEPTH_MAX: Final = 3  # blocks within blocks: references in a result, changes in what was summed up


def tools_in_effect(body: Object) -> dict[str, Object]:
    """By where each stands in the body. Raises BadRequest for what is no tool."""
    tools: dict[str, tuple[str, Object]] = {}  # by name
    hidden: set[str] = set()
    listed = body.get("tools")
    for at, tool in enumerate(listed if isinstance(listed, list) else []):
        path = f"tools[{at}]"
        if not isinstance(tool, dict):
            raise BadRequest(f"'{path}' must be an object.", param=path)
        tools[_name(tool, path)] = path, tool
        if tool.get("defer_loading") is True:
            hidden.add(_name(tool, path))
    if any(str(tool.get("type")).startswith("tool_search_tool") for _, tool in tools.values()):
        hidden.clear()  # the vendor would find them, and nobody else does
    for path, block in _blocks(body.get("messages"), "messages", 0):
        _change(tools, hidden, path, block)
    return dict(found for name, found in tools.items() if name not in hidden)


def added_by_messages(messages: object) -> Iterator[Object]:
    """Tools that messages define."""
    for _, block in _blocks(messages, "", 0):
        tool = block.get("tool")
        definition = tool.get("definition") if isinstance(tool, dict) else None
        if block["type"] == "tool_addition" and isinstance(definition, dict):
            yield definition


def _change(tools: dict[str, tuple[str, Object]], hidden: set[str], path: str, block: Object) -> None:
    tool = block.get("tool")
    if block.get("type") == "tool_reference":
        hidden.discard(str(block.get("tool_name")))
    elif isinstance(tool, dict):
        definition = tool.get("definition")
        if isinstance(definition, dict) and block["type"] == "tool_addition":
            place = f"{path}.tool.definition"
            tools[_name(definition, place)] = place, definition
            tool = definition
        name = str(tool.get("name"))
        if block["type"] == "tool_addition":
            hidden.discard(name)
        else:
            hidden.add(name)


def _blocks(value: object, path: str, depth: int) -> Iterator[tuple[str, Object]]:
    """Blocks that change tools or found one."""
    for at, one in enumerate(value if isinstance(value, list) else []):
        if not isinstance(one, dict):
            continue
        kind, place = one.get("type"), f"{path}[{at}]"
        if kind in (*CHANGES, "tool_reference"):
            yield place, one
        elif depth < _DEPTH_MAX and kind in (None, "message", "tool_result", "compaction"):
            for within in ("content", "tool_changes"):
                yield from _blocks(one.get(within), f"{place}.{within}", depth + 1)


def _name(tool: Object, path: str) -> str:
    name = tool.get("name")
    return name if isinstance(name, str) else path
