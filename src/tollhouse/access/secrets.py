"""The form of an API key's secret: `sk-th-live-` + 43 base62 characters (256 random bits) + 6 base62 (CRC-32).

The checksum covers everything before it, the prefix included. It tells a mistyped or cut key from an unknown one
without a look-up, and lets a scanner of source code tell a key from any other long word. It is no protection: that
are the 256 random bits, and that only their SHA-256 is stored.

The alphabet is `0-9A-Za-z`, the digits first, as `int(text, 36)` orders them.
"""

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Literal

from tollhouse.core.account import KeyMode

RANDOM_BYTES = 32
BODY_LENGTH = 43  # 62**43 > 2**256
CHECKSUM_LENGTH = 6  # 62**6 > 2**32
PREFIXES: Mapping[KeyMode, str] = {"live": "sk-th-live-", "test": "sk-th-test-", "admin": "sk-th-admin-"}

Shape = Literal["ours", "damaged", "foreign"]
"""ours: our prefix, length and checksum. damaged: our prefix, but cut, mistyped or with something added.
foreign: anything else, such as a key imported from another system."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FAMILY = "sk-th-"
_OURS = re.compile(r"sk-th-(?:live|test|admin)-[0-9A-Za-z]{49}", re.ASCII)
_IMPORTED_PREFIX_LENGTH = 6  # what is shown of a key imported from elsewhere, never more than a quarter of it


def mint(mode: KeyMode, random: bytes) -> str:
    """Make a secret from 32 random bytes. Raises ValueError for another number of bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a secret is made from {RANDOM_BYTES} random bytes, not from {len(random)}")
    start = PREFIXES[mode] + _base62(int.from_bytes(random, "big"), BODY_LENGTH)
    return start + _checksum(start)


def digest(text: str) -> bytes:
    """SHA-256 of the whole text: what is stored of a secret, and what it is found by."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def parse(text: str) -> Shape:
    """Tell by form alone what a text is; says nothing about whether such a key exists."""
    if not text.startswith(_FAMILY):
        return "foreign"
    if _OURS.fullmatch(text) is None or _checksum(text[:-CHECKSUM_LENGTH]) != text[-CHECKSUM_LENGTH:]:
        return "damaged"
    return "ours"


def mode_of(text: str) -> KeyMode | None:
    """The mode that a text's prefix names; None for a foreign key."""
    return next((mode for mode, prefix in PREFIXES.items() if text.startswith(prefix)), None)


def prefix_of(text: str) -> str:
    """What may be shown of a secret's beginning: our prefix, or the first characters of an imported key."""
    mode = mode_of(text)
    return PREFIXES[mode] if mode else text[: min(_IMPORTED_PREFIX_LENGTH, len(text) // 4)]


def last4(text: str) -> str:
    """What may be shown of a secret's end: four characters, fewer of a text under 16 (never more than a quarter)."""
    shown = min(4, len(text) // 4)
    return text[len(text) - shown :]


def _checksum(start: str) -> str:
    return _base62(zlib.crc32(start.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        characters.append(_ALPHABET[rest])
    return "".join(reversed(characters))
