"""What a request and an answer are made of: contents, each of a role and parts. One object may stand where a list of
them is meant, as Google's JSON is read."""

from collections.abc import Iterator
from typing import Final

from tollhouse.core.provider_json import Object
from tollhouse.formats.gemini.spelling import under

DATA: Final = frozenset(
    (
        *("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode"),
        *("codeExecutionResult", "toolCall", "toolResponse"),
    )
)
"""What a part can be."""
BESIDE: Final = frozenset(
    ("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata", "mediaProcessing")
)
"""What may stand beside it."""


def objects(value: object) -> list[Object]:
    """Objects, also where one stands alone; all else is left out."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Likewise of texts."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def object_under(one: Object, name: str) -> Object:
    """The object of this name; an empty one where there is none."""
    value = under(one, name)
    return value if isinstance(value, dict) else {}


def text_under(one: Object, name: str) -> str:
    value = under(one, name)
    return value if isinstance(value, str) else ""


def parts_of(content: object) -> list[Object]:
    """The parts of a content; a text alone is one part."""
    if isinstance(content, str):
        return [{"text": content}]
    if isinstance(content, list):  # of a system: parts, or contents of them
        return [part for one in content for part in _parts_within(one)]
    if not isinstance(content, dict):
        return []
    parts = content.get("parts")
    if isinstance(parts, list):
        return [{"text": one} if isinstance(one, str) else one for one in parts if isinstance(one, str | dict)]
    return parts_of(parts) if isinstance(parts, str) else objects(parts)


def _parts_within(one: object) -> list[Object]:
    return [one] if isinstance(one, dict) and "parts" not in one else parts_of(one) if not isinstance(one, list) else []


def contents_of(value: object) -> list[Object]:
    """Contents; a text alone is one of the user's."""
    if isinstance(value, str):
        return [{"role": "user", "parts": [{"text": value}]}]
    if isinstance(value, list):
        found: list[Object] = []
        for one in value:
            found += contents_of(one) if isinstance(one, str) else objects(one)
        return found
    return objects(value)


def all_parts(contents: object) -> Iterator[Object]:
    """Every part of contents, and those that lie in results of functions."""
    for content in contents_of(contents):
        for part in parts_of(content):
            yield part
            result = under(part, "functionResponse")
            if isinstance(result, dict):
                yield from objects(result.get("parts"))
