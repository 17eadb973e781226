"""All that a model wrote in a message: what is counted where no usage came, and what may be cut.

Whatever stands under a name of its own in a block that is not known is taken for words: a new name must not make them
free. What the vendor's own tools gave was written by no model.
"""

from typing import Final

from tollhouse.core.provider_json import Object, encode
from tollhouse.core.text_cut import TextLocation
from tollhouse.formats.anthropic.wire import TOOL_RESULT_ENDING

_NOT_WRITTEN: Final = frozenset(("type", "id", "signature", "data", "citations", "caller", "toolset_name", "index"))
_CALLS: Final = ("tool_use", "server_tool_use", "mcp_tool_use")


def blocks(message: Object) -> list[Object]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def text(message: Object) -> str:
    """Texts, thoughts, names and inputs of calls, that can be counted."""
    said = "".join(location.text for block in blocks(message) for location in locations(block))
    return said.encode(errors="replace").decode()


def locations(block: Object) -> list[TextLocation]:
    """Every text that the model wrote in a block, and where it stands. Of an input, the text is its JSON."""
    kind = block.get("type")
    if isinstance(kind, str) and kind.endswith(TOOL_RESULT_ENDING):
        return []
    found: list[TextLocation] = []
    for name, value in block.items():
        if name in _NOT_WRITTEN or not value or isinstance(value, bool):
            continue
        if isinstance(value, str):
            found.append(TextLocation(block, name, value))
        elif isinstance(value, dict | list):
            found.append(TextLocation(block, name, encode(value).decode()))
    return found


def is_search(block: object) -> bool:
    """Whether a block brings what a search found: one that failed is not billed."""
    return (
        isinstance(block, dict)
        and block.get("type") == "web_search_tool_result"
        and isinstance(block.get("content"), list)
    )


def is_call(block: Object) -> bool:
    return block.get("type") in _CALLS
