"""What a model signed: `thoughtSignature`, base64 on any part.

Gemini wants its own signatures back where they stood. What another maker signed travels in the same place, wrapped and
in base64 once more, because clients decode and encode it on the way.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

from tollhouse.core.conversation import Opaque, Part, Reasoning, TextPart, ToolCall
from tollhouse.core.opaque import opened, sealed
from tollhouse.core.provider_json import Object, json_object
from tollhouse.formats.gemini.contents import text_under

OWN: Final = "gemini_content"
UNSIGNED: Final = "skip_thought_signature_validator"
"""Stands for the signature of a call that another model made: documented for histories that were moved to Gemini 3."""
TOLD_UNSIGNED: Final = b64encode(UNSIGNED.encode()).decode()
"""The same for callers, whose clients read base64 of the usual alphabet alone. It comes back with the call."""
_LAYER: Final = "openai_chat"
_LAYERS_NAME: Final = "thought_signature"
"""Of `extra_content.google` on a call (Google's page on OpenAI compatibility)."""
_WRAPPED: Final = b"th1_"
_SIGNS_NOTHING: Final = re.compile(r"gemini-(?:1\.|1-|2\.|2-|pro|exp)|gemma|learnlm|palm", re.IGNORECASE)


def opaque_of(part: Object) -> Opaque | None:
    """What a part carries for its maker."""
    signature = text_under(part, "thoughtSignature")
    if not signature or signature == UNSIGNED or not signature.isascii():
        return None
    try:
        data = b64decode(signature.translate({45: 43, 95: 47}) + "=" * (-len(signature) % 4))
    except (Error, ValueError):
        return Opaque(OWN, signature)
    if data == UNSIGNED.encode():
        return None
    if not data.startswith(_WRAPPED):
        return Opaque(OWN, signature)
    return opened(data.decode(errors="replace"), OWN)


def signature_of(opaque: Opaque) -> str:
    """For a caller: Gemini's own as it came, another's wrapped."""
    text = sealed(opaque, OWN)
    return text if opaque.format == OWN else b64encode(text.encode()).decode()


def is_signed(part: Part) -> bool:
    """By Gemini, which signs the first call of an answer, or a part before it."""
    opaque = part.opaque if isinstance(part, TextPart | Reasoning | ToolCall) else None
    return opaque is not None and opaque.format == OWN


def own_signature(opaque: Opaque | None) -> str:
    """For a provider: only what Gemini signed, also where its own layer for OpenAI's words told it; empty: nothing."""
    if opaque is None or opaque.format == OWN:
        return "" if opaque is None else opaque.data
    if opaque.format != _LAYER or _LAYERS_NAME not in opaque.data:
        return ""
    found: object = json_object(opaque.data)
    for name in ("google", _LAYERS_NAME):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def wants_signatures(model: str) -> bool:
    """Whether a model refuses calls of functions in earlier turns that nobody signed: Gemini 3 and later."""
    return _SIGNS_NOTHING.search(model) is None
