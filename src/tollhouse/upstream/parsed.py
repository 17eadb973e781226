"""An answer that needs a parser: in chunks, up to the end of the connection, compressed, behind other heads (1xx)."""

from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.upstream import Headers
from tollhouse.upstream.decoding import compression_of, is_known

HEAD_BYTES_MAX: Final = 65_536  # of the head, 1xx answers included; and of trailers or chunk extensions in a row
HEADERS_MAX: Final = 128

_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})
# They belong to this connection, not to the answer (RFC 9110, 7.6.1).
HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)


class ParsedAnswer(Protocol):
    """What the parser tells of an answer."""

    def begin(self, status: int, headers: Headers, *, encoding: bytes, sized: bool) -> None:
        """The head is read. encoding: of the body; empty for none. sized: a length or a last chunk ends it."""
        ...

    def on_body(self, data: bytes) -> None: ...
    def end(self, keep: bool) -> None:
        """It is whole. keep: the connection may be kept."""
        ...


class AnswerParser:
    """What the parser calls. What its methods raise comes out of `parser.feed_data` as HttpParserError."""

    # fmt: off
    __slots__ = (
        "_answer", "_encoding", "_has_body", "_head_bytes", "_headers", "_refusal", "_sized", "_status", "_whole",
        "on_body", "parser",
    )
    # fmt: on

    def __init__(self, answer: ParsedAnswer, *, has_body: bool) -> None:
        """has_body: False for an answer to HEAD."""
        self._answer = answer
        self._has_body = has_body
        self._headers: Headers = []
        self._head_bytes = 0
        self._status = 0
        self._encoding = b""
        self._sized = self._whole = False
        self._refusal = ""
        self.on_body = answer.on_body
        self.parser = HttpResponseParser(self)

    def fault(self, error: HttpParserError | HttpParserUpgrade) -> UpstreamBroke:
        """What `feed_data` raised, in words."""
        return UpstreamBroke(self._refusal or f"the provider's answer is not valid HTTP/1.1: {error}")

    def on_message_begin(self) -> None:
        if self._whole:
            raise ValueError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > HEAD_BYTES_MAX or len(self._headers) >= HEADERS_MAX:
            self._refuse(
                f"the provider's answer has more than {HEAD_BYTES_MAX} bytes or {HEADERS_MAX} lines of headers"
            )
        if self._status:
            return  # a trailer
        if name in _FRAMING:
            self._note(name, value.strip().lower())
        if name not in HOP_BY_HOP:
            self._headers.append((name, value.strip()))

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._refuse(f"the provider answered in HTTP/{version}")
        if not 100 <= status <= 599 or status == 101:
            self._refuse(f"the provider answered with status {status}, which nobody asked for")
        if status < 200:
            self._headers.clear()
            self._encoding = b""
            self._sized = False
            return
        self._status = status
        headers, bodiless = self._headers, status in (204, 304) or not self._has_body
        if bodiless:
            self._encoding = b""
        elif self._encoding:
            headers = [pair for pair in headers if pair[0] not in _FRAMING]
        self._answer.begin(status, headers, encoding=self._encoding, sized=self._sized or bodiless)
        if bodiless:
            self.on_message_complete()

    def on_message_complete(self) -> None:
        if self._status:
            self._whole = True
            self._answer.end(self.parser.should_keep_alive())

    def _note(self, name: bytes, value: bytes) -> None:
        """Read a header that says how the body is framed. (The parser itself refuses two lengths, or both framings.)"""
        if name == b"transfer-encoding":
            if value != b"chunked" or self._sized or self.parser.get_http_version() == "1.0":
                self._refuse("the provider's answer has a Transfer-Encoding other than one `chunked`")
            self._sized = True
        elif name == b"content-length":
            self._sized = True
        elif packed := compression_of(value):
            if self._encoding or not is_known(packed):
                self._refuse("the provider's answer has a Content-Encoding that is neither gzip nor deflate")
            self._encoding = packed

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        raise ValueError(reason)
