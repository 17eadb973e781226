"""Recognising at the speed of a search the events that differ from an earlier one in a single text.

A stream is mostly deltas that are byte for byte alike but for one JSON string. Once one of them has been read exactly,
a block of such events needs no decoding: what lies between the known head and tail is a valid JSON string or the block
does not match. So a match means the same as an exact reading would.
"""

import re
from typing import NamedTuple

import msgspec

_decode_text = msgspec.json.Decoder(str).decode

_NAMES = (b"content", b"arguments", b"reasoning_content", b"text", b"thinking", b"partial_json")
_KEYS = tuple(b'"%b":"' % name for name in _NAMES)
# No group with alternatives is possessive: Python before 3.11.5 matches those wrongly.
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_STRING = re.compile(rb'[^"\\\x00-\x1f]*+(?:' + _ESCAPE + rb'[^"\\\x00-\x1f]*+)*')
_STRINGS = re.compile(rb'[^"\\\x00-\x09\x0b-\x1f]*+(?:' + _ESCAPE + rb'[^"\\\x00-\x09\x0b-\x1f]*+)*')
"""Insides of JSON strings, one a line."""


_EVENT_BYTES_MAX = 16 * 1024

# How much of a tail and of the next head is searched for to find where events meet: searching for all would be slower.
_TAIL_BYTES = 3
_HEAD_BYTES = 9


class Template(NamedTuple):
    head: bytes  # from `data: ` to the opening quote
    tail: bytes  # from the closing quote to the empty line
    seam: bytes  # tail and head: what lies between two texts

    def texts(self, block: bytes) -> bytes | None:
        """The escaped texts of a block of whole events, one a line; None where any event is of another form."""
        head, tail, seam = self
        if not block.startswith(head) or not block.endswith(tail) or len(block) < len(head) + len(tail):
            return None
        inner = block[len(head) : len(block) - len(tail)]
        if len(inner) < len(seam):
            return inner if _STRING.fullmatch(inner) and (inner.isascii() or _is_utf8(inner)) else None
        start, stop = len(head) - _HEAD_BYTES, _TAIL_BYTES - len(tail)
        events = block[_HEAD_BYTES:-_TAIL_BYTES].split(tail[-_TAIL_BYTES:] + head[:_HEAD_BYTES])
        texts = [event[start:stop] for event in events]
        if seam.join(texts) != inner:
            return None
        joined = b"\n".join(texts)
        if joined.count(b"\n") != len(texts) - 1 or not _STRINGS.fullmatch(joined):
            return None
        return joined if joined.isascii() or _is_utf8(joined) else None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def learn(event: bytes, text: str) -> Template | None:
    """Make a template of an event in the form `data: {...}` with an empty line, all of whose text is `text`.

    None where that text cannot be found for sure, and for an event so long that hardly another will follow.
    """
    if len(event) > _EVENT_BYTES_MAX:
        return None
    for key in _KEYS:
        if event.count(key) != 1:
            continue
        start = event.index(key) + len(key)
        string = _STRING.match(event, start)
        if string is not None and _means(string[0], text):
            head, tail = event[:start], event[string.end() :]
            return Template(head, tail, tail + head)
    return None


def _means(escaped: bytes, text: str) -> bool:
    try:
        return _decode_text(b'"' + escaped + b'"') == text
    except msgspec.DecodeError:
        return False
