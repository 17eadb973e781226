"""What an object looks like that a prompt asks for in words: `json_object` names no schema, so the prompt is read.

In this order: a JSON schema or an example that stands in the text, names in quotes, names after a word like "keys".
Bounded: the last `READ_CHARACTERS` of the prompt, `NAMES_MAX` names.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

Schema = dict[str, object]

READ_CHARACTERS: Final = 8_192
NAMES_MAX: Final = 24
_TRIES_MAX: Final = 16  # braces at which JSON is looked for
_DEPTH_MAX: Final = 6
_ANSWER: Final[Schema] = {"type": "object", "properties": {"answer": {"type": "string"}}}
_QUOTED: Final = re.compile(r"[\"'`]([A-Za-z_][A-Za-z0-9_-]{0,40})[\"'`]")
_LISTED: Final = re.compile(
    r"\b(?:keys?|fields?|properties|property|attributes?|members?)\b(?:\s+(?:named|called|are|is))?\s*:?\s+"
    r"((?:[A-Za-z_][A-Za-z0-9_-]{0,40}(?:\s*\([^()]{0,60}\))?(?:\s*,\s*(?:and\s+)?|\s+and\s+)?){1,24})",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]{0,40})(?:\s*\(([^()]{0,60})\))?")
_NOT_NAMES: Final = frozenset(
    ("and", "json", "object", "json_object", "string", "integer", "number", "boolean", "array")
)
_KINDS: Final = (
    (re.compile(r"\b(?:list|array)s?\b", re.IGNORECASE), {"type": "array", "items": {"type": "string"}}),
    (re.compile(r"\b(?:integer|int|count|number of|how many)\b", re.IGNORECASE), {"type": "integer"}),
    (re.compile(r"\b(?:number|float|decimal)\b", re.IGNORECASE), {"type": "number"}),
    (re.compile(r"\b(?:bool|boolean|true or false|true/false)\b", re.IGNORECASE), {"type": "boolean"}),
    (re.compile(r"\b(?:object|dict|map)\b", re.IGNORECASE), {"type": "object"}),
)


def outlined(texts: tuple[str, ...]) -> Schema:
    """A schema for what the texts ask for; one with `answer` alone where they name nothing."""
    text = "\n".join(texts)[-READ_CHARACTERS:]
    for found in _objects(text):
        if isinstance(found.get("properties"), dict):
            return found
        if found:
            return _of_example(found, 0)
    named = dict(_quoted(text)) or dict(_listed(text))
    return {"type": "object", "properties": named, "required": list(named)} if named else _ANSWER


def _objects(text: str) -> Iterator[Schema]:
    """Objects of JSON in a text, first things first."""
    at = -1
    for _ in range(_TRIES_MAX):
        at = text.find("{", at + 1)
        if at < 0:
            return
        try:
            found, end = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found
            at = end - 1


def _of_example(value: object, depth: int) -> Schema:
    """The schema of a value: texts in it are descriptions, so only their being texts is kept."""
    if depth > _DEPTH_MAX:
        return {"type": "string"}
    if isinstance(value, dict):
        names = {name: _of_example(one, depth + 1) for name, one in list(value.items())[:NAMES_MAX]}
        return {"type": "object", "properties": names, "required": list(names)}
    if isinstance(value, list):
        return {"type": "array", "items": _of_example(value[0], depth + 1) if value else {"type": "string"}}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer"}
    return {"type": "number"} if isinstance(value, float) else {"type": "string"}


def _quoted(text: str) -> Iterator[tuple[str, Schema]]:
    matches = [match for match in _QUOTED.finditer(text) if match[1].lower() not in _NOT_NAMES][:NAMES_MAX]
    ends = [*(match.start() for match in matches[1:]), len(text)]
    for match, end in zip(matches, ends, strict=False):
        yield match[1], _kind(text[match.end() : min(end, match.end() + 40)])


def _listed(text: str) -> Iterator[tuple[str, Schema]]:
    for listed in list(_LISTED.finditer(text))[:4]:
        for name in list(_NAME.finditer(listed[1]))[:NAMES_MAX]:
            if name[1].lower() not in _NOT_NAMES:
                yield name[1], _kind(name[2] or "")


def _kind(words: str) -> Schema:
    """What is said of a name, right behind it."""
    return next((dict(schema) for pattern, schema in _KINDS if pattern.search(words)), {"type": "string"})
