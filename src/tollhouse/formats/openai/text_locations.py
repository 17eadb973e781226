"""Where the words of a model stand in what it answers: in a delta, a message, or an item of a response.

Whatever a server adds under a name of its own is taken for words: a new name for thoughts must not make them free. Left
out are the names below, under which stands what no model wrote, and a second telling of the same (some servers say
thoughts by two or three names at once).
"""

from collections.abc import Iterator
from typing import Any, Final

from tollhouse.core.text_cut import TextLocation
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.chunk import Object

DEPTH_MAX: Final = 16
"""Lists and objects within each other; what lies deeper is not looked at."""
_ENCODED: Final = ("arguments", "input")  # text that some servers send as an object
_FIRST: Final = ("reasoning_content", "reasoning", "content", "refusal")  # in the order they are written
_NOT_WRITTEN: Final = frozenset(
    (
        *("role", "id", "type", "index", "object", "status", "format", "model", "phase", "channel", "recipient"),
        *("call_id", "tool_call_id", "item_id", "file_id", "filename", "container_id", "created_at", "created_by"),
        *("signature", "thought_signature", "encrypted_content", "data", "url", "b64_json", "mime_type", "media_type"),
        *("annotations", "citations", "logprobs", "images", "image_url", "provider_specific_fields", "extra_content"),
        *("output", "outputs", "result", "results", "tools", "error", "server_label", "approval_request_id", "usage"),
    )
)


def locations(said: Object) -> list[TextLocation]:
    """Every text of a delta, a message or an item, each once, in the order it is written."""
    found: list[TextLocation] = []
    told: list[str] = []
    names = [*(name for name in _FIRST if name in said), *(name for name in said if name not in _FIRST)]
    for name in names:
        if name in _NOT_WRITTEN:
            continue
        of_name = list(_within(said, name, said[name], 0))
        if name not in ("content", "tool_calls", "function_call"):
            whole = "".join(location.text for location in of_name)
            if whole in told:
                continue
            told.append(whole)
        found += of_name
    return found


def text_of(said: Object) -> str:
    """All of `locations`, joined."""
    content = said.get("content", "")
    others = len(said) - ("content" in said) - ("role" in said)
    if not others and isinstance(content, str):  # by far the most frequent
        return content
    return "".join(location.text for location in locations(said))


def sound_in(said: Object) -> int:
    """Characters of sound in a delta or a message, in base64."""
    audio = said.get("audio")
    data = audio.get("data") if isinstance(audio, dict) else None
    return len(data) if isinstance(data, str) else 0


def pictures_in(said: Object) -> int:
    """Pictures in a delta or a message, as OpenRouter sends them, or in an item of a response."""
    images = said.get("images")
    if isinstance(images, list):
        return len(images)
    return 1 if said.get("result") and said.get("type") == "image_generation_call" else 0


def _within(holder: Any, key: Any, value: Any, depth: int) -> Iterator[TextLocation]:
    if isinstance(value, str):
        if value:
            yield TextLocation(holder, key, value)
    elif depth >= DEPTH_MAX:
        return
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _within(value, index, one, depth + 1)
    elif isinstance(value, dict):
        if key in _ENCODED:
            yield TextLocation(holder, key, chunks.encode(value).decode())
            return
        for name, one in value.items():
            if name not in _NOT_WRITTEN:
                yield from _within(value, name, one, depth + 1)
