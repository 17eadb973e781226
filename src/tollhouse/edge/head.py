"""A request head, read: checked whole by the grammar, split, its meaning for the connection worked out."""

from msgspec import Struct

from tollhouse.core.failure import BadRequest, HeadersTooLarge
from tollhouse.core.upstream import Headers
from tollhouse.edge import grammar


class Head(Struct, gc=False):
    """`headers` have names in lower case and values without blanks around them."""

    method: str
    path: str  # decoded
    raw_path: bytes  # as it came
    query: bytes  # percent-encoded
    headers: Headers
    course: grammar.Course
    http_1_0: bool


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
