"""Strict reading of a JSON object into its top-level members, each left as the bytes it came in.

Members that nobody needs are never decoded and are written again exactly as they came. Of a duplicate member the last
one wins, and it alone is written again, so that nobody further on can read the other.
"""

import re

import msgspec
from msgspec import Raw

from tollhouse.core.failure import BadRequest

Members = dict[str, Raw]

_decode = msgspec.json.Decoder(Members).decode
_POSITION = re.compile(r"\(byte ([0-9]+)\)")
_PAIR = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]..", re.DOTALL)
_ESCAPES_LOOKED_AT_MAX = 1_000
_BYTES_LOOKED_AT_MAX = 1024 * 1024
"""Where the first half of a surrogate pair stands is worth that much of a search, and no more."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_members(body: bytes) -> Members:
    """Decode a request body. Raises BadRequest that says what is wrong at which line and column (both from 1)."""
    if body.startswith(_BYTE_ORDER_MARK):
        body = body[len(_BYTE_ORDER_MARK) :]
    try:
        if not body.isascii():
            body.decode()
        return _decode(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The request body is not UTF-8 text: {_place(body, error.start)}.") from None
    except msgspec.ValidationError:
        raise BadRequest("The request body must be a JSON object, as in {...}.") from None
    except msgspec.DecodeError as error:
        raise BadRequest(f"The request body is not valid JSON: {_reason(body, str(error))}.") from None
    except RecursionError:
        raise BadRequest("The request body is nested too deeply: its JSON is not read.") from None


def _reason(body: bytes, complaint: str) -> str:
    """What the decoder found, in words of ours where its own would mislead."""
    if not body or body.isspace():
        return "it is empty"
    position = _POSITION.search(complaint)
    if position is not None:
        what = complaint.removeprefix("JSON is malformed: ").partition(" (byte")[0]
        past = 1 if what == "trailing characters" else 0  # the decoder has already stepped over the first of them
        return f"{what} at {_place(body, int(position.group(1)) - past)}"
    half = _half_pair(body)
    if half is not None:
        return f"half of a surrogate pair (\\uD800 to \\uDFFF) at {_place(body, half)}"
    return f"it ends too early, at {_place(body, len(body))}"


def _half_pair(body: bytes) -> int | None:
    """Where an escape stands that is one half of a surrogate pair without the other."""
    at = 0
    for _ in range(_ESCAPES_LOOKED_AT_MAX):
        found = body.find(b"\\u", at, _BYTES_LOOKED_AT_MAX)
        if found < 0:
            return None
        before = body[at:found]
        at = found + 2
        if (len(before) - len(before.rstrip(b"\\"))) % 2:  # the backslash itself is escaped
            continue
        pair = _PAIR.match(body, found)
        if pair is not None:
            at = pair.end()
        elif _HALF.match(body, found):
            return found
    return None


def _place(body: bytes, at: int) -> str:
    line_start = body.rfind(b"\n", 0, at) + 1
    column = len(body[line_start:at].decode(errors="replace")) + 1
    line = body.count(b"\n", 0, at) + 1
    return f"line {line}, column {column}"
