"""What is written down of a call that failed, besides its code.

The words its caller read, the model they asked for, and from where they called. Providers repeat what they were sent,
and no content stands in a record: what a caller wrote goes out of such words again.
"""

import re
from collections.abc import Callable
from typing import Final

from tollhouse.access.exposed import without_keys
from tollhouse.core.cleaning import nobodys
from tollhouse.core.usage_record import FailureDetail

MESSAGE_MAX: Final = 600  # characters
MODEL_MAX: Final = 200
LEFT_OUT: Final = "…"
_LOOKED_UP_MAX: Final = 24  # pieces of a message, each of which reads all of the request
_RUN: Final = 4  # words in a row that hardly stand in a request by chance
_WORD: Final = re.compile(r"[A-Za-z_]{1,40}(?:\.[A-Za-z_]{1,40}|\[[0-9]{1,4}\])*")
"""A name of a field, a role, a type: what a message has to tell."""
_QUOTED: Final = re.compile(r"\"[^\"]{4,}\"|(?<!\w)'[^']{4,}'(?!\w)|`[^`]{4,}`|“[^”]{4,}”|‘[^’]{4,}’")
_LONG_WORD: Final = re.compile(r"[^\s'\"`“”‘’:,;()]{9,}")


def detail_of(
    message: str,
    address: str,
    *,
    model: str = "",
    provider_words: str = "",
    is_callers: Callable[[str], bool] | None = None,
) -> FailureDetail:
    """is_callers: whether a text stands in the request that a provider was sent; None: none was."""
    if is_callers is not None:
        message, provider_words = (_without_content(text, model, is_callers) for text in (message, provider_words))
    return FailureDetail(
        message=_bounded(message, MESSAGE_MAX),
        provider_words=_bounded(provider_words, MESSAGE_MAX),
        model=_bounded(model, MODEL_MAX),
        address=address,
    )


def _without_content(text: str, model: str, is_callers: Callable[[str], bool]) -> str:
    """A provider's words up to where a request may be repeated as JSON, without what the caller wrote. Where the
    request is too large to look in, up to the first quote."""
    text = text[: 2 * MESSAGE_MAX].partition("{")[0].rstrip()
    if is_callers is nobodys:
        return re.split(r"['\"`“‘]", text, maxsplit=1)[0].rstrip()
    left = _LOOKED_UP_MAX

    def is_content(piece: str) -> bool:
        nonlocal left
        if piece == model or _WORD.fullmatch(piece) is not None:
            return False
        left -= 1
        return left < 0 or is_callers(piece)

    def quoted(match: re.Match[str]) -> str:
        whole = match[0]
        return f"{whole[0]}{LEFT_OUT}{whole[-1]}" if is_content(whole[1:-1]) else whole

    text = _without_runs(_QUOTED.sub(quoted, text), is_content)
    return _LONG_WORD.sub(lambda match: LEFT_OUT if is_content(match[0]) else match[0], text)


def _without_runs(text: str, is_content: Callable[[str], bool]) -> str:
    """Without words in a row that a caller wrote. Each fourth place is looked at, and what stands around a find goes
    with it."""
    words = text.split(" ")
    found = [at for at in range(0, len(words) - _RUN + 1, _RUN) if is_content(" ".join(words[at : at + _RUN]))]
    for at in found:
        for place in range(max(0, at - _RUN + 1), min(len(words), at + 2 * _RUN - 1)):
            words[place] = LEFT_OUT
    return re.sub(rf"{LEFT_OUT}(?: {LEFT_OUT})+", LEFT_OUT, " ".join(words)) if found else text


def _bounded(text: str, characters: int) -> str:
    return without_keys(text[: 2 * characters])[:characters]
