"""Where a provider's address may lead: judged by its text, and again by the address that would be dialled."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import OK, Peer, ask, new_client, outcome, post, route_to
from tollhouse.clock import SystemClock
from tollhouse.core.failure import UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.upstream import Deadlines, UpstreamRoute
from tollhouse.upstream.address import NO_METADATA, NO_PRIVATE, forbidden, read_base_url
from tollhouse.upstream.resolve import Resolver

HELLO = OK + b"content-length: 5\r\n\r\nhello"

METADATA = (
    "169.254.169.254",
    "169.254.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
)
PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "0.0.0.0",
    "::",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12:3456::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
)
PUBLIC = ("93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


def rules(allow_private: bool, *allow_networks: str) -> UpstreamRoute:
    return UpstreamRoute(scheme="http", host="x", port=80, allow_private=allow_private, allow_networks=allow_networks)


@pytest.mark.parametrize("address", METADATA)
def test_metadata_needs_its_own_entry(address: str) -> None:
    assert forbidden(address, rules(True)) == NO_METADATA
    assert forbidden(address, rules(False)) == NO_METADATA
    assert forbidden(address, rules(True, "10.0.0.0/8")) == NO_METADATA
    plain = address.partition("%")[0]
    assert forbidden(address, rules(False, plain)) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_are_open_to_who_may(address: str) -> None:
    assert forbidden(address, rules(True)) is None
    assert forbidden(address, rules(False)) == NO_PRIVATE
    assert forbidden(address, rules(False, address)) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open_to_all(address: str) -> None:
    assert forbidden(address, rules(False)) is None


def test_an_allowed_network_holds_for_the_same_address_in_another_dress() -> None:
    assert forbidden("::ffff:10.1.2.3", rules(False, "10.0.0.0/8")) is None
    assert forbidden("::ffff:10.1.2.3", rules(False, "192.168.0.0/16")) == NO_PRIVATE


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        ("https://api.example.com/v1", "https", "api.example.com", 443, "/v1"),
        ("https://api.example.com/v1/", "https", "api.example.com", 443, "/v1"),
        ("HTTPS://API.Example.com:8443", "https", "api.example.com", 8443, ""),
        ("http://127.0.0.1:11434/", "http", "127.0.0.1", 11434, ""),
        ("http://localhost:8000/a/b%20c", "http", "localhost", 8000, "/a/b%20c"),
        ("http://[::1]:8000/v1", "http", "::1", 8000, "/v1"),
        ("http://[0:0:0:0:0:0:0:1]/v1", "http", "::1", 80, "/v1"),
        ("https://bücher.example/v1", "https", "xn--bcher-kva.example", 443, "/v1"),
        ("https://my_llm.internal/v1", "https", "my_llm.internal", 443, "/v1"),
        ("https://resource.openai.azure.com/openai", "https", "resource.openai.azure.com", 443, "/openai"),
    ],
)
def test_a_base_url_becomes_a_route_and_a_path(text: str, scheme: str, host: str, port: int, path: str) -> None:
    route, prefix = read_base_url(text)
    assert (route.scheme, route.host, route.port, prefix) == (scheme, host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com/v1",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://:443/v1",
        "https://user:hunter2@api.example.com/v1",
        "https://user@api.example.com/v1",
        "https://api.example.com@127.0.0.1/v1",
        "https://api.example.com/v1?key=x",
        "https://api.example.com/v1#x",
        "https://api.example.com#@127.0.0.1/",
        "https://api.example.com:0/v1",
        "https://api.example.com:99999/v1",
        "https://api.example.com:port/v1",
        "https://api.example.com\\@127.0.0.1/v1",
        "https://api.exa mple.com/v1",
        "https://api.example.com/v1\r\nhost: x",
        "https://api.example.com/v1\t",
        "https://api..example.com/v1",
        "https://api.example.com/\N{SNOWMAN}",
        "https://exa%6dple.com/v1",
        "http://[::1/v1",
        "http://[fe80::1%25eth0]/v1",
        "http://[::ffff:127.0.0.1]x/v1",
        "http://x[::1]/v1",
        "http://[127.0.0.1]/v1",
        "http://api.example.com:/v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://127.1/v1",
        "http://0177.0.0.1/v1",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/latest",
        "http://[fd00:ec2::254]/latest",
        "http://metadata.google.internal/computeMetadata",
        "http://METADATA.google.internal./computeMetadata",
        "http://metadata/v1",
    ],
)
def test_what_is_no_base_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base_url|address") as caught:
        read_base_url(text)
    assert "hunter2" not in str(caught.value)


def test_the_rules_travel_with_the_route_and_are_read_with_it() -> None:
    metadata = "http://169.254.169.254/v1"
    assert read_base_url(metadata, allow_networks=("169.254.169.254/32",))[0].host == "169.254.169.254"
    assert read_base_url("http://metadata/", allow_networks=("169.254.0.0/16",))[0].host == "metadata"
    with pytest.raises(ValueError, match="not public"):
        read_base_url("http://127.0.0.1/v1", allow_private=False)
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        read_base_url("http://127.0.0.1/v1", allow_networks=("10.0.0.1/8",))
    with pytest.raises(ValueError, match="proxy"):
        read_base_url("http://127.0.0.1/v1", proxy="socks5://127.0.0.1:1")


class Names:
    """A resolver that gives what it is told, one list per look-up; the last one stays."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"])
