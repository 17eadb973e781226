"""The reasoning items of a response: thoughts, or a summary of them, and what only their maker can read."""

from typing import Final

from tollhouse.core.conversation import Opaque, Reasoning
from tollhouse.core.opaque import opened
from tollhouse.core.sound_text import sound_text
from tollhouse.formats.openai.words.chat_reply import text_of
from tollhouse.formats.openai.words.members import Object

OWN: Final = "openai_responses"


def reasoning_of(item: Object) -> Reasoning | None:
    """Thoughts: their own words where they are told, else a summary; None: the item says nothing."""
    words, summary = _texts(item.get("content")), _texts(item.get("summary"))
    opaque = opaque_of(item)
    if not (words or summary or opaque):
        return None
    return Reasoning(
        text=sound_text("\n\n".join(words or summary)),
        is_summary=not words and bool(summary),
        opaque=opaque,
        id=text_of(item.get("id")),
    )


def opaque_of(item: Object) -> Opaque | None:
    encrypted = item.get("encrypted_content")
    return opened(encrypted, OWN) if isinstance(encrypted, str) and encrypted else None


def _texts(parts: object) -> list[str]:
    found = [one.get("text") for one in parts if isinstance(one, dict)] if isinstance(parts, list) else []
    return [one for one in found if isinstance(one, str) and one]
