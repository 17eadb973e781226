"""What the messages, items and parts of an input are made of, by an allow-list: text that is read as it stands, media
of a known form, or anything else.

Only what is documented as text is plain, and it stays so whatever it says: a URL in a text, in the arguments of a tool
or in its result is text. Every other member may make a provider fetch something: a part of a type that is not known
here, a member that its type does not have, a link or an id in a place of its own. Names count as they are written: a
server that reads `Image_URL` is no excuse to take it for text.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final


class Form(IntEnum):
    """TEXT: its bytes bound it. MEDIA: `media` finds what lies in it. UNKNOWN: nothing but the model's context does."""

    TEXT = 0
    MEDIA = 1
    UNKNOWN = 2


_FILE_IN_TEXT: Final = "fileid://"  # Qwen-Long reads a whole file for it, wherever it stands in a text
_SAID: Final = frozenset(("role", "content"))
_NAMED: Final = ("type", "id", "call_id", "status")
_MESSAGE: Final = frozenset(
    (
        *("role", "name", "tool_call_id", "refusal", "reasoning_content", "reasoning", "reasoning_details", "thinking"),
        *("thinking_blocks", "tool_calls", "function_call", "cache_control", "id", "type", "status", "phase", "index"),
        *("extra_content", "provider_specific_fields", "signature", "weight", "logprobs", "finish_reason", "tool_name"),
        *("created_at", "createdAt", "timestamp", "end_turn", "recipient", "channel", "object", "metadata"),
        *("additional_kwargs", "response_metadata", "usage_metadata", "stop_reason"),
    )
)
"""Of a message, beside its `content`: text, and what its client or an earlier answer wrote down about it."""

_ITEMS: Final[Mapping[str, frozenset[str]]] = {
    "reasoning": frozenset((*_NAMED, "summary", "content", "encrypted_content")),
    "function_call": frozenset((*_NAMED, "name", "arguments", "namespace")),
    "function_call_output": frozenset((*_NAMED, "name")),
    "custom_tool_call": frozenset((*_NAMED, "name", "input")),
    "custom_tool_call_output": frozenset((*_NAMED, "name")),
    "local_shell_call": frozenset((*_NAMED, "action")),
    "local_shell_call_output": frozenset(_NAMED),
    "shell_call": frozenset((*_NAMED, "action", "max_output_length")),
    "shell_call_output": frozenset((*_NAMED, "output", "max_output_length")),
    "apply_patch_call": frozenset((*_NAMED, "operation")),
    "apply_patch_call_output": frozenset(_NAMED),
}
"""Items of a Responses input that hold what they say, with the members that are text. What is not here (references,
calls of hosted tools, compactions) is kept by the provider. `content` and `output` are looked into."""

_TEXT_PART: Final = frozenset(("type", "text", "cache_control", "logprobs", "id", "citations"))
_TEXTS: Final[Mapping[object, frozenset[str]]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text", "reasoning_text"), _TEXT_PART),
    "refusal": frozenset(("type", "refusal", "text")),
    "thinking": frozenset(("type", "thinking", "signature", "closed", "cache_control")),
    "redacted_thinking": frozenset(("type", "data")),
    "tool_use": frozenset(("type", "id", "name", "input", "cache_control", "caller")),
    "tool_result": frozenset(("type", "tool_use_id", "is_error", "cache_control")),
}
_MEDIA: Final[Mapping[object, tuple[str, frozenset[str]]]] = {
    "image_url": ("image_url", frozenset(("type", "detail", "cache_control", "min_pixels", "max_pixels"))),
    "input_image": ("image_url", frozenset(("type", "detail"))),
    "input_audio": ("input_audio", frozenset(("type", "cache_control"))),
    None: ("image", frozenset(("text",))),
}
"""By the type of a part: the member that holds the medium, and what may stand beside it. Only these forms bound what
they hold; a film, a file, a page are as long as they get."""
_WITHIN: Final = frozenset(("url", "data", "detail", "format", "media_type"))
_WORDS: Final = (str, int, float, bool, type(None))