def test_a_name_that_leads_to_a_metadata_service_is_not_dialled(run: Run, address: str) -> None:
    async def main() -> None:
        client = new_client(look_up=Names([address]))
        with pytest.raises(UpstreamUnreachable) as caught:
            await client.send(post(route_to(80, host="innocent.example")))
        assert caught.value.message == NO_METADATA
        assert client.open_connections() == 0
        await client.close()

    run(main())


def test_a_name_that_leads_inside_is_not_dialled_for_who_may_not(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask, HELLO]) as peer:
            client = new_client(look_up=Names(["127.0.0.1"]))
            outside = route_to(peer.port, host="innocent.example", allow_private=False)
            assert await outcome(client, post(outside)) == (0, UpstreamUnreachable)
            assert not peer.wires
            named = route_to(peer.port, host="innocent.example", allow_private=False, allow_networks=("127.0.0.1/32",))
            assert await outcome(client, post(named)) == (200, b"hello")
            assert b"host: innocent.example:%d\r\n" % peer.port in peer.asked[0][0]
            await client.close()

    run(main())


def test_of_several_addresses_only_the_allowed_are_dialled(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask, HELLO]) as peer:
            client = new_client(look_up=Names(["169.254.169.254", "127.0.0.1"]))
            assert await outcome(client, post(route_to(peer.port, host="both.example"))) == (200, b"hello")
            await client.close()

    run(main())


def test_a_name_that_changes_its_mind_is_judged_again(run: Run) -> None:
    """The first answer is harmless, the second is not: each new connection is judged by the address it dials."""

    async def main() -> None:
        clock = LookupClock()
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        resolver = Resolver(clock, names)
        assert await resolver.addresses("rebinding.example", 80) == ["127.0.0.1"]
        assert await resolver.addresses("rebinding.example", 80) == ["127.0.0.1"]
        clock.ns += 5_000_000_000
        assert await resolver.addresses("rebinding.example", 80) == ["169.254.169.254"]
        assert names.asked == 2

    run(main())


class LookupClock(SystemClock):
    """Ticks only when told to."""

    def __init__(self) -> None:
        self.ns = 0

    def ticks_ns(self) -> int:
        return self.ns


def test_a_metadata_address_behind_a_proxy_is_not_asked_for(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask]) as proxy:
            client = new_client()
            for host in ("169.254.169.254", "metadata.google.internal"):
                call = post(route_to(80, host=host, proxy=f"http://127.0.0.1:{proxy.port}"))
                assert await outcome(client, call) == (0, UpstreamUnreachable)
            call = post(route_to(80, host="provider.example", proxy="http://169.254.169.254:3128"))
            assert await outcome(client, call) == (0, UpstreamUnreachable)
            assert not proxy.wires
            await client.close()

    run(main())


def test_a_name_without_an_address_is_unreachable_and_asked_again_next_time(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask, HELLO]) as peer:
            unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            client = new_client(look_up=Names(unknown, [], ["127.0.0.1"]))
            call = post(route_to(peer.port, host="late.example"))
            assert await outcome(client, call) == (0, UpstreamUnreachable)
            assert await outcome(client, call) == (0, UpstreamUnreachable)
            await client.close()

    run(main())


def test_a_real_name_resolves(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask, HELLO]) as peer:
            client = new_client()
            assert await outcome(client, post(route_to(peer.port, host="localhost"))) == (200, b"hello")
            await client.close()

    run(main())


def test_the_next_address_is_tried_when_one_refuses(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask, HELLO]) as peer:
            client = new_client(look_up=Names(["127.0.0.2", "127.0.0.1"]))
            assert await outcome(client, post(route_to(peer.port, host="two.example"))) == (200, b"hello")
            await client.close()

    run(main())


@contextmanager
def deaf(address: str, port: int) -> Iterator[None]:
    """A port that lets nobody in: its line is full, so that a connection attempt gets no answer at all."""
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(0)
        for _ in range(4):
            filling = sockets.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex((address, port))
        yield


def test_the_next_address_is_tried_when_one_says_nothing(run: Run) -> None:
    async def main() -> None:
        async with Peer([ask, HELLO]) as peer:
            with deaf("127.0.0.2", peer.port):
                client = new_client(look_up=Names(["127.0.0.2", "127.0.0.1"]))
                call = post(route_to(peer.port, host="two.example"), deadlines=Deadlines(connect_ms=1000))
                assert await outcome(client, call) == (200, b"hello")
                await client.close()

    run(main())


def test_a_provider_that_lets_nobody_in_meets_the_connect_deadline(run: Run) -> None:
    async def main() -> None:
        async with Peer([]) as peer:
            with deaf("127.0.0.2", peer.port):
                client = new_client()
                call = post(route_to(peer.port, host="127.0.0.2"), deadlines=Deadlines(connect_ms=60))
                assert await outcome(client, call) == (0, UpstreamTimeout)
                assert client.open_connections() == 0
                await client.close()

    run(main())
