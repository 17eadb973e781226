"""Through a proxy: CONNECT first, then as if it were not there."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Mapping

import pytest

from tests.upstream.certificates import Authority
from tests.upstream.conftest import Run
from tests.upstream.hostile import (
    OK,
    SECOND,
    Peer,
    PeerWire,
    Script,
    Step,
    ask,
    close,
    drip,
    new_client,
    outcome,
    post,
    reset,
    route_to,
)
from tollhouse.core.failure import Failure, UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.upstream import Deadlines
from tollhouse.upstream.proxy import read_proxy

HELLO = OK + b"content-length: 5\r\n\r\nhello"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def through(proxy: Peer, user: str = "") -> str:
    return f"http://{user}127.0.0.1:{proxy.port}"


def pipe_to(port: int) -> Step:
    """Carry bytes both ways between the client and a port, until either side ends."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()

    async def pipe(wire: PeerWire) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ways = [asyncio.ensure_future(pump(wire.reader, writer)), asyncio.ensure_future(pump(reader, wire.writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.transport.abort()
            wire.writer.transport.abort()
            await asyncio.wait(ways)

    return pipe


def test_a_plain_provider_is_reached_through_a_tunnel(run: Run) -> None:
    """The proxy is the provider too: what comes after CONNECT on this connection is meant for the provider."""

    async def main() -> None:
        client = new_client()
        async with Peer([ask, ESTABLISHED, ask, HELLO, ask, SECOND]) as proxy:
            route = route_to(8080, host="provider.example", proxy=through(proxy))
            assert await outcome(client, post(route)) == (200, b"hello")
            assert await outcome(client, post(route)) == (200, b"second")
            connect, first, _ = (head for head, _ in proxy.asked)
            assert connect == b"CONNECT provider.example:8080 HTTP/1.1\r\nhost: provider.example:8080\r\n\r\n"
            assert first.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nhost: provider.example:8080\r\n")
            assert len(proxy.wires) == 1
            await client.close()

    run(main())


def test_a_provider_behind_tls_is_reached_through_a_tunnel(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    async def main() -> None:
        client = new_client()
        authority = Authority(tmp_path_factory.mktemp("authority"))
        context: ssl.SSLContext = authority.server("provider.example")
        async with (
            Peer([ask, HELLO, ask, SECOND], context=context) as provider,
            Peer([ask, ESTABLISHED, pipe_to(provider.port)]) as proxy,
        ):
            route = route_to(
                443, scheme="https", host="provider.example", proxy=through(proxy), ca_file=authority.ca_file
            )
            assert await outcome(client, post(route)) == (200, b"hello")
            assert await outcome(client, post(route, body=bytes(1_000_000))) == (200, b"second")
            assert len(provider.wires) == len(proxy.wires) == 1
            assert proxy.asked[0][0].startswith(b"CONNECT provider.example:443 HTTP/1.1\r\n")
            assert b"host: provider.example\r\n" in provider.asked[0][0]
            stranger = route_to(
                443, scheme="https", host="other.example", proxy=through(proxy), ca_file=authority.ca_file
            )
            assert await outcome(client, post(stranger)) == (0, UpstreamUnreachable)
            await client.close()

    run(main())


def test_the_proxy_is_told_who_asks(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, ESTABLISHED, ask, HELLO]) as proxy:
            route = route_to(80, host="provider.example", proxy=through(proxy, "house:p%40ss%3A@"))
            assert await outcome(client, post(route)) == (200, b"hello")
            expected = b"proxy-authorization: Basic " + b64encode(b"house:p@ss:") + b"\r\n"
            assert expected in proxy.asked[0][0]
            assert b"authorization" not in proxy.asked[1][0]
            await client.close()

    run(main())


ACCEPTED: Mapping[str, bytes] = {
    "http-1.0": b"HTTP/1.0 200 OK\r\n\r\n",
    "201": b"HTTP/1.1 201 Created\r\nvia: x\r\n\r\n",
    "100-first": b"HTTP/1.1 100 Continue\r\n\r\n" + ESTABLISHED,
    "with-a-length-of-zero": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
}

REFUSED: Mapping[str, Script] = {
    "407": [ask, b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 4\r\n\r\nwho?"],
    "403": [ask, b"HTTP/1.1 403 Forbidden\r\n\r\n"],
    "502": [ask, b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"],
    "302": [ask, b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n"],
    "garbage": [ask, b"garbage\r\n\r\n"],
    "101": [ask, b"HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc"],
    "an-answer-nobody-asked-for": [ask, ESTABLISHED + HELLO],
    "an-answer-behind-a-length": [ask, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + HELLO],
    "endless-headers": [ask, OK, drip(b"x: " + b"y" * 1024 + b"\r\n")],
    "closed": [ask, close],
    "closed-in-its-answer": [ask, ESTABLISHED[:20], close],
    "reset": [ask, reset],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_proxy_agrees_in_several_ways(run: Run, name: str) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, ACCEPTED[name], ask, HELLO]) as proxy:
            route = route_to(80, host="provider.example", proxy=through(proxy))
            assert await outcome(client, post(route)) == (200, b"hello")
            await client.close()

    run(main())


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_connect_leaves_the_provider_unreachable(run: Run, name: str, scheme: str) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer(REFUSED[name]) as proxy:
            route = route_to(80, scheme=scheme, host="provider.example", proxy=through(proxy, "house:secret@"))
            with pytest.raises(Failure) as caught:
                await client.send(post(route))
            assert type(caught.value) is UpstreamUnreachable
            assert not any(word in caught.value.message for word in ("127.0.0.1", "secret", "example"))
            await proxy.wires[0].ended.wait()
            assert len(proxy.asked) == 1
            assert client.open_connections() == 0
            await client.close()

    run(main())


def test_a_proxy_that_says_nothing_meets_the_connect_deadline(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask]) as proxy:
            call = post(route_to(80, proxy=through(proxy)), deadlines=Deadlines(connect_ms=60))
            assert await outcome(client, call) == (0, UpstreamTimeout)
            await proxy.wires[0].ended.wait()
            await client.close()

    run(main())


def test_a_proxy_that_is_not_there_leaves_the_provider_unreachable(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([]) as proxy:
            call = post(route_to(80, proxy=through(proxy)))
        assert await outcome(client, call) == (0, UpstreamUnreachable)
        await client.close()

    run(main())


def test_a_proxy_has_a_usual_port_and_an_address_may_stand_in_brackets() -> None:
    assert (read_proxy("http://proxy.example").host, read_proxy("http://proxy.example").port) == ("proxy.example", 80)
    assert read_proxy("http://[::1]:3128/").host == "::1"


@pytest.mark.parametrize(
    "text", ["https://p:1", "socks5://p:1", "p:3128", "http://", "http://p:1/path", "http://p:1?q"]
)
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="proxy"):
        read_proxy(text)
