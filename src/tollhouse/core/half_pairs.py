"""Half of a surrogate pair, written as an escape of JSON without its other half: `"\\ud83d"`.

JSON's grammar allows it, and clients write it: they cut a history in the middle of an emoji and send it again with each
call. Decoders refuse it. So its escape is written as one that stands for itself, of the same length, while the body is
read, and is written back where the body goes on.
"""

import re
from typing import Final

from msgspec import Raw

from tollhouse.core import members
from tollhouse.core.failure import BadRequest
from tollhouse.core.members import Members

HALVES_MAX: Final = 1_000
"""Of a body; with more it is refused as a decoder refuses it."""

_BEFORE: Final = rb"(?<!\\)((?:\\\\)*)"  # an even number of backslashes: the next one begins an escape
_HALF = re.compile(
    _BEFORE + rb"\\u[dD](?:([89abAB])([0-9a-fA-F]{2})(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB]..\\u[dD])([c-fC-F])([0-9a-fA-F]{2}))",
    re.DOTALL,
)
_SHOWN = re.compile("[\ue000-\ue7ff]")
_PRIVATE = re.compile(rb"\\u[eE][0-7]")
_HIDDEN = re.compile(_BEFORE + rb"\\u[eE]([0-7])([0-9a-fA-F]{2})")
_SECOND: Final = b"89abcdef"
"""The second digits of halves, in the order of the eight that stand for them: U+E000 to U+E7FF, for private use."""


def read_members(body: bytes) -> tuple[Members, bool]:
    """The members of a body, and whether halves in it are hidden. Raises BadRequest, as `members.read_members`."""
    try:
        return members.read_members(body), False
    except BadRequest:
        hidden = hide(body)
        if hidden is None:
            raise
    found = members.read_members(hidden)
    if any(map(_SHOWN.search, found)):  # names are not written back
        raise BadRequest("The name of a member of the request body holds half of a surrogate pair.")
    return found, True


def restore_members(hidden: Members) -> Members:
    return {name: Raw(restore(bytes(raw))) for name, raw in hidden.items()}


def hide(body: bytes) -> bytes | None:
    """The body with each half written otherwise; None: it has none, or uses the escapes that would stand for them."""
    if _PRIVATE.search(body) is not None:
        return None
    hidden, count = _HALF.subn(_hidden, body, HALVES_MAX)
    return hidden if count else None


def restore(body: bytes) -> bytes:
    """The halves again, in a body that `hide` gave."""
    return _HIDDEN.sub(lambda half: half[1] + rb"\ud" + _SECOND[int(half[2]) :][:1] + half[3], body)


def replace_hidden(body: bytes) -> bytes:
    """Each half as U+FFFD, in a body that `hide` gave: for who cannot say a half."""
    return _HIDDEN.sub(rb"\1\\ufffd", body)


def _hidden(half: re.Match[bytes]) -> bytes:
    second, rest = half[2] or half[4], half[3] or half[5]
    return half[1] + rb"\ue" + str(_SECOND.index(second.lower())).encode() + rest
