"""Members of a request that are decoded one by one: whoever needs one names the type that it is to have."""

from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from tollhouse.core.failure import BadRequest
from tollhouse.core.usage import TOKENS_MAX

UNREAD: Final = (msgspec.DecodeError, RecursionError)  # as 1e999, which is JSON, and no number of Python's
_T = TypeVar("_T")


def decoded(raw: Raw, kind: type[_T]) -> _T | None:
    """A member's value, or None where it is of another kind (the JSON itself has been checked)."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except UNREAD:
        return None


def integer(raw: Raw, name: str) -> int:
    """An integer from 1 on. `1.0`, `"1"` and `true` are none. Raises BadRequest, which blames `name`."""
    digits = bytes(memoryview(raw)[:11])
    figure = int(digits) if digits.isdigit() and len(digits) <= 10 else 0
    if not 1 <= figure <= TOKENS_MAX:
        raise BadRequest(f"'{name}' must be an integer of at least 1 (and at most {TOKENS_MAX}).", param=name)
    return figure


def missing(name: str) -> BadRequest:
    return BadRequest(f"Missing required parameter: '{name}'.", param=name)
