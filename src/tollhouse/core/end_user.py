"""Who the end user is, as a provider takes it: an id that says nothing to anybody else."""

import re
from hashlib import sha256
from typing import Final

_PLAIN: Final = re.compile(r"(?![0-9.-]{7,}\Z)[A-Za-z0-9_.:|-]*\Z")
"""No address of mail, nor what may be the number of a telephone."""
_DIGITS: Final = 48


def opaque_user(user: str, characters_max: int, *, plain: bool = False) -> str:
    """One that is too long, or that holds more than letters, digits and a few marks where it must be plain, becomes
    another, always the same."""
    if len(user) <= characters_max and (not plain or _PLAIN.match(user)):
        return user
    return f"user_{sha256(user.encode(errors='replace')).hexdigest()[:_DIGITS]}"
