"""What a request head must look like (RFC 9112), stricter than most parsers: what they read differently is refused.

A head is matched whole by one expression; only a head that fails it is looked at again, to say in words what is wrong.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from tollhouse.core.failure import BadRequest, Failure, MethodNotAllowed
from tollhouse.core.upstream import Headers

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_TARGET = rb"[\x21\x22\x24-\x7e\x80-\xff]++"  # visible, any byte above ASCII, but no `#`
_LINE = rb"(" + _TOKEN + rb") (" + _TARGET + rb") HTTP/1\.([01])\r\n"
_FIELD = _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+\r\n"

HEAD: Final = re.compile(_LINE + rb"(?:" + _FIELD + rb")*+\r\n")
"""A whole head. Groups: method, target, minor version."""
FIELDS: Final = re.compile(rb"(" + _TOKEN + rb"):([^\r]*+)\r\n")
"""The fields of a head that HEAD has matched. Groups: name, value."""

_REQUEST_LINE = re.compile(_LINE)

# Neither these nor a line end that is not CRLF can stand anywhere in a head.
_CONTROLS = bytes([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])

_FIELD_LINE = re.compile(_FIELD)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%\-]++|\[[0-9A-Fa-f:.]++\])(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(/[^?]*)?(\?.*)?", re.IGNORECASE | re.DOTALL)
_DIGITS = re.compile(rb"[0-9]{1,18}")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABOVE_ASCII = re.compile(rb"[\x80-\xff]")

ALLOWED_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
METHODS: Final = frozenset(
    b"ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS"
    b" PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK"
    b" UNSUBSCRIBE".split()
)
"""Those that are registered (RFC 9110, 16.1) or were; an endpoint says which of them it takes."""

TARGET_BYTES_MAX: Final = 16 * 1024
"""Of path and query: decoding them costs a call for each byte that is escaped."""
_DECIDING: Final = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect", b"connection", b"upgrade"))
"""The headers that decide how a connection goes on."""


class Course(Struct, gc=False):
    """How the connection goes on after a head."""

    host: bytes
    length: int  # of the body; -1: chunked
    expects_continue: bool
    websocket: bool
    keep_alive: bool


def course(headers: Headers, minor: bytes) -> Course:
    """What the headers decide, names in lower case. Raises BadRequest where they are ambiguous."""
    host: bytes | None = None
    length = 0
    length_seen = chunked = expects = upgrade = websocket = False
    keep_alive = minor == b"1"  # HTTP/1.0 keeps none alive here: its clients disagree about how
    for name, value in headers:
        if name not in _DECIDING:
            continue
        if name == b"host":
            if host is not None:
                raise BadRequest("This request has more than one Host header.")
            if _HOST.fullmatch(value) is None:
                raise BadRequest("The Host header of this request is not a host with an optional port.")
            host = value
        elif name == b"content-length":
            if length_seen:
                raise BadRequest("This request has more than one Content-Length header.")
            if _DIGITS.fullmatch(value) is None:
                raise BadRequest("The Content-Length header of this request is not a number.")
            length_seen, length = True, int(value)
        elif name == b"transfer-encoding":
            if chunked or value.lower() != b"chunked" or minor == b"0":
                raise BadRequest("The only Transfer-Encoding taken here is `chunked`, once, with HTTP/1.1.")
            chunked, length = True, -1
        elif name == b"connection":
            options = [option.strip(b" \t") for option in value.lower().split(b",")]
            upgrade = upgrade or b"upgrade" in options
            keep_alive = keep_alive and b"close" not in options
        elif name == b"upgrade":
            websocket = websocket or b"websocket" in value.lower()
        elif value.lower() == b"100-continue":
            expects = minor == b"1"
    if host is None and minor == b"1":
        raise BadRequest("This request has no Host header.")
    if chunked and length_seen:
        raise BadRequest("This request has both Content-Length and Transfer-Encoding.")
    return Course(host or b"", length, expects, upgrade and websocket, keep_alive)


def split_target(method: bytes, target: bytes, host: bytes) -> tuple[bytes, str, bytes]:
    """A request target as (path as it came, path decoded, query). Raises BadRequest.

    A target that names its authority must name the one of the Host header, so nobody can be told two stories.
    """
    if target[0] != 0x2F:  # `/`
        if target == b"*" and method == b"OPTIONS":
            return b"*", "*", b""
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise BadRequest("The target of this request is not a path; it must begin with `/`.")
        authority, path, query = absolute.groups(b"")
        if authority.lower() != host.lower():
            raise BadRequest("The target of this request names another host than its Host header.")
        target = (path or b"/") + query
    raw_path, _, query = target.partition(b"?")
    if not query.isascii():
        query = _ABOVE_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], query)
    if b"%" not in raw_path and raw_path.isascii():
        return raw_path, raw_path.decode("ascii"), query
    if _BAD_ESCAPE.search(raw_path) is not None:
        raise BadRequest("The path of this request has a `%` that is not followed by two hexadecimal digits.")
    try:
        path_text = unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        raise BadRequest("The path of this request is not UTF-8.") from None
    if _CONTROL.search(path_text) is not None:
        raise BadRequest("The path of this request holds a control character.")
    return raw_path, path_text, query


def is_hopeless(begun: bytearray, seen: int) -> bool:
    """Whether what has come of a head cannot become one. Its first `seen` bytes were looked at before."""
    if _is_stray(bytes(begun[max(seen - 1, 0) :])):
        return True
    line_is_new = begun.find(b"\n", seen) >= 0 and b"\n" not in begun[:seen]
    return line_is_new and _REQUEST_LINE.match(begun) is None


def _is_stray(piece: bytes) -> bool:
    """Counted and not searched by an expression, which takes a millisecond for 60 KiB: whoever has no key may send many
    such heads. The byte before the piece, and the one after it, may make a line end of its own ones."""
    line_ends = piece.count(b"\r\n")
    if piece.count(b"\r") - piece.endswith(b"\r") != line_ends:
        return True
    if piece.count(b"\n") - piece.startswith(b"\n") != line_ends:
        return True
    return len(piece.translate(None, _CONTROLS)) != len(piece)


def explain(head: bytes) -> Failure:
    """In words, why this is no request head. `head` may be incomplete."""
    line, _, fields = head.partition(b"\r\n")
    if _REQUEST_LINE.match(line + b"\r\n") is None:
        return _explain_line(line)
    for field in fields.split(b"\r\n"):
        if field and _FIELD_LINE.fullmatch(field + b"\r\n") is None:
            return BadRequest(f"A header line of this request is not valid HTTP: {_explain_field(field)}.")
    return BadRequest("The headers of this request are not valid HTTP.")


def _explain_line(line: bytes) -> Failure:
    words = line.split(b" ")
    if line.startswith(b"\x16\x03"):
        return BadRequest(
            "This looks like TLS, and this address speaks plain HTTP: use http://, or a TLS proxy in front."
        )
    if words[0] == b"CONNECT":
        return unknown_method()
    if len(words) == 3 and words[2].startswith(b"HTTP/") and words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        return BadRequest("This HTTP version is not spoken here; use HTTP/1.1.")
    if len(words) == 3 and b"#" in words[1]:
        return BadRequest("The target of this request holds a fragment (`#`), which is never sent to a server.")
    return BadRequest(
        "This is not a valid HTTP/1.1 request line: write METHOD, a path and HTTP/1.1, one space between."
    )


def _explain_field(field: bytes) -> str:
    name, colon, _ = field.partition(b":")
    if field[:1] in (b" ", b"\t"):
        return "it begins with a space (line folding is obsolete)"
    if not colon:
        return "it has no colon"
    if name != name.strip():
        return "there is a space before its colon"
    if not name:
        return "it has no name"
    if b"\n" in field or b"\r" in field:
        return "a line must end with CR and LF"
    return "it holds a character that is not allowed there"


def unknown_method() -> MethodNotAllowed:
    return MethodNotAllowed("This method is not known here.", headers=((b"allow", ALLOWED_METHODS),))
