"""TLS: whom the client believes, and how an encrypted answer ends."""

import os
import socket
import ssl
from datetime import UTC, datetime

import pytest

from tests.upstream.certificates import Authority
from tests.upstream.conftest import Run
from tests.upstream.hostile import (
    OK,
    SECOND,
    Peer,
    PeerWire,
    Script,
    ask,
    close,
    flood,
    new_client,
    outcome,
    post,
    reset,
    route_to,
    settle,
    until,
    whole,
)
from tests.upstream.test_backpressure import BETWEEN_BYTES_MAX
from tollhouse.core.failure import UpstreamBroke, UpstreamUnreachable
from tollhouse.upstream.tls import Contexts

HELLO = OK + b"content-length: 5\r\n\r\nhello"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    return authority.server("localhost", "127.0.0.1")


async def cut_off(wire: PeerWire) -> None:
    """End the TCP connection under TLS: FIN without a close_notify, as an attacker or a crash would."""
    with socket.socket(fileno=os.dup(wire.writer.get_extra_info("socket").fileno())) as underneath:
        underneath.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_authority_of_ones_own_is_believed(
    run: Run, authority: Authority, context: ssl.SSLContext, host: str
) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO, ask, SECOND], context=context) as peer:
            call = post(route_to(peer.port, scheme="https", host=host, ca_file=authority.ca_file))
            assert await outcome(client, call) == (200, b"hello")
            assert await outcome(client, call) == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


@pytest.mark.parametrize("trusted", ["system", "another", "unreadable", "missing"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    run: Run, context: ssl.SSLContext, tmp_path_factory: pytest.TempPathFactory, trusted: str
) -> None:
    async def main() -> None:
        client = new_client()
        folder = tmp_path_factory.mktemp("other")
        ca_file = {
            "system": None,
            "another": Authority(folder).ca_file,
            "unreadable": str(folder / "empty.pem"),
            "missing": str(folder / "none.pem"),
        }[trusted]
        (folder / "empty.pem").touch()
        async with Peer([ask, HELLO], context=context) as peer:
            call = post(route_to(peer.port, scheme="https", host="localhost", ca_file=ca_file))
            assert await outcome(client, call) == (0, UpstreamUnreachable)
            assert not peer.asked
            assert client.open_connections() == 0
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("names", "end", "words"),
    [
        (["elsewhere.example"], datetime(2100, 1, 1, tzinfo=UTC), "it belongs to another host name"),
        (["localhost"], datetime(2021, 1, 1, tzinfo=UTC), "it has expired"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused_in_words_that_name_no_host(
    run: Run, authority: Authority, names: list[str], end: datetime, words: str
) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO], context=authority.server(*names, end=end)) as peer:
            call = post(route_to(peer.port, scheme="https", host="localhost", ca_file=authority.ca_file))
            with pytest.raises(UpstreamUnreachable) as caught:
                await client.send(call)
            assert caught.value.message == f"the provider's certificate was not accepted: {words}"
            assert not peer.asked
            await client.close()

    run(main())


def test_a_provider_that_speaks_no_tls_is_unreachable(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([b"HTTP/1.1 400 Bad Request\r\n\r\n"], [close]) as peer:
            for _ in range(2):
                call = post(route_to(peer.port, scheme="https"))
                assert await outcome(client, call) == (0, UpstreamUnreachable)
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        ([OK + b"\r\nhello", close], b"hello"),
        ([OK + b"\r\nhello", settle, cut_off], UpstreamBroke),
        ([OK + b"\r\nhello", settle, reset], UpstreamBroke),
        ([OK + b"content-length: 9\r\n\r\nhello", settle, cut_off], UpstreamBroke),
        ([OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", close], UpstreamBroke),
    ],
    ids=["until-close-notify", "until-fin", "until-rst", "sized-and-cut-off", "chunked-and-closed"],
)
def test_only_a_close_notify_ends_an_answer_without_a_length(
    run: Run, authority: Authority, context: ssl.SSLContext, served: Script, expected: object
) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, *served], [ask, SECOND], context=context) as peer:
            call = post(route_to(peer.port, scheme="https", ca_file=authority.ca_file))
            assert await outcome(client, call) == (200, expected)
            assert await outcome(client, call) == (200, b"second")
            await client.close()

    run(main())


def test_what_holds_for_plain_connections_holds_here(run: Run, authority: Authority, context: ssl.SSLContext) -> None:
    """A large request arrives, an unread flood is stopped, giving up closes at once."""

    async def main() -> None:
        client = new_client()
        body = bytes(range(256)) * 10_000
        head = OK + b"content-length: 60000000\r\n\r\n"
        async with Peer([ask, HELLO, ask, head, flood(bytes(60_000), 1000)], context=context) as peer:
            route = route_to(peer.port, scheme="https", ca_file=authority.ca_file)
            assert await outcome(client, post(route, body=body)) == (200, b"hello")
            assert peer.asked[0][1] == body
            answer = await client.send(post(route))
            wire = peer.wires[0]
            turns = 0
            while turns < 500:
                before = wire.written
                await settle(wire)
                turns = turns + 20 if wire.written == before else 0
            assert wire.written < BETWEEN_BYTES_MAX
            answer.abort()
            await wire.ended.wait()
            await until(lambda: not client.open_connections())
            await client.close()

    run(main())


def test_a_large_answer_arrives_whole(run: Run, authority: Authority, context: ssl.SSLContext) -> None:
    async def main() -> None:
        client = new_client()
        head = OK + b"content-length: 6000000\r\n\r\n"
        async with Peer([ask, head, flood(bytes(60_000), 100), ask, SECOND], context=context) as peer:
            call = post(route_to(peer.port, scheme="https", ca_file=authority.ca_file))
            assert len(await whole(await client.send(call))) == 6_000_000
            assert await outcome(client, call) == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


def test_nothing_older_than_tls_1_2_is_spoken_and_nothing_but_verified() -> None:
    contexts = Contexts()
    context = contexts.read(None)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert contexts.get(None) is context
