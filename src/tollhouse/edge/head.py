"""A request head, read: checked whole by the grammar, split, its meaning for the connection worked out.

The heads of a connection are alike: clients write the same lines again, but for the length of the body. So a head is
compared with the one before, byte by byte, and read only where it differs in more than that length.
"""

import re
from typing import Final

from msgspec import Struct

from tollhouse.core.failure import BadRequest, HeadersTooLarge
from tollhouse.core.upstream import Headers
from tollhouse.edge import grammar

REMEMBERED_BYTES_MAX: Final = 4_096
"""Of a head: a connection keeps it until it waits for its client."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length: ?([0-9]{1,18})\r\n", re.IGNORECASE)
_LENGTH_NAME: Final = b"content-length"


class Head(Struct, gc=False):
    """`headers` have names in lower case and values without blanks around them.

    encoding: of a body of JSON, once somebody has looked (`core.body_headers`).
    """

    method: str
    path: str  # decoded
    raw_path: bytes  # as it came
    query: bytes  # percent-encoded
    headers: Headers
    course: grammar.Course
    http_1_0: bool
    encoding: str | None = None


class LastHead(Struct, gc=False):
    """A head as it came, and what stood before and behind the digits of its Content-Length; all of it before, where it
    has none that is written as usual."""

    data: bytes
    before: bytes
    behind: bytes
    head: Head


def remember(data: bytes, head: Head) -> LastHead | None:
    """What `again` needs of a head that was read; None for a large one."""
    if len(data) > REMEMBERED_BYTES_MAX:
        return None
    length = _LENGTH.search(data)
    if length is None:
        return LastHead(data, data, b"", head)
    return LastHead(data, data[: length.start(1)], data[length.end(1) :], head)


def again(last: LastHead, data: bytes) -> Head | None:
    """The same head once more, or with another length; None: it has to be read."""
    if data == last.data:
        return last.head
    before, behind = last.before, last.behind
    digits = data[len(before) : len(data) - len(behind)]
    if not (behind and data.startswith(before) and data.endswith(behind) and digits.isdigit() and len(digits) <= 18):
        return None
    head, course = last.head, last.head.course
    headers = [pair if pair[0] != _LENGTH_NAME else (_LENGTH_NAME, digits) for pair in head.headers]
    course = grammar.Course(course.host, int(digits), course.expects_continue, course.websocket, course.keep_alive)
    last.data = data
    last.head = made = Head(
        head.method, head.path, head.raw_path, head.query, headers, course, head.http_1_0, head.encoding
    )
    return made


def read(head: bytes, header_count_max: int) -> Head:
    """`head` ends with its empty line. Raises BadRequest, MethodNotAllowed, HeadersTooLarge."""
    match = grammar.HEAD.fullmatch(head)
    if match is None:
        raise grammar.explain(head)
    method, target, minor = match.groups()
    if len(target) > grammar.TARGET_BYTES_MAX:
        raise HeadersTooLarge(f"The target of this request exceeds {grammar.TARGET_BYTES_MAX} bytes.")
    if method not in grammar.METHODS:
        raise grammar.unknown_method()
    found = grammar.FIELDS.findall(head, match.end(3))
    if len(found) > header_count_max:
        raise HeadersTooLarge(f"This request has more than {header_count_max} headers.")
    headers = [(name.lower(), value.strip(b" \t")) for name, value in found]
    if b"\t" in head and any(
        b"\t" in value.lstrip(b" \t") for name, value in found if name.lower() == b"transfer-encoding"
    ):
        raise BadRequest("A tab stands behind the Transfer-Encoding of this request, which not all servers leave out.")
    course = grammar.course(headers, minor)
    raw_path, path, query = grammar.split_target(method, target, course.host)
    return Head(method.decode("ascii"), path, raw_path, query, headers, course, minor == b"0")
