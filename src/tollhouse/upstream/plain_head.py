"""The head of an answer as nearly all are: whole in what comes first, with a length, and nothing that needs a parser.

The parser calls back for each header; here one expression checks them all. Whatever it does not take is not judged: the
parser reads it (`parsed`), and says what is wrong with it.
"""

import re
from typing import Final

from tollhouse.core.upstream import Headers
from tollhouse.upstream.parsed import HOP_BY_HOP

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_VALUE: Final = rb"[\t\x20-\x7e\x80-\xff]*+"
_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: " + _VALUE + rb")?\r\n((?:" + _TOKEN + rb":" + _VALUE + rb"\r\n)++)\r\n"
)
_FIELDS: Final = re.compile(rb"(" + _TOKEN + rb"):[\t ]*+([^\r]*+)\r\n")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_DECIDING: Final = frozenset({b"content-length", b"content-encoding"}) | HOP_BY_HOP
_BODILESS: Final = (b"204", b"304")


def read(data: bytes, *, bytes_max: int, headers_max: int) -> tuple[int, Headers, int, int] | None:
    """The first bytes of an answer to anything but HEAD. Gives its status, its headers (names in lower case; without
    those that belong to the connection), the length of its body, and where that begins. None: the parser reads it."""
    head = _HEAD.match(data)
    if head is None or head.end() > bytes_max or head[1] in _BODILESS:
        return None
    headers: Headers = []
    length = -1
    for spelled, padded in _FIELDS.findall(head[2]):
        name, value = spelled.lower(), padded.rstrip()
        if name in _DECIDING:
            if name == b"content-length" and length < 0 and _LENGTH.fullmatch(value) is not None:
                length = int(value)
            elif name == b"connection" and value.lower() == b"keep-alive":
                continue
            else:
                return None
        headers.append((name, value))
    if length < 0 or len(headers) > headers_max:
        return None
    return int(head[1]), headers, length, head.end()
