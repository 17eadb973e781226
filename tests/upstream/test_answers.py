"""A hostile provider, case by case: what it sends, and what comes out of the client.

Three tables: answers after which the connection serves the next request; answers that are whole but end the connection;
answers that break, with the status the caller saw before (0: none).
"""

import gzip
import zlib
from collections.abc import Mapping

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import (
    OK,
    SECOND,
    Peer,
    Script,
    ask,
    close,
    flood,
    new_client,
    one_by_one,
    outcome,
    post,
    reset,
    route_to,
    settle,
    whole,
)
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.upstream import Headers
from tollhouse.upstream.parsed import HEAD_BYTES_MAX, HEADERS_MAX

CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
HELLO = OK + b"content-length: 5\r\n\r\nhello"
GZIPPED = gzip.compress(b"hello", mtime=0)
RAW_DEFLATE = zlib.compress(b"hello", wbits=-15)
BOMB = gzip.compress(bytes(50_000_000), mtime=0)
DECODED_BYTES_MAX = 1_000_000


def sized(body: bytes, *lines: bytes) -> bytes:
    return OK + b"".join(line + b"\r\n" for line in lines) + b"content-length: %d\r\n\r\n" % len(body) + body


def head(*lines: bytes) -> bytes:
    return OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


KEPT: Mapping[str, tuple[bytes, int, bytes]] = {
    "content-length": (HELLO, 200, b"hello"),
    "content-length-zero": (sized(b""), 200, b""),
    "content-length-with-blanks": (OK + b"Content-Length:   5  \r\n\r\nhello", 200, b"hello"),
    "no-reason-phrase": (b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello", 200, b"hello"),
    "utf-8-in-a-header": (sized(b"hello", "x-note: Zoll für 税关".encode()), 200, b"hello"),
    "blank-lines-before-the-status": (b"\r\n\r\n" + HELLO, 200, b"hello"),
    "as-many-headers-as-allowed": (sized(b"hello", *[b"x: y"] * (HEADERS_MAX - 1)), 200, b"hello"),
    "an-error-status": (b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy", 503, b"busy"),
    "a-redirect-is-not-followed": (b"HTTP/1.1 302 F\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n", 302, b""),
    "chunked": (CHUNKED + chunks(b"hel", b"lo") + b"0\r\n\r\n", 200, b"hello"),
    "chunked-without-a-body": (CHUNKED + b"0\r\n\r\n", 200, b""),
    "chunked-in-capitals": (OK + b"Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, b"hello"),
    "chunk-size-with-zeros-in-front": (CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n", 200, b"hello"),
    "chunk-size-in-capitals": (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", 200, b"0123456789"),
    "chunk-extensions": (CHUNKED + b"5;name=value;flag\r\nhello\r\n0;last\r\n\r\n", 200, b"hello"),
    "chunk-extension-in-quotes": (CHUNKED + b'5;a="b;c"\r\nhello\r\n0\r\n\r\n', 200, b"hello"),
    "trailers": (CHUNKED + chunks(b"hello") + b"0\r\nx-checksum: 1\r\nx-other: 2\r\n\r\n", 200, b"hello"),
    "100-continue-first": (b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO, 200, b"hello"),
    "several-1xx": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n" + HELLO,
        200,
        b"hello",
    ),
    "1xx-with-framing-headers": (b"HTTP/1.1 103 E\r\ncontent-length: 9\r\n\r\n" + HELLO, 200, b"hello"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "204-with-a-content-length": (b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n", 204, b""),
    "304-with-a-content-length": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", 304, b""),
    "http-1.0-kept-alive": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello",
        200,
        b"hello",
    ),
    "an-offer-to-upgrade": (sized(b"hello", b"upgrade: h2c", b"connection: Upgrade"), 200, b"hello"),
    "identity": (sized(b"hello", b"content-encoding: identity"), 200, b"hello"),
    "gzip": (sized(GZIPPED, b"content-encoding: gzip"), 200, b"hello"),
    "x-gzip-in-capitals": (sized(GZIPPED, b"content-encoding: X-GZip"), 200, b"hello"),
    "gzip-in-chunks": (
        head(b"content-encoding: gzip", b"transfer-encoding: chunked")
        + chunks(*(GZIPPED[at : at + 1] for at in range(len(GZIPPED))))
        + b"0\r\n\r\n",
        200,
        b"hello",
    ),
    "gzip-of-several-members": (sized(GZIPPED + GZIPPED, b"content-encoding: gzip"), 200, b"hellohello"),
    "gzip-without-a-body": (sized(b"", b"content-encoding: gzip"), 200, b""),
    "gzip-just-within-the-bound": (
        sized(gzip.compress(bytes(DECODED_BYTES_MAX)), b"content-encoding: gzip"),
        200,
        bytes(DECODED_BYTES_MAX),
    ),
    "deflate": (sized(zlib.compress(b"hello"), b"content-encoding: deflate"), 200, b"hello"),
    "deflate-without-its-wrapping": (sized(RAW_DEFLATE, b"content-encoding: deflate"), 200, b"hello"),
    # What the head says of compression is wrong.
    "gzip-that-is-not-told": (sized(GZIPPED), 200, b"hello"),
    "gzip-that-is-not-told-byte-by-byte": (
        CHUNKED + chunks(*(GZIPPED[at : at + 1] for at in range(len(GZIPPED)))) + b"0\r\n\r\n",
        200,
        b"hello",
    ),
    "gzip-that-is-called-identity": (sized(GZIPPED, b"content-encoding: identity"), 200, b"hello"),
    **{
        f"json-or-events-that-are-called-{told.decode()}-{number}": (
            sized(plain, b"content-encoding: " + told),
            200,
            plain,
        )
        for told in (b"gzip", b"x-gzip", b"deflate")
        for number, plain in enumerate((b'{"a": 1}', b" [1]", b"data: x\n\n", b"event: x\n\n", b": x\n\n", b"{}" * 99))
    },
    "events-that-are-called-gzip-byte-by-byte": (
        head(b"content-encoding: gzip", b"transfer-encoding: chunked")
        + chunks(*(bytes([byte]) for byte in b"data: x\n\n"))
        + b"0\r\n\r\n",
        200,
        b"data: x\n\n",
    ),
    **{
        f"no-compression-that-is-called-{told.decode()}": (sized(b"hello", b"content-encoding: " + told), 200, b"hello")
        for told in (b"none", b"utf-8", b"UTF8", b"binary", b"8bit", b"aws-chunked", b"identity, identity", b"")
    },
    "gzip-that-is-also-called-identity": (sized(GZIPPED, b"content-encoding: gzip, identity"), 200, b"hello"),
}

ENDED: Mapping[str, tuple[Script, int, bytes]] = {
    "until-eof": ([OK + b"\r\nhel", settle, b"lo", close], 200, b"hello"),
    "until-eof-and-empty": ([OK + b"\r\n", close], 200, b""),
    "until-eof-in-gzip": ([head(b"content-encoding: gzip") + GZIPPED, close], 200, b"hello"),
    "http-1.0": ([b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello"], 200, b"hello"),
    "http-1.0-until-eof": ([b"HTTP/1.0 200 OK\r\n\r\nhello", close], 200, b"hello"),
    "http-1.0-kept-alive-until-eof": (
        [b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nhello", close],
        200,
        b"hello",
    ),
    "connection-close": ([sized(b"hello", b"connection: close")], 200, b"hello"),
    "connection-close-among-others": ([sized(b"hello", b"connection: keep-alive, Close")], 200, b"hello"),
    "connection-close-chunked": ([head(b"connection: close", b"transfer-encoding: chunked") + b"0\r\n\r\n"], 200, b""),
    "garbage-behind-the-answer": ([HELLO + b"garbage"], 200, b"hello"),
    "garbage-behind-the-last-chunk": ([CHUNKED + chunks(b"hello") + b"0\r\n\r\ngarbage"], 200, b"hello"),
    "a-second-answer": ([HELLO + HELLO], 200, b"hello"),
    "a-second-answer-later": ([HELLO, settle, HELLO], 200, b"hello"),
    "a-body-behind-204": ([b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello"], 204, b""),
    "a-body-behind-304": ([b"HTTP/1.1 304 Not Modified\r\n\r\nhello"], 304, b""),
    "an-answer-before-the-close": ([HELLO, close], 200, b"hello"),
}

BROKEN: Mapping[str, tuple[Script, int]] = {
    # Before the head is whole.
    "closed-at-once": ([close], 0),
    "reset-at-once": ([reset], 0),
    "closed-in-the-status-line": ([OK[:9], close], 0),
    "closed-behind-the-status-line": ([OK, close], 0),
    "closed-in-a-header": ([OK + b"content-le", close], 0),
    "closed-before-the-blank-line": ([OK + b"content-length: 5\r\n", close], 0),
    "reset-in-a-header": ([OK + b"content-le", settle, reset], 0),
    "closed-behind-100-continue": ([b"HTTP/1.1 100 Continue\r\n\r\n", close], 0),
    "garbage-before-the-status": ([b"garbage" + HELLO], 0),
    "garbage-only": ([b"\x15\x03\x01\x00\x02\x02\x50"], 0),
    "http-2": ([b"HTTP/2.0 200 OK\r\ncontent-length: 5\r\n\r\nhello"], 0),
    "http-0.9": ([b"HTTP/0.9 200 OK\r\ncontent-length: 5\r\n\r\nhello"], 0),
    "http-1.2": ([b"HTTP/1.2 200 OK\r\ncontent-length: 5\r\n\r\nhello"], 0),
    "status-of-two-digits": ([b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n"], 0),
    "status-of-four-digits": ([b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n"], 0),
    "status-099": ([b"HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n"], 0),
    "status-600": ([b"HTTP/1.1 600 OK\r\ncontent-length: 0\r\n\r\n"], 0),
    "101-with-an-upgrade": ([b"HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc"], 0),
    "101-without": ([b"HTTP/1.1 101 S\r\n\r\nabc"], 0),
    "both-framings": ([head(b"content-length: 5", b"transfer-encoding: chunked") + b"0\r\n\r\n"], 0),
    "both-framings-the-other-way": ([head(b"transfer-encoding: chunked", b"content-length: 5") + b"0\r\n\r\n"], 0),
    "two-different-lengths": ([head(b"content-length: 5", b"content-length: 6") + b"hello"], 0),
    "the-same-length-twice": ([head(b"content-length: 5", b"content-length: 5") + b"hello"], 0),
    "a-list-of-lengths": ([head(b"content-length: 5, 5") + b"hello"], 0),
    "a-negative-length": ([head(b"content-length: -5") + b"hello"], 0),
    "a-length-with-a-plus": ([head(b"content-length: +5") + b"hello"], 0),
    "a-hexadecimal-length": ([head(b"content-length: 0x5") + b"hello"], 0),
    "an-empty-length": ([head(b"content-length:") + b"hello"], 0),
    "a-length-beyond-64-bits": ([head(b"content-length: 99999999999999999999999") + b"hello"], 0),
    "a-folded-header": ([head(b"x-note: one", b" two", b"content-length: 0")], 0),
    "a-nul-in-a-header": ([head(b"x-note: a\0b", b"content-length: 0")], 0),
    "a-bare-cr-in-a-header": ([head(b"x-note: a\rb", b"content-length: 0")], 0),
    "bare-line-feeds": ([b"HTTP/1.1 200 OK\ncontent-length: 0\n\n"], 0),
    "a-blank-before-the-colon": ([head(b"content-length : 5") + b"hello"], 0),
    "a-header-without-a-colon": ([head(b"content-length 5") + b"hello"], 0),
    "a-header-without-a-name": ([head(b": 5", b"content-length: 0")], 0),
    "too-many-headers": ([sized(b"hello", *[b"x: y"] * HEADERS_MAX)], 0),
    "one-header-too-large": ([sized(b"hello", b"x: " + b"y" * HEAD_BYTES_MAX)], 0),
    "an-endless-header": ([OK + b"x: ", flood(b"y" * 1024, 100)], 0),
    "endless-headers": ([OK, flood(b"x-name: some value\r\n", 10_000)], 0),
    "endless-1xx": ([flood(b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n", 10_000)], 0),
    "an-endless-reason-phrase": ([b"HTTP/1.1 200 ", flood(b"y" * 1024, 100)], 0),
    "transfer-encoding-gzip": ([head(b"transfer-encoding: gzip") + GZIPPED], 0),
    "transfer-encoding-gzip-chunked": ([head(b"transfer-encoding: gzip, chunked") + b"0\r\n\r\n"], 0),
    "transfer-encoding-chunked-not-last": ([head(b"transfer-encoding: chunked, identity") + b"0\r\n\r\n"], 0),
    "transfer-encoding-twice": ([head(*[b"transfer-encoding: chunked"] * 2) + b"0\r\n\r\n"], 0),
    "transfer-encoding-misspelt": ([head(b"transfer-encoding: xchunked") + b"0\r\n\r\n"], 0),
    "chunked-in-http-1.0": ([b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"], 0),
    "content-encoding-br": ([sized(b"hello", b"content-encoding: br")], 0),
    "content-encoding-of-two": ([sized(b"hello", b"content-encoding: gzip, gzip")], 0),
    "content-encoding-twice": ([sized(GZIPPED, *[b"content-encoding: gzip"] * 2)], 0),
    # In the body.
    "closed-in-a-sized-body": ([head(b"content-length: 10") + b"hello", close], 200),
    "reset-in-a-sized-body": ([head(b"content-length: 10") + b"hello", settle, reset], 200),
    "closed-before-a-sized-body": ([head(b"content-length: 10"), settle, close], 200),
    "closed-in-a-huge-body": ([head(b"content-length: 4611686018427387904") + b"hello", close], 200),
    "closed-between-chunks": ([CHUNKED + chunks(b"hello"), close], 200),
    "closed-before-the-first-chunk": ([CHUNKED, settle, close], 200),
    "closed-in-a-chunk": ([CHUNKED + b"a\r\nhello", close], 200),
    "closed-in-a-chunk-size": ([CHUNKED + b"a", settle, close], 200),
    "closed-before-the-last-blank-line": ([CHUNKED + chunks(b"hello") + b"0\r\n", close], 200),
    "closed-in-the-trailers": ([CHUNKED + chunks(b"hello") + b"0\r\nx-checksum: 1\r\n", close], 200),
    "reset-in-a-chunk": ([CHUNKED + b"a\r\nhello", settle, reset], 200),
    "reset-until-eof": ([OK + b"\r\nhello", settle, reset], 200),
    "chunk-size-no-number": ([CHUNKED + chunks(b"hello"), settle, b"zz\r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-size-negative": ([CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-size-with-0x": ([CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-size-with-a-blank": ([CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-size-missing": ([CHUNKED + b"\r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-size-beyond-64-bits": ([CHUNKED + b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-size-with-a-bare-line-feed": ([CHUNKED + b"5\nhello\n0\n\n"], 200),
    "chunk-longer-than-its-size": ([CHUNKED + b"2\r\nhello\r\n0\r\n\r\n"], 200),
    "chunk-shorter-than-its-size": ([CHUNKED + b"7\r\nhello\r\n0\r\n\r\n"], 200),
    "an-endless-chunk-extension": ([CHUNKED + b"5;", flood(b"y" * 1024, 100)], 200),
    "endless-trailers": ([CHUNKED + chunks(b"hello") + b"0\r\n", flood(b"x-name: some value\r\n", 10_000)], 200),
    "a-length-in-the-trailers": ([CHUNKED + chunks(b"hello") + b"0\r\ncontent-length: 5\r\n\r\n"], 200),
    "gzip-cut-off-until-eof": ([head(b"content-encoding: gzip") + GZIPPED[:-9], close], 200),
    "a-compressed-bomb-until-eof": ([head(b"content-encoding: gzip") + BOMB, close], 200),
}


# Whole as HTTP goes, so the connection may serve on; but the body does not unpack.
DAMAGED: Mapping[str, bytes] = {
    "gzip-cut-off": sized(GZIPPED[:-9], b"content-encoding: gzip"),
    "gzip-damaged": sized(GZIPPED[:12] + b"\xff\xff\xff\xff" + GZIPPED[16:], b"content-encoding: gzip"),
    "gzip-with-a-wrong-checksum": sized(GZIPPED[:-8] + b"\0" * 8, b"content-encoding: gzip"),
    "gzip-that-is-none": sized(b"hello", b"content-encoding: gzip"),
    "gzip-with-garbage-behind": sized(GZIPPED + b"garbage", b"content-encoding: gzip"),
    "deflate-of-one-byte": sized(b"x", b"content-encoding: deflate"),
    "deflate-with-garbage-behind": sized(zlib.compress(b"hello") + b"xx", b"content-encoding: deflate"),
    "a-compressed-bomb": sized(BOMB, b"content-encoding: gzip"),
}


@pytest.mark.parametrize("name", KEPT)
def test_an_answer_is_whole_and_the_connection_serves_the_next_request(run: Run, name: str) -> None:
    served, status, body = KEPT[name]

    async def main() -> None:
        client = new_client(decoded_bytes_max=DECODED_BYTES_MAX)
        async with Peer([ask, served, ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (status, body)
            assert await outcome(client, call) == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


@pytest.mark.parametrize("name", KEPT)
def test_it_comes_byte_by_byte(run: Run, name: str) -> None:
    served, status, body = KEPT[name]

    async def main() -> None:
        client = new_client()
        async with Peer([ask, one_by_one(served[:400]), served[400:], ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (status, body)
            assert await outcome(client, call) == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


@pytest.mark.parametrize("name", ENDED)
def test_an_answer_is_whole_and_the_connection_is_not_used_again(run: Run, name: str) -> None:
    served, status, body = ENDED[name]

    async def main() -> None:
        client = new_client()
        async with Peer([ask, *served], [ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (status, body)
            await peer.wires[0].ended.wait()
            assert await outcome(client, call) == (200, b"second")
            assert [len(wire.asked) for wire in peer.wires] == [1, 1]
            await client.close()

    run(main())


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_breaks_and_the_connection_is_closed(run: Run, name: str) -> None:
    served, status = BROKEN[name]

    async def main() -> None:
        client = new_client(decoded_bytes_max=DECODED_BYTES_MAX)
        async with Peer([ask, *served], [ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (status, UpstreamBroke)
            await peer.wires[0].ended.wait()
            assert await outcome(client, call) == (200, b"second")
            assert [len(wire.asked) for wire in peer.wires] == [1, 1], "a broken answer was asked for again"
            await client.close()

    run(main())


@pytest.mark.parametrize("name", DAMAGED)
def test_a_compressed_body_does_not_unpack(run: Run, name: str) -> None:
    async def main() -> None:
        client = new_client(decoded_bytes_max=DECODED_BYTES_MAX)
        async with Peer([ask, DAMAGED[name], ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (200, UpstreamBroke)
            assert await outcome(client, call) == (200, b"second")
            await client.close()

    run(main())


def test_the_answer_to_head_has_no_body(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, OK + b"content-length: 5\r\n\r\n", ask, SECOND]) as peer:
            asked = post(route_to(peer.port), method=b"HEAD", body=b"")
            answer = await client.send(asked)
            assert (answer.status, answer.headers) == (200, [(b"content-length", b"5")])
            assert await answer.read() == b""
            assert await outcome(client, post(route_to(peer.port))) == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        (
            sized(b"", b"X-Mixed: A b ", b"x-mixed: c"),
            [(b"x-mixed", b"A b"), (b"x-mixed", b"c"), (b"content-length", b"0")],
        ),
        (CHUNKED[:-2] + b"x: y\r\nconnection: x\r\n\r\n0\r\nx-trailer: z\r\n\r\n", [(b"x", b"y")]),
        (sized(GZIPPED, b"x: y", b"content-encoding: gzip"), [(b"x", b"y")]),
        (b"HTTP/1.1 103 E\r\nlink: x\r\n\r\n" + sized(b""), [(b"content-length", b"0")]),
    ],
    ids=["as-sent", "without-what-belongs-to-the-connection", "without-what-decoding-changed", "without-those-of-1xx"],
)
def test_headers_come_in_order_with_names_in_lower_case(run: Run, served: bytes, expected: Headers) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, served]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            await whole(answer)
            assert answer.headers == expected
            await client.close()

    run(main())
