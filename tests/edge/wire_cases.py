"""What a hostile, broken or merely odd client sends, and which answers are right: request lines, targets, headers.

`statuses`: any of these is right; CLOSED: closing without a word is right too. A name says what is odd.
"""

from typing import NamedTuple

from tests.edge.wire_client import get

CLOSED = 0


class WireCase(NamedTuple):
    name: str
    payload: bytes
    statuses: frozenset[int]
    path: str | None = None  # what the application must have been asked for, where it was


def case(name: str, payload: bytes, *statuses: int, path: str | None = None) -> WireCase:
    return WireCase(name, payload, frozenset(statuses or (400,)), path)


def line(text: bytes) -> bytes:
    return text + b"\r\nHost: x\r\n\r\n"


def host(value: bytes, version: bytes = b"1.1") -> bytes:
    return b"GET / HTTP/" + version + b"\r\n" + value + b"\r\n\r\n"


# RFC 9112, 2.2 (message parsing) and 3 (request line)
REQUEST_LINES = (
    case("one-empty-line-before", b"\r\n" + get(), 200),
    case("two-empty-lines-before", b"\r\n\r\n" + get(), 200),
    case("three-empty-lines-before", b"\r\n\r\n\r\n" + get()),
    case("bare-lf-before", b"\n" + get()),
    case("space-before-method", b" " + get()),
    case("method-lower-case", line(b"get / HTTP/1.1"), 405),
    case("method-unknown", line(b"BREW / HTTP/1.1"), 405),
    case("method-very-long", line(b"A" * 9000 + b" / HTTP/1.1"), 405),
    case("method-not-a-token", line(b"G@T / HTTP/1.1")),
    case("method-with-nul", line(b"G\x00T / HTTP/1.1")),
    case("method-in-utf8", line("GÉT / HTTP/1.1".encode())),
    case("method-empty", line(b" / HTTP/1.1")),
    case("connect-authority", line(b"CONNECT example.com:443 HTTP/1.1"), 405),
    case("connect-path", line(b"CONNECT / HTTP/1.1"), 405),
    case("two-spaces-after-method", line(b"GET  / HTTP/1.1")),
    case("tab-after-method", line(b"GET\t/ HTTP/1.1")),
    case("two-spaces-before-version", line(b"GET /  HTTP/1.1")),
    case("tab-before-version", line(b"GET /\tHTTP/1.1")),
    case("space-after-version", line(b"GET / HTTP/1.1 ")),
    case("words-after-version", line(b"GET / HTTP/1.1 x")),
    case("bare-cr-in-line", line(b"GET /\rx HTTP/1.1")),
    case("lf-line-end", b"GET / HTTP/1.1\nHost: x\r\n\r\n"),
    case("cr-line-end", b"GET / HTTP/1.1\rHost: x\r\n\r\n"),
    case("crcrlf-line-end", b"GET / HTTP/1.1\r\r\nHost: x\r\n\r\n"),
    case("no-target", line(b"GET HTTP/1.1")),
    # version, 2.3
    case("simple-request", b"GET /\r\n"),
    case("simple-request-with-empty-line", b"GET /\r\n\r\n"),
    case("version-0.9", line(b"GET / HTTP/0.9")),
    case("version-1.2", line(b"GET / HTTP/1.2")),
    case("version-2.0", line(b"GET / HTTP/2.0")),
    case("version-3", line(b"GET / HTTP/3")),
    case("version-9.9", line(b"GET / HTTP/9.9")),
    case("version-1.10", line(b"GET / HTTP/1.10")),
    case("version-01.1", line(b"GET / HTTP/01.1")),
    case("version-without-minor", line(b"GET / HTTP/1")),
    case("version-minor-empty", line(b"GET / HTTP/1.")),
    case("version-lower-case", line(b"GET / http/1.1")),
    case("version-with-space", line(b"GET / HTTP/ 1.1")),
    case("version-negative", line(b"GET / HTTP/-1.1")),
    case("version-rtsp", line(b"GET / RTSP/1.0")),
    case("version-icy", line(b"GET / ICY/1.1")),
    case("http2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    case("version-1.0", line(b"GET / HTTP/1.0"), 200),
)

# RFC 9112, 3.2 (request target); RFC 3986
TARGETS = (
    case("target-relative", line(b"GET x HTTP/1.1")),
    case("target-fragment", line(b"GET /x#y HTTP/1.1")),
    case("target-only-fragment", line(b"GET # HTTP/1.1")),
    case("target-with-space", line(b"GET /x y HTTP/1.1")),
    case("target-with-tab", line(b"GET /x\ty HTTP/1.1")),
    case("target-with-nul", line(b"GET /x\x00 HTTP/1.1")),
    case("target-with-escape", line(b"GET /x\x1b[0m HTTP/1.1")),
    case("target-with-del", line(b"GET /x\x7f HTTP/1.1")),
    case("target-percent-alone", line(b"GET /x% HTTP/1.1")),
    case("target-percent-one-digit", line(b"GET /x%4 HTTP/1.1")),
    case("target-percent-no-digits", line(b"GET /%zz HTTP/1.1")),
    case("target-percent-nul", line(b"GET /x%00 HTTP/1.1")),
    case("target-percent-crlf", line(b"GET /x%0d%0aX:%20y HTTP/1.1")),
    case("target-percent-not-utf8", line(b"GET /%ff HTTP/1.1")),
    case("target-percent-overlong", line(b"GET /%c0%af HTTP/1.1")),
    case("target-percent-surrogate", line(b"GET /%ed%a0%80 HTTP/1.1")),
    case("target-raw-not-utf8", line(b"GET /\xff HTTP/1.1")),
    case("target-raw-cut-utf8", line(b"GET /\xe4\xb8 HTTP/1.1")),
    case("target-raw-utf8", line("GET /v1/models/模型 HTTP/1.1".encode()), 200, path="/v1/models/模型"),
    case("target-percent-utf8", line(b"GET /v1/models/%E6%A8%A1 HTTP/1.1"), 200, path="/v1/models/模"),
    case("target-raw-and-percent", line("GET /é%C3%A9 HTTP/1.1".encode()), 200, path="/éé"),
    case("target-query-raw-utf8", line("GET /x?é HTTP/1.1".encode()), 200, path="/x"),
    case("target-query-bad-percent", line(b"GET /x?%zz HTTP/1.1"), 200, path="/x"),
    case("target-two-slashes", line(b"GET //evil.example/x HTTP/1.1"), 200, path="//evil.example/x"),
    case("target-dots-stay", line(b"GET /console/../v1/models HTTP/1.1"), 200, path="/console/../v1/models"),
    case("target-percent-dots-stay", line(b"GET /a/%2e%2e/b HTTP/1.1"), 200, path="/a/../b"),
    case("target-backslash", line(b"GET /a\\b HTTP/1.1"), 200, path="/a\\b"),
    case("target-star-get", line(b"GET * HTTP/1.1")),
    case("target-star-post", line(b"POST * HTTP/1.1")),
    case("target-star-options", line(b"OPTIONS * HTTP/1.1"), 200, path="*"),
    case("target-two-stars", line(b"OPTIONS ** HTTP/1.1")),
    case("target-authority", line(b"GET x:80 HTTP/1.1")),
    case("target-absolute", line(b"GET http://x/y?z HTTP/1.1"), 200, path="/y"),
    case("target-absolute-upper-case", line(b"GET HTTP://X/y HTTP/1.1"), 200, path="/y"),
    case("target-absolute-https", line(b"GET https://x/y HTTP/1.1"), 200, path="/y"),
    case("target-absolute-without-path", line(b"GET http://x HTTP/1.1"), 200, path="/"),
    case("target-absolute-only-query", line(b"GET http://x?y HTTP/1.1"), 200, path="/"),
    case("target-absolute-other-host", line(b"GET http://evil.example/y HTTP/1.1")),
    case("target-absolute-other-port", line(b"GET http://x:81/y HTTP/1.1")),
    case("target-absolute-userinfo", line(b"GET http://u@x/y HTTP/1.1")),
    case("target-absolute-fragment", line(b"GET http://x/#@y HTTP/1.1")),
    case("target-absolute-no-authority", line(b"GET http:///y HTTP/1.1")),
    case("target-absolute-ftp", line(b"GET ftp://x/y HTTP/1.1")),
    case("target-absolute-file", line(b"GET file:///etc/passwd HTTP/1.1")),
    case("target-long", get(b"/" + b"a" * 16_000), 200),
    case("target-too-long", get(b"/" + b"a" * 70_000), 431),
)

# RFC 9112, 3.2.2 and 3.2.3; RFC 9110, 7.2
HOSTS = (
    case("host-missing", b"GET / HTTP/1.1\r\n\r\n"),
    case("host-missing-among-others", host(b"Accept: */*")),
    case("host-twice", host(b"Host: x\r\nHost: y")),
    case("host-twice-equal", host(b"Host: x\r\nHost: x")),
    case("host-twice-by-case", host(b"Host: x\r\nhOST: y")),
    case("host-empty", host(b"Host:")),
    case("host-blank", host(b"Host:   ")),
    case("host-comma", host(b"Host: x, y")),
    case("host-userinfo", host(b"Host: u@x")),
    case("host-path", host(b"Host: x/y")),
    case("host-fragment", host(b"Host: x#y")),
    case("host-hides-a-path", host(b"Host: localhost:4000/#@x")),
    case("host-query", host(b"Host: x?y")),
    case("host-url", host(b"Host: http://x")),
    case("host-space-inside", host(b"Host: x y")),
    case("host-tab-inside", host(b"Host: x\ty")),
    case("host-port-of-letters", host(b"Host: x:abc")),
    case("host-port-too-long", host(b"Host: x:999999")),
    case("host-two-ports", host(b"Host: x:80:80")),
    case("host-only-port", host(b"Host: :80")),
    case("host-open-bracket", host(b"Host: [::1")),
    case("host-bracket-of-letters", host(b"Host: [xyz]")),
    case("host-utf8", host("Host: é".encode())),
    case("host-backslash", host(b"Host: x\\y")),
    case("host-quote", host(b'Host: "x"')),
    case("host-angle", host(b"Host: <x>")),
    case("host-space-before-colon", host(b"Host : x")),
    case("host-without-colon", host(b"Host x")),
    case("host-folded", host(b"Host:\r\n x")),
    case("host-twice-1.0", host(b"Host: x\r\nHost: y", b"1.0")),
    case("host-malformed-1.0", host(b"Host: x/y", b"1.0")),
    case("host-missing-1.0", b"GET / HTTP/1.0\r\n\r\n", 200),
    case("host-port", host(b"Host: x:8080"), 200),
    case("host-port-empty", host(b"Host: x:"), 200),
    case("host-v6", host(b"Host: [::1]:8080"), 200),
    case("host-underscore", host(b"Host: my_gateway"), 200),
    case("host-odd-case-and-blanks", host(b"hOsT:\t x \t"), 200),
)

# RFC 9112, 5 (field syntax); RFC 9110, 5.5 and 5.6.2
FIELDS = (
    case("space-before-colon", get(b"/", b"A : b")),
    case("tab-before-colon", get(b"/", b"A\t: b")),
    case("name-empty", get(b"/", b": b")),
    case("name-with-space", get(b"/", b"A B: c")),
    case("name-with-nul", get(b"/", b"A\x00: b")),
    case("name-with-parenthesis", get(b"/", b"A(: b")),
    case("name-in-utf8", get(b"/", "É: b".encode())),
    case("name-with-control", get(b"/", b"A\x08: b")),
    case("no-colon", get(b"/", b"Ab")),
    case("fold-by-space", get(b"/", b"A: b", b" c")),
    case("fold-by-tab", get(b"/", b"A: b", b"\tc")),
    case("fold-of-nothing", get(b"/", b"A: b", b" ")),
    case("fold-after-request-line", b"GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
    case("lf-between-fields", b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
    case("lf-everywhere", b"GET / HTTP/1.1\nHost: x\n\n"),
    case("lf-at-the-end", b"GET / HTTP/1.1\r\nHost: x\r\n\n"),
    case("crlf-lf", b"GET / HTTP/1.1\r\nHost: x\n\r\n"),
    case("cr-between-fields", b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"),
    case("cr-in-value", get(b"/", b"A: b\rc")),
    case("crcrlf-after-field", get(b"/", b"A: b\r")),
    case("nul-in-value", get(b"/", b"A: b\x00c")),
    case("soh-in-value", get(b"/", b"A: \x01")),
    case("vt-in-value", get(b"/", b"A: \x0bb")),
    case("ff-in-value", get(b"/", b"A: b\x0c")),
    case("escape-in-value", get(b"/", b"A: \x1b[2J")),
    case("del-in-value", get(b"/", b"A: b\x7f")),
    case("value-empty", get(b"/", b"A:"), 200),
    case("value-blank", get(b"/", b"A:  \t "), 200),
    case("value-utf8", get(b"/", "A: é".encode()), 200),
    case("value-latin1", get(b"/", b"A: \xe9"), 200),
    case("value-tab-inside", get(b"/", b"A: b\tc"), 200),
    case("name-with-underscore", get(b"/", b"Content_Length: 5"), 200),
    case("name-all-token-characters", get(b"/", b"!#$%&'*+-.^_`|~09azAZ: b"), 200),
    case("128-headers", get(b"/", *[b"A: b"] * 127), 200),
    case("129-headers", get(b"/", *[b"A: b"] * 128), 431),
    case("header-of-70-kb", get(b"/", b"A: " + b"b" * 70_000), 431),
    case("header-of-10-mb", get(b"/", b"A: " + b"b" * 10_000_000), 431),
    case("header-name-of-70-kb", get(b"/", b"A" * 70_000 + b": b"), 431),
    case("20000-headers", get(b"/", *[b"A: b"] * 20_000), 431),
    case("header-without-end", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 70_000, 431),
)

# Other protocols on the wrong port
STRANGERS = (
    case("tls-hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    case("ssh-banner", b"SSH-2.0-OpenSSH_9.2\r\n"),
    case("proxy-v1", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + get()),
    case("proxy-v2", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"),
    case("redis", b"*1\r\n$4\r\nPING\r\n"),
    case("smtp", b"EHLO x\r\n"),
    case("rtsp", b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    case("zeros", b"\x00" * 100),
    case("only-high-bytes", b"\xff" * 100 + b"\r\n\r\n"),
    case("json-alone", b'{"jsonrpc":"2.0"}\r\n'),
)
