"""A request head, read: checked whole by the grammar, split by llhttp, its meaning for the connection worked out."""

from typing import NamedTuple

import httptools

from tollhouse.core.failure import BadRequest, HeadersTooLarge
from tollhouse.core.upstream import Headers
from tollhouse.edge import grammar


class Head(NamedTuple):
    method: str
    path: str  # decoded
    raw_path: bytes  # as it came
    query: bytes  # percent-encoded
    headers: Headers
    course: grammar.Course
    http_1_0: bool


class _Fields:
    """Collects the headers that llhttp splits; `deciding` are those that say how the connection goes on."""

    __slots__ = ("deciding", "headers")

    def __init__(self) -> None:
        self.headers: Headers = []
        self.deciding: Headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        field = (name.lower(), value)
        self.headers.append(field)
        if field[0] in grammar.DECIDING:
            self.deciding.append(field)

    def strip(self) -> None:
        self.headers = [(name, value.strip(b" \t")) for name, value in self.headers]
        self.deciding = [(name, value.strip(b" \t")) for name, value in self.deciding]


def read(head: bytes, header_count_max: int) -> Head:
    """`head` ends with its empty line. Raises BadRequest, MethodNotAllowed, HeadersTooLarge."""
    match = grammar.HEAD.fullmatch(head)
    if match is None:
        raise grammar.explain(head)
    method, target, minor = match.groups()
    if len(target) > grammar.TARGET_BYTES_MAX:
        raise HeadersTooLarge(f"The target of this request exceeds {grammar.TARGET_BYTES_MAX} bytes.")
    if method == b"CONNECT":
        raise grammar.unknown_method()
    fields = _Fields()
    try:
        # llhttp knows no target outside ASCII, and the target is not its business
        httptools.HttpRequestParser(fields).feed_data(head if target.isascii() else head.replace(target, b"/", 1))
    except httptools.HttpParserUpgrade:
        pass  # an offer to upgrade may be ignored; what cannot be ignored stands in `course`
    except httptools.HttpParserInvalidMethodError:
        raise grammar.unknown_method() from None
    except httptools.HttpParserError as error:
        raise BadRequest(f"This request is not valid HTTP: {error}.") from None
    if len(fields.headers) > header_count_max:
        raise HeadersTooLarge(f"This request has more than {header_count_max} headers.")
    if b" \r\n" in head or b"\t\r\n" in head:  # llhttp leaves blanks behind a value: not worth a look each time
        fields.strip()
    course = grammar.course(fields.deciding, minor)
    raw_path, path, query = grammar.split_target(method, target, course.host)
    return Head(method.decode("ascii"), path, raw_path, query, fields.headers, course, minor == b"0")
