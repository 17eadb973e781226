"""The beginnings of prompts and of answers of a legacy completion that was asked to repeat its prompts (`echo`)."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from tollhouse.core.text_start import NOTHING, TextStart, TextStarts


def prompts_of(raw: Raw) -> tuple[TextStart, ...]:
    """The beginnings of a request's prompts; none where they are token ids."""
    try:
        given = msgspec.json.decode(raw, type=str | list[str])
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(NOTHING.and_then(one) for one in ([given] if isinstance(given, str) else given))


def heads_of(choices: Iterable[dict[str, object]]) -> TextStarts:
    """The beginnings of a whole answer."""
    found: TextStarts = {}
    for number, choice in enumerate(choices):
        index, text = choice.get("index"), choice.get("text")
        if isinstance(text, str):
            found[index if type(index) is int else number] = NOTHING.and_then(text)
    return found
