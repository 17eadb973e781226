"""What leaves: the bytes of a request, exactly, and what is refused to leave."""

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import OK, Peer, ask, new_client, outcome, post, route_to
from tollhouse.core.failure import Defect
from tollhouse.core.upstream import Headers, UpstreamRequest, UpstreamRoute
from tollhouse.upstream.dial import authority

HELLO = OK + b"content-length: 5\r\n\r\nhello"
ANYWHERE = route_to(9)


def test_a_request_is_written_as_it_was_given(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO, ask, HELLO, ask, HELLO]) as peer:
            route = route_to(peer.port)
            headers = [(b"authorization", b"Bearer k"), (b"x-note", "für".encode())]
            await outcome(client, post(route, target=b"/v1/x?y=%20z", headers=headers, body=b'{"a": 1}'))
            await outcome(client, post(route, headers=[], body=b""))
            await outcome(client, post(route, method=b"GET", target=b"/v1/models", headers=[], body=b""))
            host = b"host: 127.0.0.1:%d\r\naccept-encoding: identity\r\n" % peer.port
            assert peer.asked == [
                (
                    b"POST /v1/x?y=%20z HTTP/1.1\r\n" + host + b"authorization: Bearer k\r\n"
                    b"x-note: f\xc3\xbcr\r\ncontent-length: 8\r\n\r\n",
                    b'{"a": 1}',
                ),
                (b"POST /v1/chat/completions HTTP/1.1\r\n" + host + b"content-length: 0\r\n\r\n", b""),
                (b"GET /v1/models HTTP/1.1\r\n" + host + b"\r\n", b""),
            ]
            await client.close()

    run(main())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 262_144, 262_145, 1_000_000])
def test_a_body_of_any_size_arrives(run: Run, size: int) -> None:
    async def main() -> None:
        client = new_client()
        body = (bytes(range(256)) * (size // 256 + 1))[:size]
        async with Peer([ask, HELLO]) as peer:
            assert await outcome(client, post(route_to(peer.port), body=body)) == (200, b"hello")
            assert peer.asked[0][1] == body
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("scheme", "host", "port", "expected"),
    [
        ("http", "x.example", 80, "x.example"),
        ("https", "x.example", 443, "x.example"),
        ("https", "x.example", 80, "x.example:80"),
        ("http", "x.example", 443, "x.example:443"),
        ("http", "::1", 8080, "[::1]:8080"),
        ("http", "::1", 80, "[::1]"),
    ],
)
def test_the_host_header_names_a_port_only_where_it_is_unusual(
    scheme: str, host: str, port: int, expected: str
) -> None:
    route: UpstreamRoute = route_to(port, scheme=scheme, host=host)
    assert authority(route) == expected


SHAPES: list[tuple[bytes, Headers]] = [
    (b"/v1", [(b"x", b"a\r\nhost: elsewhere")]),
    (b"/v1", [(b"x", b"a\nb")]),
    (b"/v1", [(b"x", b"a\rb")]),
    (b"/v1", [(b"x", b"a\0b")]),
    (b"/v1", [(b"x\r\ny", b"a")]),
    (b"/v1", [(b"x", b"a\r\n\r\nGET / HTTP/1.1")]),
    (b"/v1 HTTP/1.1\r\nhost: elsewhere\r\n", []),
    (b"/v1 HTTP/1.1", []),
    (b"http://elsewhere.example/v1", []),
    (b"@elsewhere.example/v1", []),
    (b"", []),
]


@pytest.mark.parametrize(("target", "headers"), SHAPES)
def test_no_value_changes_the_shape_of_a_request(run: Run, target: bytes, headers: Headers) -> None:
    async def main() -> None:
        client = new_client()
        call: UpstreamRequest = post(ANYWHERE, target=target, headers=headers)
        with pytest.raises(Defect):
            await client.send(call)
        assert client.open_connections() == 0
        await client.close()

    run(main())
