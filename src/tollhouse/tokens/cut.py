"""Where a text can be cut so that its parts have as many tokens as the whole.

Public vocabularies cut a text into words before they merge anything, and in both of ours no word spans these places:
between a visible character and a space; between a letter or digit and an ideographic mark or a line's end. What stands
before such a place has the same tokens whatever follows, and the other way round. A text without one (a megabyte of
one letter, a base64 line) is cut where it must be; that may cost a token, as the pieces are merged apart.
"""

import re
from collections.abc import Iterator

_SEAM = re.compile(r".*(?:\S(?= )|[^\W_](?=[\n、。《》「」『』！（），：；？]))", re.DOTALL)


def last_seam(text: str) -> int:
    """The end of the longest part that can be counted before the rest is known; 0: there is none."""
    match = _SEAM.match(text)
    return match.end() if match else 0


def pieces(text: str, characters_max: int) -> Iterator[str]:
    """The text in parts of at most so many characters, cut at seams where there are any."""
    start = 0
    while len(text) - start > characters_max:
        part = text[start : start + characters_max]
        end = last_seam(part) or characters_max
        yield part[:end]
        start += end
    yield text[start:]
