"""Contents as a provider of this format gets them, written from the messages of core words.

Calls of one turn stand in one content, and their results in the next, in the same order: Gemini 3 wants only the first
call of a turn signed, and Vertex AI knows no ids.
"""

import re
from collections.abc import Sequence
from typing import Final

from tollhouse.core.conversation import (
    MediaPart,
    Message,
    Part,
    Reasoning,
    Refusal,
    TextPart,
    ToolCall,
    ToolResult,
)
from tollhouse.core.provider_json import Object, json_object
from tollhouse.formats.gemini.signatures import UNSIGNED, own_signature, wants_signatures
from tollhouse.formats.gemini.words.media import type_of, write_medium

_LOOKS_IN_RESULTS: Final = re.compile(r"gemini-(?:[3-9]|[1-9][0-9])", re.IGNORECASE)
_FIRST: Final = "."
"""What a user says where nobody else does, or where the model begins: a call comes after a turn of the user."""
_AS_TEXT: Final = re.compile(r'"\$ref"|[0-9]{16}')
"""What a result says otherwise as JSON: a `$ref` names a part of it (twentyhq/twenty#19412), and its numbers are
floats, in which the last digits of long ids are lost."""
_IN_RESULTS: Final = frozenset(("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"))


def write_contents(messages: Sequence[Message], model: str) -> Object:
    """`systemInstruction` and `contents`. What a system says later in a conversation is said there, as the user's."""
    leading = 0
    while leading < len(messages) and messages[leading].role in ("system", "developer"):
        leading += 1
    system = [{"text": part.text} for message in messages[:leading] for part in _texts(message.parts)]
    contents: list[Object] = []
    signs = wants_signatures(model)
    signs_text = signs and "image" in model.lower()
    for message in messages[leading:]:
        if message.role == "assistant":
            _add(contents, "model", _said(message.parts, signs=signs, signs_text=signs_text))
        else:
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            if results:
                _add(contents, "user", [_result(part, model) for part in results])
                contents.append({"role": "user", "parts": []})  # what else is said begins anew
            others = [part for part in message.parts if not isinstance(part, ToolResult)]
            media = [written for part in results if not _holds(part, model) for written in _media_of(part)]
            _add(contents, "user", [*media, *(written for part in others for written in _part(part))])
    contents = [content for content in contents if content["parts"]]
    if not contents:
        return {"contents": [{"role": "user", "parts": system or [{"text": _FIRST}]}]}
    if contents[0]["role"] == "model":
        contents.insert(0, {"role": "user", "parts": [{"text": _FIRST}]})
    body: Object = {"contents": contents}
    return {"systemInstruction": {"parts": system}, **body} if system else body


def _add(contents: list[Object], role: str, parts: list[Object]) -> None:
    """Contents of one role that follow one another are one."""
    if contents and contents[-1]["role"] == role and isinstance(before := contents[-1]["parts"], list):
        before += parts
    else:
        contents.append({"role": role, "parts": parts})


def _texts(parts: Sequence[Part]) -> list[TextPart | Refusal]:
    return [part for part in parts if isinstance(part, TextPart | Refusal) and part.text]


def _part(part: Part) -> list[Object]:
    """A part of the user's."""
    if isinstance(part, TextPart | Refusal):
        return [{"text": part.text}] if part.text else []
    return [write_medium(part)] if isinstance(part, MediaPart) else []


def _said(parts: Sequence[Part], *, signs: bool, signs_text: bool) -> list[Object]:
    """What a model said. signs: the first call has to be signed, or to say that another model made it. signs_text: so
    has a text, which models that draw look at as well (googleapis/js-genai#1116)."""
    written: list[Object] = []
    is_first = True
    for part in parts:
        if isinstance(part, ToolCall):
            call: Object = {"functionCall": {"name": part.name, "args": arguments_of(part)}}
            signature = own_signature(part.opaque) or (UNSIGNED if signs and is_first else "")
            is_first = False
            written.append({**call, "thoughtSignature": signature} if signature else call)
        elif isinstance(part, Reasoning):
            if signature := own_signature(part.opaque):
                written.append({"text": part.text, "thought": True, "thoughtSignature": signature})
        elif isinstance(part, TextPart) and (
            signature := own_signature(part.opaque) or (UNSIGNED if signs_text else "")
        ):
            written += [{"text": part.text, "thoughtSignature": signature}] if part.text or part.opaque else []
        else:
            written += _part(part)
    return written


def arguments_of(call: ToolCall) -> Object:
    """Arguments as the object that they are. The text of a tool that takes text is its `input`, as is what is no
    object."""
    text = call.arguments.strip()
    if call.is_custom:
        return {"input": call.arguments}
    found = {} if text in ("", "null") else json_object(text)
    return {"input": call.arguments} if found is None else found


def _result(result: ToolResult, model: str) -> Object:
    text = "\n".join(part.text for part in result.parts if isinstance(part, TextPart))
    if result.is_error:
        response: Object = {"error": text}
    else:
        response = (None if _AS_TEXT.search(text) else json_object(text)) or {"output": text}
    said: Object = {"name": result.name or result.id, "response": response}
    if _holds(result, model):
        said["parts"] = [write_medium(part) for part in result.parts if isinstance(part, MediaPart)]
    return {"functionResponse": said}


def _holds(result: ToolResult, model: str) -> bool:
    """Whether a result can hold the media that it has: Gemini 3 and later look there, for kinds of files that are
    documented. Elsewhere media would begin a new turn of the user's, before which thoughts are forgotten."""
    media = [part for part in result.parts if isinstance(part, MediaPart)]
    known = all(part.data and type_of(part) in _IN_RESULTS for part in media)
    return bool(media) and known and _LOOKS_IN_RESULTS.search(model) is not None


def _media_of(result: ToolResult) -> list[Object]:
    """Media that a tool gave, after the results."""
    media = [part for part in result.parts if isinstance(part, MediaPart)]
    if not media:
        return []
    return [{"text": f"{result.name or 'The tool'} gave:"}, *map(write_medium, media)]
