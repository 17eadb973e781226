"""Text that depends on nothing but what it is made from, cut and grown to a number of tokens."""

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Final

_TEXT = (
    "the gate opens at dawn and each cart is weighed before it may pass over river bridge where old keeper writes its "
    "load into a book by lamp light while wind turns slowly above stone arch no coin is lost for every toll has mark "
    "seal date so that anyone who comes later can read what was paid here"
)
_WORDS: Final = tuple(_TEXT.split())
_PIECE = re.compile(r"\s*\S+|\s+")
_EXCERPT_MAX = 60
_GROW_MAX = 16
_STRETCH = 4_096  # characters

Count = Callable[[str], int]


def digest(*texts: str) -> str:
    """32 hex digits that name these texts in this order."""
    hashed = hashlib.sha256()
    for text in texts:
        data = text.encode(errors="surrogatepass")
        hashed.update(len(data).to_bytes(8) + data)
    return hashed.hexdigest()[:32]


def reply(seed: str, last: str) -> str:
    """A short answer that shows what it answers: 24 to 55 words."""
    excerpt = " ".join(last[: 4 * _EXCERPT_MAX].split())[:_EXCERPT_MAX]
    request = f' to "{excerpt}"' if excerpt else ""
    length = 24 + int(seed[:2], 16) % 32
    return f"Simulated answer {seed[:8]}{request}: {' '.join(_sequence(seed, length))}."


def exactly(tokens: int, seed: str, count: Count) -> str:
    """A text of so many tokens. Where the tokenizer skips a number at every cut tried, the next smaller."""
    length = tokens + 8
    text = " ".join(_sequence(seed, length))
    while count(text) < tokens:
        length *= 2
        text = " ".join(_sequence(seed, length))
    text = cut(text, tokens, count)
    for _ in range(_GROW_MAX):
        missing = tokens - count(text)
        if missing <= 0:
            break
        longer = text + " a" * missing
        text = longer if count(longer) <= tokens else text + " a"
        if count(text) > tokens:
            return text.removesuffix(" a")
    return text


def cut(text: str, tokens: int, count: Count) -> str:
    """The longest beginning of at most so many tokens; the whole text if it has no more.

    A long text is first cut between words, stretch by stretch, so that no more than a stretch is counted again and
    again; its beginning may then be a token shorter than the longest.
    """
    if len(text) <= _STRETCH:
        return text if count(text) <= tokens else _cut(text, tokens, count)
    if count(text) <= tokens:
        return text
    at = left = 0
    while True:
        end = text.find(" ", at + _STRETCH)
        stretch = text[at:] if end < 0 else text[at:end]
        if end < 0 or count(stretch) > tokens - left:
            return text[:at] + _cut(stretch, tokens - left, count)
        left += count(stretch)
        at = end


def _cut(text: str, tokens: int, count: Count) -> str:
    fits, over = 0, len(text) + 1
    while over - fits > 1:
        middle = (fits + over) // 2
        if count(text[:middle]) <= tokens:
            fits = middle
        else:
            over = middle
    return text[:fits]


def pieces(text: str) -> list[str]:
    """The text word by word, as a model streams it; joined they are the text."""
    return _PIECE.findall(text)


def _sequence(seed: str, length: int) -> Iterator[str]:
    data = hashlib.shake_256(seed.encode()).digest(length)
    return (_WORDS[byte % len(_WORDS)] for byte in data)
