"""Thoughts beside the text of a chat, by the many names that servers have for them.

OpenAI shows none in a chat. DeepSeek, Qwen, Zhipu, Moonshot, vLLM and xAI write `reasoning_content`, Groq, Ollama and
OpenRouter `reasoning`; OpenRouter adds `reasoning_details` with signatures, LiteLLM `thinking_blocks`. Some want their
thoughts back in the next turn under the name by which they came: that name is what is kept as `Opaque`.
"""

from typing import Any, Final

import msgspec

from tollhouse.core.conversation import Opaque, Reasoning
from tollhouse.core.opaque import opened, sealed
from tollhouse.core.provider_json import json_object
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words.thought_tags import TAGGED, tagged

OWN: Final = "openai_chat"
NAMES: Final = ("reasoning_content", "reasoning", "thinking", "reasoning_text")
"""Of texts; where a server says thoughts by two of them, it says the same."""
DETAILS: Final = ("reasoning_details", "thinking_blocks")
"""Of lists whose members are signed, or hidden."""

_DEPTH_MAX: Final = 6

Object = dict[str, Any]


def reasoning_of(said: Object) -> Reasoning | None:
    """The thoughts of a message, whole; None: there are none."""
    name, text = thoughts_in(said)
    listed, details = details_in(said)
    if details:
        opaque = _opened(listed, details)
        if opaque.format != OWN or not text:
            text = text or "".join(map(detail_text, details))
        return Reasoning(text=text, opaque=opaque)
    if not text:
        return None
    signature = said.get("signature")
    if isinstance(signature, str) and signature:
        return Reasoning(text=text, opaque=opened(signature, OWN))
    return Reasoning(text=text, opaque=Opaque(OWN, msgspec.json.encode(name).decode()))


def thoughts_in(said: Object) -> tuple[str, str]:
    """A text of thoughts in a message or a delta, and the name under which it stands."""
    for name in NAMES:
        value = said.get(name)
        if isinstance(value, str) and value:
            return name, value
        if isinstance(value, list | dict):
            text = detail_text(value)
            if text:
                return name, text
    return "", ""


def details_in(said: Object) -> tuple[str, list[Object]]:
    for name in DETAILS:
        value = said.get(name)
        if isinstance(value, list) and value:
            return name, [one for one in value if isinstance(one, dict)]
    return "", []


def detail_text(detail: object, depth: int = _DEPTH_MAX) -> str:
    """The text of a thought in whatever it is wrapped: Databricks has a list of summaries, Mistral one of texts."""
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list) and depth:
        return "".join([detail_text(one, depth - 1) for one in detail])
    if isinstance(detail, dict) and depth:
        for name in ("text", "thinking", "summary", "content"):
            if text := detail_text(detail.get(name), depth - 1):
                return text
    return ""


def _opened(listed: str, details: list[Object]) -> Opaque:
    """What we sealed for a caller, or the list as its maker wrote it."""
    for one in details:
        for name in ("signature", "data"):
            value = one.get(name)
            if isinstance(value, str) and value and (opaque := opened(value, OWN)).format != OWN:
                return opaque
    return Opaque(OWN, chunks.encode({listed: details}).decode())


def details_of(opaque: Opaque | None, text: str, *, is_hidden: bool) -> list[Object]:
    """A signed or hidden thought of another maker, as OpenRouter writes it; of one of its own, what it wrote. text:
    told here, too; empty: it stands beside."""
    if opaque is None or opaque.format == OWN:
        return [] if opaque is None else own_details(opaque)
    data = sealed(opaque, OWN)
    if is_hidden:
        return [{"type": "reasoning.encrypted", "data": data, "format": opaque.format, "index": 0}]
    return [{"type": "reasoning.text", "text": text, "signature": data, "format": opaque.format, "index": 0}]


def own_details(opaque: Opaque) -> list[Object]:
    kept = json_object(opaque.data) or {}
    listed = kept.get(DETAILS[0])
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def write_back(message: Object, reasoning: Reasoning) -> None:
    """Put thoughts into a message for the provider whose format made them, as it wrote them; leave out all others."""
    if reasoning.opaque is None or reasoning.opaque.format != OWN:
        return
    try:
        kept = msgspec.json.decode(reasoning.opaque.data)
    except msgspec.DecodeError:
        return
    if kept == TAGGED:
        content = message.get("content")
        message["content"] = tagged(reasoning.text, content if isinstance(content, str) else "")
    elif isinstance(kept, str) and kept in NAMES:
        before = message.get(kept)
        message[kept] = f"{before}{reasoning.text}" if isinstance(before, str) else reasoning.text
    elif isinstance(kept, dict):
        message.update({name: value for name, value in kept.items() if name in DETAILS})
