"""The beginnings of prompts and of answers of a legacy completion that was asked to repeat its prompts (`echo`)."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from tollhouse.core.text_start import NOTHING, TextStart, TextStarts


def prompts_of(raw: Raw) -> tuple[TextStart, ...]:
    """The beginnings of a request's prompts."""
    try:
        given = msgspec.json.decode(raw, type=str | list[str | int | list[int]])
    except (msgspec.DecodeError, RecursionError):
        return ()
    if isinstance(given, str):
        return (NOTHING.and_then(given),)
    if given and isinstance(given[0], int):
        return (_of_ids(len(given)),)
    return tuple(
        NOTHING.and_then(one) if isinstance(one, str) else _of_ids(len(one))
        for one in given
        if not isinstance(one, int)
    )


def heads_of(choices: Iterable[dict[str, object]]) -> TextStarts:
    """The beginnings of a whole answer."""
    found: TextStarts = {}
    for number, choice in enumerate(choices):
        index, text = choice.get("index"), choice.get("text")
        if isinstance(text, str):
            found[index if type(index) is int else number] = begun(NOTHING, choice).and_then(text)
    return found


def begun(start: TextStart, choice: dict[str, object]) -> TextStart:
    """The beginning of an answer with what its log probabilities tell: that of a prompt's first token is null."""
    logprobs = choice.get("logprobs")
    scores = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    if not isinstance(scores, list) or not scores:
        return start
    begins = not start.scored and scores[0] is None
    return start._replace(is_unscored=start.is_unscored or begins, scored=start.scored + len(scores))


def _of_ids(count: int) -> TextStart:
    return TextStart("", count, is_ids=True)
