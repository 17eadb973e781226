"""Every odd request gets a JSON error or a closed connection, never a 5xx; the next one still means the same."""

import json
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.edge import wire_body_cases, wire_cases
from tests.edge.wire_cases import CLOSED, WireCase
from tests.edge.wire_client import RawClient, WireAnswer, chunked, get
from tests.edge.wire_server import Running, mirror, running
from tollhouse.edge.bounds import HttpLimits

CASES: tuple[WireCase, ...] = tuple(
    chain(
        wire_cases.REQUEST_LINES,
        wire_cases.TARGETS,
        wire_cases.HOSTS,
        wire_cases.FIELDS,
        wire_cases.STRANGERS,
        wire_body_cases.LENGTHS,
        wire_body_cases.CODINGS,
        wire_body_cases.CHUNKS,
        wire_body_cases.OFFERS,
        wire_body_cases.STOPPED,
    )
)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(mirror) as found:
        yield found
    assert not found.defects


def is_error_in_shape(answer: WireAnswer) -> bool:
    error = answer.json()["error"]
    request_id = answer.headers["x-request-id"]
    return (
        answer.headers["content-type"] == "application/json"
        and isinstance(error["message"], str)
        and len(error["message"]) > 10
        and {"type", "param", "code"} <= error.keys()
        and request_id.startswith("req_")
        and len(request_id) == 30
        and answer.headers["request-id"] == request_id
        and answer.headers["access-control-allow-origin"] == "*"
        and answer.closes
    )


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150
    assert len({case.payload for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_odd_request_is_refused_or_served_and_the_next_one_means_the_same(server: Running, case: WireCase) -> None:
    with RawClient(server.port) as client:
        answer = client.send(case.payload).answer()
        if answer is None:
            assert CLOSED in case.statuses
            return
        assert answer.status in case.statuses, answer
        if answer.status >= 400:
            assert is_error_in_shape(answer)
        elif case.path is not None:
            assert answer.json()["path"] == case.path
        if answer.closes:
            assert client.rest() == b""
            return
        second = client.send(get(b"/second")).answer()
        assert second is not None
        assert (second.status, second.json()["path"], second.json()["length"]) == (200, "/second", 0)
        assert client.send(get(b"/third", b"Connection: close")).answer() is not None
        assert client.rest() == b""


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_sent_behind_an_odd_request_is_never_taken_for_its_part(server: Running, case: WireCase) -> None:
    """In one piece: what is answered is in order, nothing follows a refusal, nothing smuggled runs."""
    with RawClient(server.port) as client:
        client.send(case.payload + get(b"/second") + get(b"/last", b"Connection: close"))
        answers: list[WireAnswer] = []
        while (answer := client.answer()) is not None:
            answers.append(answer)
        assert all(answer.status < 500 for answer in answers)
        assert all(is_error_in_shape(answer) for answer in answers if answer.status >= 400)
        assert all(answer.status < 400 for answer in answers[:-1])
        paths = [answer.json()["path"] for answer in answers if answer.status < 400]
        assert "/smuggled" not in paths
        if answers and case.statuses == {200} and not answers[0].closes:
            assert paths[1:] == ["/second", "/last"]
        elif 200 not in case.statuses:
            assert "/second" not in paths or case.payload == b"" or case.payload == b"\r\n"


@pytest.mark.parametrize(
    ("payload", "statuses"),
    [
        (b"GE", [400]),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", [400]),
        (get(b"/one"), [200]),
        (get(b"/one") + get(b"/two"), [200, 200]),
        (get(b"/one") + b"GET /t", [200, 400]),
        (wire_body_cases.length(b" 10"), []),
        (chunked(b"3\r\na"), []),
        (get(b"/one") + wire_body_cases.length(b" 10"), [200]),
        (chunked(b"3\r\nabc\r\n0\r\n\r\n") + get(b"/two"), [200, 200]),
        (b"", []),
    ],
)
def test_a_client_that_closes_its_side_is_still_answered(server: Running, payload: bytes, statuses: list[int]) -> None:
    with RawClient(server.port) as client:
        client.send(payload).shut()
        found = []
        while (answer := client.answer()) is not None:
            found.append(answer.status)
        assert found == statuses


def test_a_request_means_the_same_wherever_it_is_cut(server: Running) -> None:
    payload = chunked(b"3;x\r\na\r\n\r\n2\r\nbc\r\n0\r\nT: u\r\n\r\n", path="/é".encode()) + get(b"/second")
    with RawClient(server.port) as whole:
        expected = [whole.send(payload).answer(), whole.answer()]
        assert [json.loads(answer.body)["path"] for answer in expected if answer] == ["/é", "/second"]
    for cut in range(1, len(payload)):
        with RawClient(server.port) as client:
            client.send(payload[:cut])
            server.call(lambda: None)  # so that the pieces are not read as one
            client.send(payload[cut:])
            answers = [client.answer(), client.answer()]
            assert [answer and answer.body for answer in answers] == [answer and answer.body for answer in expected]


@pytest.mark.parametrize(
    "payload",
    [
        b"GET /\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nHost: x\n",
        b"GET / HTTP/1.1\r\nHost: x\rA",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00",
        b"\x16",
    ],
)
def test_what_cannot_become_a_request_is_refused_before_its_end_wherever_it_is_cut(payload: bytes) -> None:
    """Nobody waits for the time of a slow client, which is longer here than the test's patience."""
    with running(mirror, HttpLimits(header_seconds=3600)) as server:
        for cut in range(len(payload)):
            with RawClient(server.port) as client:
                for piece in (payload[:cut], payload[cut:]):
                    client.send(piece)
                    server.call(lambda: None)
                answer = client.answer()
                assert answer is not None
                assert answer.status == 400
        with RawClient(server.port) as client:
            for byte in payload:
                client.send(bytes([byte]))
                server.call(lambda: None)
            answer = client.answer()
            assert answer is not None
            assert answer.status == 400


def test_no_message_repeats_what_the_client_sent(server: Running) -> None:
    """It may be a key."""
    for payload in (
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : canary\r\n\r\n",
        b"canary\r\n\r\n",
        get(b"/", b"canary"),
    ):
        with RawClient(server.port) as client:
            assert b"canary" not in client.send(payload).rest()
