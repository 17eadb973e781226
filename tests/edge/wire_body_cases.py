"""What a hostile, broken or merely odd client sends: lengths, codings, chunks, upgrades, requests that never end."""

from tests.edge.wire_cases import CLOSED, case
from tests.edge.wire_client import chunked, get, post


def length(value: bytes, body: bytes = b"abcde") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:" + value + b"\r\n\r\n" + body


def coding(value: bytes, body: bytes = b"0\r\n\r\n") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:" + value + b"\r\n\r\n" + body


SMUGGLED = get(b"/smuggled")

# RFC 9112, 6.3 (message body length); RFC 9110, 8.6
LENGTHS = (
    case("length-and-chunked", chunked(b"0\r\n\r\n" + SMUGGLED, b"Content-Length: 5")),
    case("chunked-and-length", post(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked")),
    case("length-zero-and-chunked", chunked(b"0\r\n\r\n", b"Content-Length: 0")),
    case("length-twice", length(b" 5\r\nContent-Length: 6")),
    case("length-twice-equal", length(b" 5\r\nContent-Length: 5")),
    case("length-list", length(b" 5, 5")),
    case("length-list-differs", length(b" 5, 6")),
    case("length-plus", length(b" +5")),
    case("length-minus", length(b" -5")),
    case("length-hex", length(b" 0x5")),
    case("length-float", length(b" 5.0")),
    case("length-exponent", length(b" 1e1")),
    case("length-underscore", length(b" 1_0")),
    case("length-inner-space", length(b" 5 5")),
    case("length-letters", length(b" five")),
    case("length-trailing-letter", length(b" 5a")),
    case("length-empty", length(b"")),
    case("length-blank", length(b"  ")),
    case("length-quoted", length(b' "5"')),
    case("length-other-digits", length(" ٥".encode())),
    case("length-vt", length(b" \x0b5")),
    case("length-past-64-bits", length(b" 18446744073709551621")),
    case("length-of-40-digits", length(b" " + b"9" * 40)),
    case("length-space-before-colon", get(b"/", b"Content-Length : 5") + b"abcde"),
    case("length-folded", length(b"\r\n 5")),
    case("length-leading-zero", length(b" 05"), 200),
    case("length-blanks-around", length(b"\t 5 \t"), 200),
    case("length-zero", length(b" 0", b""), 200),
    case("get-with-body", get(b"/", b"Content-Length: 5") + b"abcde", 200),
    case("length-1.0", b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nabcde", 200),
)

# RFC 9112, 6.1 and 7
CODINGS = (
    case("coding-identity", coding(b" identity")),
    case("coding-gzip", coding(b" gzip")),
    case("coding-gzip-chunked", coding(b" gzip, chunked")),
    case("coding-chunked-gzip", coding(b" chunked, gzip")),
    case("coding-chunked-identity", coding(b" chunked, identity")),
    case("coding-chunked-twice", coding(b" chunked, chunked")),
    case("coding-twice", coding(b" chunked\r\nTransfer-Encoding: chunked")),
    case("coding-twice-identity", coding(b" chunked\r\nTransfer-Encoding: identity")),
    case("coding-identity-then-chunked", coding(b" identity\r\nTransfer-Encoding: chunked")),
    case("coding-misspelt", coding(b" xchunked")),
    case("coding-parameter", coding(b" chunked;q=1")),
    case("coding-quoted", coding(b' "chunked"')),
    case("coding-comma-before", coding(b" , chunked")),
    case("coding-comma-after", coding(b" chunked,")),
    case("coding-empty", coding(b"")),
    case("coding-tab-behind", coding(b" chunked\t")),
    case("coding-tab-and-blank-behind", coding(b" chunked\t ")),
    case("coding-vt", coding(b" \x0bchunked")),
    case("coding-nul", coding(b" chunked\x00")),
    case("coding-folded", coding(b"\r\n chunked")),
    case("coding-space-before-colon", get(b"/", b"Transfer-Encoding : chunked") + b"0\r\n\r\n"),
    case("coding-1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    case(
        "coding-1.0-with-length", b"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    case("coding-in-other-case", coding(b"\tCHUNKED "), 200),
    case("coding-by-underscore", post(b"abc", b"Transfer_Encoding: chunked"), 200),
    case("get-chunked", get(b"/", b"Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n\r\n", 200),
)

# RFC 9112, 7.1
CHUNKS = (
    case("chunk-size-letters", chunked(b"xyz\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-empty", chunked(b"\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-0x", chunked(b"0x3\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-minus", chunked(b"-3\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-plus", chunked(b"+3\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-space-before", chunked(b" 3\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-space-after", chunked(b"3 \r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-tab-after", chunked(b"3\t\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-underscore", chunked(b"0_3\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-past-64-bits", chunked(b"10000000000000003\r\nabc\r\n0\r\n\r\n")),
    case("chunk-size-lf", chunked(b"3\nabc\r\n0\r\n\r\n")),
    case("chunk-size-cr", chunked(b"3\rabc\r\n0\r\n\r\n")),
    case("chunk-size-quoted", chunked(b'"3"\r\nabc\r\n0\r\n\r\n')),
    case("chunk-data-too-long", chunked(b"3\r\nabcd\r\n0\r\n\r\n")),
    case("chunk-data-too-short", chunked(b"5\r\nabc\r\n0\r\n\r\n")),
    case("chunk-data-lf", chunked(b"3\r\nabc\n0\r\n\r\n")),
    case("chunk-data-no-line-end", chunked(b"3\r\nabc0\r\n\r\n")),
    case("chunk-extension-nul", chunked(b"3;\x00\r\nabc\r\n0\r\n\r\n")),
    case("chunk-extension-lf", chunked(b"3;a\nb\r\nabc\r\n0\r\n\r\n")),
    case("chunk-extension-cr", chunked(b"3;a\rb\r\nabc\r\n0\r\n\r\n")),
    case("chunk-extension-of-200-kb", chunked(b"3;" + b"a" * 200_000 + b"\r\nabc\r\n0\r\n\r\n"), 431),
    case("chunk-last-lf", chunked(b"3\r\nabc\r\n0\n\r\n")),
    case("trailer-name-with-space", chunked(b"0\r\nA : b\r\n\r\n")),
    case("trailer-folded", chunked(b"0\r\nA: b\r\n c\r\n\r\n")),
    case("trailer-lf", chunked(b"0\r\nA: b\nC: d\r\n\r\n")),
    case("trailer-nul", chunked(b"0\r\nA: \x00\r\n\r\n")),
    case("trailer-length", chunked(b"0\r\nContent-Length: 5\r\n\r\n")),
    case("trailers-of-200-kb", chunked(b"0\r\n" + b"A: b\r\n" * 33_000 + b"\r\n"), 431),
    case("chunk-extension", chunked(b'3;a=b;c="d"\r\nabc\r\n0\r\n\r\n'), 200),
    case("chunk-size-leading-zeros", chunked(b"0003\r\nabc\r\n000\r\n\r\n"), 200),
    case("trailers", chunked(b"3\r\nabc\r\n0\r\nA: b\r\nAuthorization: x\r\n\r\n"), 200),
    case("chunk-of-empty-lines", chunked(b"8\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n"), 200),
    case("chunks-of-one-byte", chunked(b"1\r\na\r\n" * 2000 + b"0\r\n\r\n"), 200),
)

# RFC 9110, 7.8 (upgrade) and 10.1.1 (expect)
OFFERS = (
    case("websocket", get(b"/v1/responses", b"Connection: Upgrade", b"Upgrade: websocket"), 426),
    case("websocket-among-others", get(b"/", b"Connection: keep-alive, Upgrade", b"Upgrade: h2c, WebSocket"), 426),
    case("websocket-by-post", post(b"abc", b"Connection: upgrade", b"Upgrade: websocket"), 426),
    case("websocket-not-offered", get(b"/", b"Upgrade: websocket"), 200),
    case("h2c", get(b"/", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA"), 200),
    case("h2c-with-length", post(b"abcde", b"Connection: Upgrade", b"Upgrade: h2c"), 200),
    case("h2c-with-chunks", chunked(b"3\r\nabc\r\n0\r\n\r\n", b"Connection: Upgrade", b"Upgrade: h2c"), 200),
    case("upgrade-to-tls", get(b"/", b"Connection: Upgrade", b"Upgrade: TLS/1.3"), 200),
    case("expect-unknown", post(b"abcde", b"Expect: 200-ok"), 200),
    case("expect-without-body", get(b"/", b"Expect: 100-continue"), 200),
    case("expect-body-at-once", post(b"abcde", b"Expect: 100-continue"), 200),
    case("connection-close", get(b"/", b"Connection: close"), 200),
    case("connection-odd-tokens", get(b"/", b"Connection: , close-not ,,Host"), 200),
)

# Requests that stop in the middle: the client waits
STOPPED = (
    case("stops-in-method", b"GE", 408),
    case("stops-in-line", b"GET / HT", 408),
    case("stops-after-line", b"GET / HTTP/1.1\r\n", 408),
    case("stops-in-field", b"GET / HTTP/1.1\r\nHost: x\r\nA: b", 408),
    case("stops-before-last-byte", b"GET / HTTP/1.1\r\nHost: x\r\n\r", 408),
    case("stops-in-body", length(b" 10"), 408),
    case("stops-before-body", length(b" 10", b""), 408),
    case("stops-in-chunk-size", chunked(b"3"), 408),
    case("stops-in-chunk", chunked(b"3\r\na"), 408),
    case("stops-before-last-chunk", chunked(b"3\r\nabc\r\n"), 408),
    case("stops-in-trailers", chunked(b"0\r\nA: b\r\n"), 408),
    case("says-nothing", b"", CLOSED),
    case("says-one-empty-line", b"\r\n", CLOSED),
)
