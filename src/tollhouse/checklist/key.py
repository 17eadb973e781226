"""Step 1: whether a text can be an API key, before anybody asks whose it is. Reasons repeat nothing of the text."""

import re
from typing import Final

from msgspec import Struct

from tollhouse.access.oddities import is_placeholder, odd_form, why_unknown
from tollhouse.access.secrets import parse
from tollhouse.checklist.steps import Trouble
from tollhouse.core.phrase import Phrase, translatable

_HEADER: Final = re.compile(r"\s*(?:authorization|x-api-key|api-key|x-goog-api-key)[ \t]*:[ \t]*", re.IGNORECASE)
_ASSIGNED: Final = re.compile(
    r"\s*(?:export\s+|set\s+|\$env:)?[A-Za-z_]*(?:API_?KEY|TOKEN)[A-Za-z_]*\s*=\s*", re.IGNORECASE
)
_BEARER: Final = re.compile(r"bearer[ \t]+(?=\S)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
KEY_MAX: Final = 4_096
"""Characters of what is given as a key."""

COPY_AGAIN: Final = translatable(
    "Copy the key again from where it was kept, whole and alone, and send it as `Authorization: Bearer KEY`."
)
FILL_IN: Final = translatable(
    "Put a key into the variable that your program reads, in the place where the program runs, and start it again."
)
OWN_KEY: Final = translatable(
    "Use a key of this platform with its base URL. Whoever administers the account makes keys on the page API keys."
)


class TypedKey(Struct, frozen=True):
    """`text`: the key without what stood around it; empty where there is none. `trouble`: why it cannot be one, or will
    not arrive as one."""

    text: str
    trouble: Trouble | None = None
    surrounded: bool = False  # by blanks or line breaks, which some libraries send along


def read_key(typed: str) -> TypedKey:
    """What somebody gave as their key: alone, or with the header or the variable in which it stands."""
    typed = typed[:KEY_MAX]
    header = _HEADER.match(typed) or _ASSIGNED.match(typed)
    inner = typed[header.end() :] if header else typed
    text = inner.strip(" \t\r\n")
    if header and (bearer := _BEARER.match(text)):
        text = text[bearer.end() :]
    if not text or (header and text.lower() == "bearer"):
        return TypedKey("", _trouble(Phrase("No API key was given: it is empty."), FILL_IN))
    surrounded = inner != text and not header
    if _ADDRESS.match(text):
        return TypedKey("", _trouble(Phrase("What was given as the key is an address."), COPY_AGAIN), surrounded)
    if is_placeholder(text):
        reason = Phrase("What was given as the key is a placeholder or a variable that was not filled in.")
        return TypedKey("", _trouble(reason, FILL_IN), surrounded)
    odd = odd_form(text)
    if odd is not None:
        return TypedKey("", _trouble(Phrase("The key %(odd)s.", odd=odd), COPY_AGAIN), surrounded)
    if parse(text) == "damaged":
        return TypedKey(text, _trouble(Phrase("The key is damaged: it %(odd)s.", odd=why_unknown(text)), COPY_AGAIN))
    return TypedKey(text, None, surrounded)


def around(key: TypedKey) -> Trouble | None:
    """Where blanks or line breaks stand around a good key, as a program reads them from a file."""
    if not key.surrounded:
        return None
    return _trouble(
        Phrase(
            "A blank or a line break stands before or behind the key. Most libraries refuse to send such a header, and"
            " report a connection error."
        ),
        Phrase("Remove it where the key is read, as with `.strip()` in Python, `.trim()` in JavaScript."),
    )


def unknown(text: str) -> Trouble:
    """Of a plausible key that nobody here has."""
    return _trouble(Phrase("The key %(odd)s.", odd=why_unknown(text)), Phrase(OWN_KEY))


def _trouble(reason: Phrase, cure: str) -> Trouble:
    return Trouble(reason, cure if isinstance(cure, Phrase) else Phrase(cure), "invalid_api_key")
