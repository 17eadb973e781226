"""Tools that Anthropic has defined and the caller runs: a shell, an editor, a memory, a screen.

Their models know them by their type. A model of another maker is told of a function of the same name that takes the
same, so its calls are calls of the tool. See https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from tollhouse.core.provider_json import Object

_DATE: Final = re.compile(r"_[0-9]{8}\Z")
_TEXT: Final = {"type": "string"}
_FIGURE: Final = {"type": "integer"}
_PLACE: Final = {"type": "array", "items": _FIGURE}
_EDITED: Final = {
    "path": {**_TEXT, "description": "Of a file or a folder."},
    "file_text": {**_TEXT, "description": "Of `create`: what the file holds."},
    "old_str": {**_TEXT, "description": "Of `str_replace`: what is replaced; it stands in the file once."},
    "new_str": {**_TEXT, "description": "Of `str_replace`: what stands there afterwards."},
    "insert_line": {**_FIGURE, "description": "Of `insert`: after which line; 0: at the beginning."},
    "insert_text": {**_TEXT, "description": "Of `insert`: what is inserted."},
    "view_range": {**_PLACE, "description": "Of `view`: the first and the last line; -1: to the end."},
}


class _Defined(NamedTuple):
    """What a model is told of a tool."""

    description: str
    properties: Mapping[str, object]
    required: tuple[str, ...] = ()


def _one_of(*words: str) -> Object:
    return {"type": "string", "enum": list(words)}


_EDITOR: Final = _Defined(
    "Views, creates and edits files.",
    {"command": _one_of("view", "create", "str_replace", "insert"), **_EDITED},
    ("command", "path"),
)
_OLD_EDITOR: Final = _Defined(
    "Views, creates and edits files. `insert` inserts `new_str`.",
    {
        "command": _one_of("view", "create", "str_replace", "insert", "undo_edit"),
        **{name: said for name, said in _EDITED.items() if name != "insert_text"},
    },
    ("command", "path"),
)
_TOOLS: Final[Mapping[str, _Defined]] = MappingProxyType(
    {
        "bash": _Defined(
            "Runs a command in a shell that stays open, and gives back what it prints.",
            {"command": _TEXT, "restart": {"type": "boolean", "description": "Begin anew instead."}},
        ),
        "text_editor": _EDITOR,
        "memory": _Defined(
            "Keeps files below /memories from one conversation to the next. Look there before a task is begun.",
            {
                "command": _one_of("view", "create", "str_replace", "insert", "delete", "rename"),
                **_EDITED,
                "old_path": {**_TEXT, "description": "Of `rename`."},
                "new_path": {**_TEXT, "description": "Of `rename`."},
            },
            ("command",),
        ),
        "computer": _Defined(
            "Uses the mouse and the keyboard of a computer, and sees its screen.",
            {
                "action": _one_of(
                    *("screenshot", "key", "type", "mouse_move", "left_click", "left_click_drag", "right_click"),
                    *("middle_click", "double_click", "triple_click", "left_mouse_down", "left_mouse_up", "scroll"),
                    *("hold_key", "wait", "cursor_position", "zoom"),
                ),
                "coordinate": {**_PLACE, "description": "Pixels from the left and from the top."},
                "start_coordinate": {**_PLACE, "description": "Of `left_click_drag`: where it begins."},
                "text": {**_TEXT, "description": "What is typed, or the key."},
                "duration": {**_FIGURE, "description": "Of `wait` and `hold_key`: seconds."},
                "scroll_direction": _one_of("up", "down", "left", "right"),
                "scroll_amount": _FIGURE,
                "region": {**_PLACE, "description": "Of `zoom`: left, top, right, bottom."},
            },
            ("action",),
        ),
    }
)
_OLD_EDITORS: Final = ("text_editor_2024", "text_editor_20250124", "text_editor_20250429")


def as_function(tool: Object) -> Object | None:
    """A tool of a type of its own as a plain one; None: the vendor runs it, or nobody here knows it."""
    kind = str(tool.get("type"))
    defined = _OLD_EDITOR if kind.startswith(_OLD_EDITORS) else _TOOLS.get(_DATE.sub("", kind))
    if defined is None:
        return None
    description = defined.description
    width, height = tool.get("display_width_px"), tool.get("display_height_px")
    if type(width) is int and type(height) is int:
        description += f" The screen has {width} by {height} pixels."
    schema: Object = {"type": "object", "properties": dict(defined.properties)}
    if defined.required:
        schema["required"] = list(defined.required)
    told = {"name": tool.get("name"), "description": description, "input_schema": schema}
    return told | {name: tool[name] for name in ("cache_control",) if name in tool}
