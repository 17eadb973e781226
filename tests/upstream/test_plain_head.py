"""A head that is read without the parser says what the parser would say of it, or is left to the parser."""

import random

import pytest
from httptools import HttpParserError, HttpParserUpgrade

from tollhouse.core.upstream import Headers
from tollhouse.upstream.parsed import HEAD_BYTES_MAX, HEADERS_MAX, AnswerParser
from tollhouse.upstream.plain_head import read

Seen = tuple[int, Headers, bytes]

USUAL = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\nContent-Length: 5\r\n\r\nhello"
TAKEN = {
    "usual": USUAL,
    "no-reason": b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello",
    "an-error": b"HTTP/1.1 503 Busy \xe7\xa8\x8e\r\ncontent-length: 5\r\n\r\nhello",
    "empty-body": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "blanks": b"HTTP/1.1 200 OK\r\ncontent-length: \t 5 \t\r\nx-a:\r\nx-b:   \r\nx-c: a: b \r\n\r\nhello",
    "kept-alive": b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 5\r\n\r\nhello",
    "zeros": b"HTTP/1.1 200 OK\r\ncontent-length: 00005\r\n\r\nhello",
    "above-ascii": "HTTP/1.1 200 OK\r\nx-note: 税关\r\ncontent-length: 5\r\n\r\nhello".encode(),
}
LEFT = {
    "unfinished": USUAL[:-6],
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "both-framings": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nhello",
    "two-lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "no-length": b"HTTP/1.1 200 OK\r\nx-a: b\r\n\r\nhello",
    "no-header": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "length-with-sign": b"HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
    "length-of-19-digits": b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999999\r\n\r\nhello",
    "length-empty": b"HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nhello",
    "compressed": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
    "close": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
    "upgrade": b"HTTP/1.1 200 OK\r\nupgrade: h2c\r\ncontent-length: 5\r\n\r\nhello",
    "http-1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    "continue": b"HTTP/1.1 100 Continue\r\ncontent-length: 5\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    "status-600": b"HTTP/1.1 600 X\r\ncontent-length: 5\r\n\r\nhello",
    "bare-line-feed": b"HTTP/1.1 200 OK\ncontent-length: 5\r\n\r\nhello",
    "folded": b"HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 5\r\n\r\nhello",
    "blank-before-colon": b"HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\nhello",
    "control-in-value": b"HTTP/1.1 200 OK\r\nx-a: \x00\r\ncontent-length: 5\r\n\r\nhello",
    "blank-line-first": b"\r\n" + USUAL,
    "too-many": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * HEADERS_MAX + b"content-length: 5\r\n\r\nhello",
    "too-large": b"HTTP/1.1 200 OK\r\nx: " + b"y" * HEAD_BYTES_MAX + b"\r\ncontent-length: 5\r\n\r\nhello",
}


class Heard:
    """A `ParsedAnswer` that remembers what it is told."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.encoding = b""
        self.sized = self.keep = False
        self.body = b""

    def begin(self, status: int, headers: Headers, *, encoding: bytes, sized: bool) -> None:
        self.status, self.headers, self.encoding, self.sized = status, list(headers), encoding, sized

    def on_body(self, data: bytes) -> None:
        self.body += data

    def end(self, keep: bool) -> None:
        self.keep = keep


def plainly(data: bytes) -> Seen | None:
    found = read(data, bytes_max=HEAD_BYTES_MAX, headers_max=HEADERS_MAX)
    if found is None:
        return None
    status, headers, length, begin = found
    return status, headers, data[begin : begin + length]


def by_parser(data: bytes) -> Seen | None:
    """None: it is no answer of a known length, whole, after which the connection is kept."""
    heard = Heard()
    try:
        AnswerParser(heard, has_body=True).parser.feed_data(data)
    except (HttpParserError, HttpParserUpgrade):
        if not heard.keep:
            return None
    if not heard.sized or heard.encoding:
        return None
    return heard.status, heard.headers, heard.body


@pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN)
def test_plain_head_says_what_the_parser_says(data: bytes) -> None:
    assert plainly(data) == by_parser(data)
    assert plainly(data) is not None


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_plain_head_leaves_the_rest_to_the_parser(data: bytes) -> None:
    assert plainly(data) is None


def test_plain_head_agrees_with_the_parser_on_mutated_heads() -> None:
    chance = random.Random(12)
    samples = [*TAKEN.values()] * 3 + [*LEFT.values()]
    pieces = [bytes([one]) for one in b"\r\n \t:,\0\x7f\x8009-+xH"] + [b"\r\n"]
    taken = 0
    for _ in range(3_000):
        data = chance.choice(samples)[:400]
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(data) + 1)
            data = data[:at] + chance.choice(pieces) + data[at + chance.randint(0, 2) :]
        found = plainly(data)
        if found is not None:
            taken += 1
            assert found == by_parser(data), data
    assert taken > 200
