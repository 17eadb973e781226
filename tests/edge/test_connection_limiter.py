"""Connections are bounded, of one address and in all; whoever waits for nothing but themselves makes room."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.edge.wire_client import RawClient, get
from tests.edge.wire_server import mirror, running
from tollhouse.core.failure import Overloaded, RateLimited
from tollhouse.edge.bounds import HttpLimits
from tollhouse.edge.connection_limiter import ConnectionLimiter, places


class StubConnection:
    def __init__(self, waits_since_ns: int | None, address: str | None = None) -> None:
        self.waits_since_ns = waits_since_ns
        self.address = address
        self.ended = False

    def shutdown(self) -> None:
        self.ended = True


def test_one_address_leaves_endpoint_for_others() -> None:
    crowd = ConnectionLimiter(100, 2)
    for _ in range(2):
        crowd.enter("192.0.2.7", ())
    with pytest.raises(RateLimited, match=r"2 connections from the address 192\.0\.2\.7"):
        crowd.enter("192.0.2.7", ())
    crowd.leave("192.0.2.7")
    crowd.enter("192.0.2.8", ())
    crowd.leave("192.0.2.7")
    crowd.enter("192.0.2.7", ())


def test_addresses_of_one_ipv6_network_are_one() -> None:
    crowd = ConnectionLimiter(100, 1)
    crowd.enter("2001:db8::1", ())
    with pytest.raises(RateLimited):
        crowd.enter("2001:db8::2", ())
    crowd.enter("2001:db8:0:1::2", ())


def test_a_trusted_proxy_and_a_socket_file_bring_as_many_as_there_may_be() -> None:
    crowd = ConnectionLimiter(100, 1, trusts=lambda address: address == "10.0.0.1")
    for _ in range(10):
        crowd.enter("10.0.0.1", ())
        crowd.enter(None, ())
    for _ in range(10):
        crowd.leave("10.0.0.1")
        crowd.leave(None)


def test_where_all_places_are_taken_the_longest_wait_ends() -> None:
    crowd = ConnectionLimiter(2, 10)
    busy, fresh, old = StubConnection(None), StubConnection(200), StubConnection(100)
    crowd.enter("192.0.2.1", ())
    crowd.enter("192.0.2.2", ())
    crowd.enter("192.0.2.3", (busy, fresh, old))
    assert (busy.ended, old.ended) == (False, True)
    with pytest.raises(Overloaded):
        crowd.enter("192.0.2.4", (busy, StubConnection(None)))


def test_one_address_that_takes_all_places_makes_endpoint_itself_and_others_keep_their_idle_ones() -> None:
    crowd = ConnectionLimiter(101, 1_000)
    honest = StubConnection(1, "192.0.2.9")
    crowd.enter(honest.address, ())
    many = [StubConnection(100 + number, "192.0.2.1") for number in range(100)]
    for member in many:
        crowd.enter(member.address, ())
    crowd.enter("192.0.2.1", (honest, *many))
    assert not honest.ended
    assert [member.ended for member in many] == [True] * 26 + [False] * 74


def test_those_who_come_while_places_are_made_look_for_no_more() -> None:
    crowd, looked = ConnectionLimiter(100, 1_000), 0
    waiting = [StubConnection(number, "192.0.2.1") for number in range(100)]

    def look() -> Iterator[StubConnection]:
        nonlocal looked
        looked += 1
        yield from (member for member in waiting if not member.ended)

    for _ in range(100):
        crowd.enter("192.0.2.1", ())
    for _ in range(25):
        crowd.enter("192.0.2.2", look())
    assert (looked, sum(member.ended for member in waiting)) == (1, 25)
    for _ in range(25):
        crowd.leave("192.0.2.1")
    crowd.enter("192.0.2.2", look())
    assert looked == 2


def test_open_files_bound_the_places() -> None:
    assert places(10) == 10
    assert places(2**40) < 2**40


def test_beyond_the_bound_of_an_address_a_connection_is_told_why_and_an_old_one_goes_on() -> None:
    limits = HttpLimits(connections_per_address_max=3)
    with running(mirror, limits) as server, ExitStack() as stack:
        first, *_ = [stack.enter_context(RawClient(server.port)) for _ in range(3)]
        answer = first.send(get()).answer()
        assert answer is not None
        assert answer.status == 200
        refused = stack.enter_context(RawClient(server.port)).answer()
        assert refused is not None
        assert (refused.status, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        answer = first.send(get()).answer()
        assert answer is not None
        assert answer.status == 200


def test_idle_connections_make_endpoint_for_one_that_asks() -> None:
    limits = HttpLimits(connections_max=4, silent_seconds=60)
    with running(mirror, limits) as server, ExitStack() as stack:
        for _ in range(12):
            client = stack.enter_context(RawClient(server.port))
            answer = client.send(get()).answer()
            assert answer is not None
            assert answer.status == 200
        assert len(server.call(server.connections)) <= 5
