"""How a format carries what only another format's maker can read: as one text, or inside the id of a tool call.

A caller sends back what they got, whatever it is called in their format; so what Gemini signed reaches Gemini again
through a client of Anthropic's or OpenAI's. Nothing secret is in it: whoever reads it learns what the maker sent.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Final

from tollhouse.core.conversation import Opaque

_SEALED: Final = "th1_"
_IN_ID: Final = "__th1_"


def sealed(opaque: Opaque, own: str) -> str:
    """A text for a place of the format `own` where such texts stand: its own as it came, another's wrapped."""
    return opaque.data if opaque.format == own else _SEALED + _wrapped(opaque)


def opened(text: str, own: str) -> Opaque:
    """What a caller sent back in such a place of the format `own`."""
    wrapped = _unwrapped(text.removeprefix(_SEALED)) if text.startswith(_SEALED) else None
    return wrapped or Opaque(own, text)


def id_with(call_id: str, opaque: Opaque | None) -> str:
    """The id of a tool call that carries what belongs to the call. Letters, digits, `_` and `-` alone."""
    return call_id if opaque is None else call_id + _IN_ID + _wrapped(opaque)


def id_without(call_id: str) -> tuple[str, Opaque | None]:
    """The id as its maker wrote it, and what it carries."""
    if _IN_ID not in call_id:
        return call_id, None
    own, _, wrapped = call_id.rpartition(_IN_ID)
    found = _unwrapped(wrapped)
    return (call_id, None) if found is None else (own, found)


def _wrapped(opaque: Opaque) -> str:
    return urlsafe_b64encode(f"{opaque.format}:{opaque.data}".encode(errors="replace")).decode().rstrip("=")


def _unwrapped(text: str) -> Opaque | None:
    try:
        format_, found, data = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except (Error, UnicodeError, ValueError):
        return None
    return Opaque(format_, data) if found else None
