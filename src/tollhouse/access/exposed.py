"""Keys that stand where texts are kept and shown: in a name, a tag, a note. Ours, and those of vendors.

Told by form alone. A key that was pasted with formatting (dashes and letters that look alike, characters without width)
is one all the same: whoever reads it can repair it.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from tollhouse.access.oddities import VENDORS
from tollhouse.core.phrase import Phrase

REDACTED: Final = "[redacted key]"

_OURS = re.compile(r"sk-th-(?:live|test|admin)-[0-9A-Za-z]{16,}", re.ASCII)
_THEIRS = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"sk-(?:ant|or|proj|svcacct|admin|None)-[0-9A-Za-z_-]{20,}"
    r"|sk-(?=[a-zA-Z]*[0-9])[0-9A-Za-z]{32,}"
    r"|AIza[0-9A-Za-z_-]{35}|AQ\.[0-9A-Za-z_-]{20,}"
    r"|(?:gsk|hf|r8|fw|csk|ghp|gho|ghs|github_pat|whsec|rk_live|sk_live|sk_test)_[0-9A-Za-z_]{20,}"
    r"|(?:xai|pplx|nvapi|sess)-[0-9A-Za-z_-]{20,}"
    r"|A[KS]IA[0-9A-Z]{16}(?![0-9A-Z])"
    r"|eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]*"
    r")",
    re.ASCII,
)
_WEB_TOKEN: Final = re.compile(r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]*", re.ASCII)
_DASHES: Final = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"}


def key_in(text: str) -> str | None:
    """Whose key a text holds, or most of one: `this platform`, a vendor's name, `another service`; None: nobody's."""
    plain = _plain(text)
    if _OURS.search(plain) is not None:
        return "this platform"
    found = _THEIRS.search(plain)
    if found is None:
        return None
    return next((vendor for pattern, vendor in VENDORS if pattern.match(found[0])), "another service")


def keys_in(text: str) -> tuple[str, ...]:
    """The keys that a text holds, ours and others', each once: to look up whose they are."""
    plain = _plain(text)
    return tuple(dict.fromkeys((*_OURS.findall(plain), *_THEIRS.findall(plain))))


def exposed(text: str) -> str | None:
    """Why a text cannot be kept: a key stands in it, and what to do about that; None: nobody's does."""
    whose = key_in(text)
    if whose is None:
        return None
    if whose == "this platform":
        return Phrase(
            "an API key of this platform stands in it, which then would be kept in the clear; whoever sees it can use"
            " it, so rotate it: tollhouse keys rotate"
        )
    return Phrase(
        "an API key of %(whose)s stands in it, which then would be kept in the clear; whoever sees it can use it, so"
        " replace it there",
        whose=whose,
    )


def exposed_in_address(url: str) -> str | None:
    """The same of an address, whose letters may be percent-encoded; a JSON web token is the receiver's own."""
    return exposed(_WEB_TOKEN.sub("", unquote(url)))


def without_keys(text: str) -> str:
    """The text with each key replaced by `[redacted key]`; the whole of it where one stands in disguise."""
    if not text.isascii() and key_in(text) is not None:
        text = _THEIRS.sub(REDACTED, _OURS.sub(REDACTED, text))
        return REDACTED if key_in(text) is not None else text
    return _THEIRS.sub(REDACTED, _OURS.sub(REDACTED, text))


def _plain(text: str) -> str:
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
