"""JSON that is nearly JSON, as some servers write it: made whole, where an answer stands in it.

Python writes NaN and infinities for log probabilities and vectors, and some templates write line ends and tabs into
texts as they are. No client but Python's reads that. What no number can say becomes null, the rest stays.
"""

import json
from collections.abc import Callable
from typing import Final, TypeVar

from tollhouse.core.cleaning import Known
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.sse import Event
from tollhouse.formats.openai import chunk as chunks

T = TypeVar("T")

_OF_AN_ANSWER: Final = ("choices", "data", "output")


def mended(data: bytes) -> bytes | None:
    """None: it holds no answer, or something else is wrong with it."""
    try:
        value = json.loads(data.decode(), strict=False, parse_constant=_nothing)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    kind = value.get("type")
    is_event = isinstance(kind, str) and kind.startswith("response.")
    return chunks.encode(value) if is_event or any(value.get(name) for name in _OF_AN_ANSWER) else None


def _nothing(constant: str) -> None:
    return None


def read_mended(read: Callable[[Event, Known], T], event: Event, known: Known) -> tuple[T, bytes]:
    """What `read` makes of an event, and the data that it was made of: mended where it cannot be read as it came.

    Raises what `read` does.
    """
    try:
        return read(event, known), event.data.strip()
    except UpstreamBroke:
        data = mended(event.data)
        if not data:
            raise
        return read(Event(event.name, data), known), data
