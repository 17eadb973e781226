"""How many values a JSON text holds, counted before any of them is built.

Decoding costs memory and time by the number of values and not by the number of bytes: 31 MiB of `[],[],...` take
1.8 GB. The commas and opening brackets of a text bound its values from above and are found at the speed of a search.
Only where that bound is too high are strings left out, exactly, in short steps.
"""

import re
from typing import Final

from tollhouse.core.failure import RequestTooLarge

VALUES_MAX: Final = 1_000_000  # a batch of embeddings by token ids has 300,000
NESTED_MAX: Final = 100_000  # objects, arrays and members of objects: each costs much more than a number

_STEP_BYTES: Final = 256 * 1024  # of a text that is looked at in one go: other threads wait meanwhile
# No group with alternatives is possessive: Python before 3.11.5 matches those wrongly.
_TEXT: Final = rb'[^"\\]*+(?:\\.[^"\\]*+)*'
_STRING: Final = re.compile(rb'"' + _TEXT + rb'"', re.DOTALL)
_WHOLE: Final = re.compile(rb'[^"]*+(?:"' + _TEXT + rb'"[^"]*+)*', re.DOTALL)
"""Up to a string that does not end here. It is looked for once: a search that begins anew at each quote within it would
take a minute for 256 KiB of escaped quotes."""
_INSIDE: Final = re.compile(_TEXT, re.DOTALL)
_QUOTE: Final = ord('"')


def require_countable(body: bytes) -> None:
    """Raises RequestTooLarge for a text with more values, or more nested ones, than this platform decodes."""
    separators, nested = _upper_bounds(body)
    if separators <= VALUES_MAX and nested <= NESTED_MAX:
        return
    separators, nested = _counts(body)
    if separators > VALUES_MAX or nested > NESTED_MAX:
        raise RequestTooLarge(
            f"The JSON of this request holds more than {VALUES_MAX:,} values, or more than {NESTED_MAX:,} objects,"
            " arrays and members of objects: send it in several requests."
        )


def is_small(body: bytes, bytes_max: int, separators_max: int) -> bool:
    """Whether a text is short and has few values, so that decoding it takes well below a millisecond or two."""
    size = len(body)
    if size <= separators_max:
        return True
    return size <= bytes_max and sum(map(body.count, b",[{")) <= separators_max


def _upper_bounds(body: bytes, step: int = _STEP_BYTES) -> tuple[int, int]:
    """Separators and nested values, those within strings among them."""
    separators = nested = 0
    for at in range(0, len(body), step):
        end = at + step
        brackets = body.count(b"[", at, end) + body.count(b"{", at, end)
        separators += brackets + body.count(b",", at, end)
        nested += brackets + body.count(b":", at, end)
    return separators, nested


def _counts(body: bytes, step: int = _STEP_BYTES) -> tuple[int, int]:
    """The same without strings; stops where it is too much already."""
    separators = nested = at = 0
    within_string = False
    while at < len(body) and separators <= VALUES_MAX and nested <= NESTED_MAX:
        end = min(at + step, len(body))
        if within_string:
            at = _skip(body, at, end)
            if at < end and body[at] == _QUOTE:
                within_string = False
                at += 1
            continue
        piece = body[at:end]
        whole = _WHOLE.match(piece)
        begins = len(piece) if whole is None else whole.end()  # of a string that does not end here
        at = end
        if begins < len(piece):
            within_string = True
            if _skip(piece, begins + 1, len(piece)) > len(piece):
                at = end + 1
        piece = _STRING.sub(b"", piece[:begins])
        brackets = piece.count(b"[") + piece.count(b"{")
        separators += brackets + piece.count(b",")
        nested += brackets + piece.count(b":")
    return separators, nested


def _skip(text: bytes, at: int, end: int) -> int:
    """Where the inside of a string that is under way ends, or `end`; one further if a backslash stands before `end`,
    whose character comes after it."""
    match = _INSIDE.match(text, at, end)
    stopped = end if match is None else match.end()
    return end + 1 if stopped < end and text[stopped] != _QUOTE else stopped