def form(value: Any) -> Form:
    """The form of an input: a text, token ids, or messages, items and parts."""
    if not isinstance(value, list):
        return Form.TEXT if isinstance(value, str) and _FILE_IN_TEXT not in value else _of(value)
    worst = Form.TEXT
    for one in value:
        if isinstance(one, dict) and one.keys() <= _SAID:  # the usual message, known at a glance
            content = one.get("content")
            if isinstance(content, str) and _FILE_IN_TEXT not in content:
                continue
        found = _of(one)
        if found > worst:
            worst = found
    return worst


def _of(one: Any) -> Form:
    if isinstance(one, dict):
        kind = one.get("type")
        if isinstance(kind, str) and kind in _ITEMS:
            return _item(one, _ITEMS[kind])
        if "role" in one or "content" in one:
            return _item(one, _MESSAGE) if kind is None or kind == "message" else _part(one)
        return _part(one)
    if isinstance(one, str):
        return Form.UNKNOWN if _FILE_IN_TEXT in one else Form.TEXT
    ids = isinstance(one, int) or (isinstance(one, list) and all(isinstance(token, int) for token in one))
    return Form.TEXT if ids else Form.UNKNOWN


def _item(item: dict[str, Any], plain: frozenset[str]) -> Form:
    worst = Form.TEXT
    for name, value in item.items():
        if name in plain:
            continue
        if name in ("content", "output"):
            found = _content(value)
        elif name == "annotations":
            found = _citations(value)
        else:
            found = Form.TEXT if value is None or isinstance(value, bool) else Form.UNKNOWN
        if found > worst:
            worst = found
    if item.get("type") == "reasoning" and item.get("id") and not isinstance(item.get("encrypted_content"), str):
        return Form.UNKNOWN  # the provider has kept what was thought, and reads it again
    return worst


def _content(value: Any) -> Form:
    if isinstance(value, str):
        return Form.UNKNOWN if _FILE_IN_TEXT in value else Form.TEXT
    if isinstance(value, list):
        return max([_part(part) for part in value], default=Form.TEXT)
    return Form.TEXT if value is None else Form.UNKNOWN


def _part(part: Any) -> Form:
    if isinstance(part, str):
        return Form.UNKNOWN if _FILE_IN_TEXT in part else Form.TEXT
    if not isinstance(part, dict):
        return Form.UNKNOWN
    kind = part.get("type")
    if not isinstance(kind, str | None):
        return Form.UNKNOWN
    if kind in _TEXTS:
        return _text(part, _TEXTS[kind])
    if kind in _MEDIA:
        return _medium(part, *_MEDIA[kind])
    return Form.UNKNOWN


def _text(part: dict[str, Any], plain: frozenset[str]) -> Form:
    worst = Form.TEXT
    for name, value in part.items():
        if name == "text":
            found = Form.TEXT if isinstance(value, str) and _FILE_IN_TEXT not in value else Form.UNKNOWN
        elif name in plain or value is None or isinstance(value, bool):
            continue
        elif name == "content" and part["type"] == "tool_result":
            found = _content(value)
        elif name == "annotations":
            found = _citations(value)
        else:
            found = Form.UNKNOWN
        if found > worst:
            worst = found
    return worst


def _medium(part: dict[str, Any], location: str, beside: frozenset[str]) -> Form:
    for name, value in part.items():
        if name == location:
            if isinstance(value, dict):
                plain = all(key in _WITHIN and isinstance(item, _WORDS) for key, item in value.items())
            else:
                plain = isinstance(value, str | None)
        elif name == "text":
            plain = name in beside and isinstance(value, str) and _FILE_IN_TEXT not in value
        else:
            plain = value is None or (name in beside and isinstance(value, str | int | dict))
        if not plain:
            return Form.UNKNOWN
    return Form.MEDIA if part.get(location) else Form.TEXT


def _citations(value: Any) -> Form:
    """What an earlier answer cited. A file that was read for it comes back as an annotation, too, and is read again."""
    plain = isinstance(value, list) and all(
        isinstance(one, dict) and str(one.get("type")).endswith("citation") for one in value
    )
    return Form.TEXT if plain else Form.UNKNOWN
