"""How answers are written: framed, whole or visibly broken, never more than a slow client takes."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator

import pytest

from tests.edge.wire_client import RawClient, WireAnswer, get, post
from tests.edge.wire_server import body_of, exchange_of, mirror, reply, running, stream
from tollhouse.core.failure import Defect, KeyRefused
from tollhouse.edge.asgi import Application, Receive, Scope, Send
from tollhouse.edge.bounds import HttpLimits

PATIENT = HttpLimits()
CHUNKED_END = b"0\r\n\r\n"


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """One way of answering a path."""
    path = scope["path"]
    if path == "/length":
        await reply(send, 200, b"hello", (b"x-own", b"1"))
    elif path == "/large":
        await reply(send, 200, b"a" * 300_000)
    elif path == "/parts":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body", "body": b"def"})
    elif path == "/chunks":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"abc", b"", b"def"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
    elif path == "/large-chunks":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"b" * 700_000})
    elif path == "/none":
        await reply(send, 204, b"")
    elif path == "/close":
        await reply(send, 200, b"hello", (b"connection", b"close"))
    elif path == "/529":
        await reply(send, 529, b"busy")


def ask(payload: bytes, *, to_head: bool = False) -> tuple[WireAnswer, bytes]:
    """The first answer, and what follows it until the connection ends."""
    with running(plain) as server, RawClient(server.port) as client:
        answer = client.send(payload).answer(to_head=to_head)
        assert answer is not None
        rest = b"" if answer.closes else client.send(get(b"/close")).until(b"\r\n\r\nhello") or b""
        assert answer.closes or rest.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not server.defects
        return answer, client.rest()


@pytest.mark.parametrize(
    ("path", "status", "framing", "body"),
    [
        (b"/length", 200, "content-length", b"hello"),
        (b"/large", 200, "content-length", b"a" * 300_000),
        (b"/large-chunks", 200, "transfer-encoding", b"b" * 700_000),
        (b"/parts", 200, "content-length", b"abcdef"),
        (b"/chunks", 200, "transfer-encoding", b"abcdef"),
        (b"/none", 204, None, b""),
        (b"/close", 200, "content-length", b"hello"),
        (b"/529", 529, "content-length", b"busy"),
    ],
)
def test_an_answer_has_one_framing_a_date_and_the_connection_goes_on(
    path: bytes, status: int, framing: str | None, body: bytes
) -> None:
    answer, rest = ask(get(path))
    assert (answer.status, answer.body, rest) == (status, body, b"")
    assert [name for name in ("content-length", "transfer-encoding") if name in answer.headers] == [framing][
        : framing is not None
    ]
    assert answer.headers["date"].endswith(" GMT")
    assert answer.closes == (path == b"/close")


@pytest.mark.parametrize("path", [b"/length", b"/chunks", b"/large"])
def test_head_has_the_headers_and_no_body(path: bytes) -> None:
    answer, rest = ask(get(path).replace(b"GET", b"HEAD"), to_head=True)
    assert (answer.status, rest) == (200, b"")
    assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("path", [b"/length", b"/chunks"])
def test_an_http_1_0_client_reads_to_the_end_of_the_connection(path: bytes) -> None:
    answer, rest = ask(b"GET " + path + b" HTTP/1.0\r\n\r\n")
    assert answer.closes
    assert "transfer-encoding" not in answer.headers
    assert (answer.body, rest) == (b"hello" if path == b"/length" else b"abcdef", b"")


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """One way of not answering a path."""
    path = scope["path"]
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    if path == "/raises":
        raise KeyError("canary")
    if path == "/raises-after-head":
        await send(head)
        raise KeyError("canary")
    if path == "/line-end-in-value":
        await reply(send, 200, b"", (b"x-own", b"a\r\nset-cookie: b"))
    elif path == "/cr-in-value":
        await reply(send, 200, b"", (b"x-own", b"a\rb"))
    elif path == "/lf-in-name":
        await reply(send, 200, b"", (b"x-own\n", b"a"))
    elif path == "/longer-than-announced":
        await send(head)
        await send({"type": "http.response.body", "body": b"abcdef"})
    elif path == "/body-before-head":
        await send({"type": "http.response.body", "body": b"abcdef"})
    elif path == "/short":
        await send(head)
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
    elif path == "/short-and-says-so":
        await send(head)
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body"})
    elif path == "/stream-ends-early":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        raise KeyError("canary")


@pytest.mark.parametrize(
    "path",
    [
        "/says-nothing",
        "/raises",
        "/raises-after-head",
        "/line-end-in-value",
        "/cr-in-value",
        "/lf-in-name",
        "/longer-than-announced",
        "/body-before-head",
    ],
)
def test_a_defect_before_the_first_byte_is_a_500_that_tells_nothing(path: str) -> None:
    with running(broken) as server, RawClient(server.port) as client:
        answer = client.send(get(path.encode())).answer()
        assert answer is not None
        assert (answer.status, answer.json()["error"]["code"]) == (500, "server_error")
        assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
        assert b"canary" not in answer.body
        assert client.rest() == b""
        assert len(server.defects) == 1


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("path", [b"/short", b"/short-and-says-so", b"/stream-ends-early"])
def test_an_answer_that_breaks_off_never_looks_whole(path: bytes, version: bytes) -> None:
    """Not even to a client that takes the end of the connection for the end of the answer: it sees a reset."""
    with running(broken) as server, RawClient(server.port) as client:
        client.send(get(path).replace(b"HTTP/1.1", b"HTTP/" + version))
        found = client.rest()
        assert client.was_reset
        assert not found.endswith(CHUNKED_END)
        assert len(server.defects) == 1


def test_a_failure_that_an_application_lets_through_is_told_in_the_dialect_of_the_path() -> None:
    async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyRefused("no such key")

    with running(refuses) as server:
        with RawClient(server.port) as client:
            answer = client.send(post(b"abc", path=b"/v1/chat/completions")).answer()
            assert answer is not None
            assert (answer.status, answer.json()["error"]["code"]) == (401, "invalid_api_key")
        with RawClient(server.port) as client:
            answer = client.send(post(b"abc", path=b"/v1/messages")).answer()
            assert answer is not None
            assert (answer.status, answer.json()["error"]["type"]) == (401, "authentication_error")
        assert not server.defects


def test_garbage_behind_a_stream_is_never_written_into_it() -> None:
    sent_on = threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            await asyncio.to_thread(sent_on.wait)
            yield b"two"

        await stream(send, pieces())

    with running(slow, PATIENT) as server, RawClient(server.port) as client:
        client.send(get(b"/stream"))
        assert client.until(b"one \r\n") is not None
        client.send(b"\x00\xffGARBAGE\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")
        sent_on.set()
        assert client.until(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"
        answer = client.answer()
        assert answer is not None
        assert answer.status == 400
        assert client.rest() == b""


def test_requests_sent_ahead_are_answered_in_order() -> None:
    with running(mirror) as server, RawClient(server.port) as client:
        client.send(b"".join(post(b"%d" % n, path=b"/%d" % n) for n in range(500)))
        for n in range(500):
            answer = client.answer()
            assert answer is not None
            assert (answer.json()["path"], answer.json()["start"]) == (f"/{n}", str(n))


def test_whoever_takes_no_answers_is_given_no_further_ones() -> None:
    """1,000 requests for 300 kB each, sent ahead: what is held for the client stays small until he reads."""
    served = 0

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal served
        served += 1
        await reply(send, 200, b"a" * 300_000)

    with running(large, PATIENT) as server, RawClient(server.port) as client:
        client.send(get() * 1000)
        answer = client.answer()
        assert answer is not None
        assert served < 100
        for _ in range(999):
            answer = client.answer()
            assert answer is not None
            assert len(answer.body) == 300_000
        assert served == 1000


def test_whoever_asked_ahead_and_closed_his_side_gets_every_answer() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, b"a" * 300_000)

    with running(large, PATIENT) as server, RawClient(server.port) as client:
        client.send(get() * 100).shut()
        server.until(lambda: [c for c in server.connections() if c.flow.write_paused])
        for _ in range(100):
            answer = client.answer()
            assert answer is not None
            assert len(answer.body) == 300_000
        assert client.rest() == b""
        assert not client.was_reset


def test_a_slow_reader_makes_the_application_wait() -> None:
    """200 MB to a client that reads nothing: the application is stopped long before, and goes on when he reads."""
    sent = 0
    piece = b"a" * 50_000

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(4000):
                sent += len(piece)
                yield piece

        await stream(send, pieces())

    with running(endless, PATIENT) as server, RawClient(server.port) as client:
        client.send(get())
        assert client.until(b"\r\n\r\n") is not None
        held = server.call(lambda: max(c.transport.get_write_buffer_size() for c in server.connections()))
        assert sent < 20_000_000  # the system's own socket buffers take some
        assert held < 200_000
        assert client.rest_of_chunks() == 200_000_000


@pytest.mark.parametrize("close", [b"", b"connection: close"], ids=["kept", "closed"])
@pytest.mark.parametrize("reads", [True, False])
def test_a_buffered_answer_is_over_when_its_client_has_taken_it(close: bytes, reads: bool) -> None:
    """20 answers of 6 MB that nobody read left their places free, and 150 MB in memory for 300 s."""
    over = threading.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, b"a" * 30_000_000)
        over.set()

    with running(large, PATIENT) as server:
        with RawClient(server.port) as client:
            client.send(get(b"/", close) if close else get())
            assert client.until(b"\r\n\r\n") is not None
            assert not over.is_set()
            if reads:
                assert len(client.exactly(30_000_000) or b"") == 30_000_000
                assert over.wait(20)
        assert over.wait(20), "a client that left takes nothing more"


def test_the_application_can_leave_a_body_unread_and_the_connection_goes_on() -> None:
    """The body came with the head, so there is nothing to wait for."""

    async def blind(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, b"{}")

    with running(blind) as server, RawClient(server.port) as client:
        for _ in range(3):
            answer = client.send(post(b"a" * 1000)).answer()
            assert answer is not None
            assert not answer.closes


async def fast_forward(scope: Scope, receive: Receive, send: Send) -> None:
    await reply(send, 401, b"no")


@pytest.mark.parametrize(("app", "path"), [(mirror, b"/refused"), (fast_forward, b"/")])
def test_an_answer_before_the_end_of_a_large_body_can_be_read(app: Application, path: bytes) -> None:
    """A reset would overtake the answer; the rest of the body is taken and dropped instead."""
    with running(app) as server, RawClient(server.port) as client:
        answer = client.send(post(b"a" * 20_000_000, path=path)).answer()
        assert answer is not None
        assert (answer.status, answer.closes) == (401, True)
        assert client.rest() == b""
        assert not client.was_reset


def test_a_large_body_arrives_whole_and_its_sender_waits_for_its_reader() -> None:
    held: list[int] = []

    async def reader(scope: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        for _ in range(1000):
            held.append(exchange_of(scope).body_held)
            await asyncio.sleep(0)
        body = await body_of(receive)
        assert body is not None
        await reply(send, 200, json.dumps(len(first["body"]) + len(body)).encode())

    with running(reader, PATIENT) as server, RawClient(server.port) as client:
        answer = client.send(post(b"a" * 30_000_000)).answer()
        assert answer is not None
        assert answer.json() == 30_000_000
        assert 0 < max(held) < 1_000_000


def test_headers_reach_the_application_as_they_came() -> None:
    with running(mirror) as server, RawClient(server.port) as client:
        answer = client.send(get("/é?a=é".encode(), b"X-A: \t b \t", b"x-a: c", b"X-Empty:")).answer()
        assert answer is not None
        assert answer.json() | {"length": 0} == {
            "method": "GET",
            "path": "/é",
            "raw_path": "/é".encode().decode("latin-1"),
            "query": "a=%C3%A9",
            "length": 0,
            "start": "",
            "headers": [["host", "x"], ["x-a", "b"], ["x-a", "c"], ["x-empty", ""]],
        }


def test_trailers_are_dropped() -> None:
    with running(mirror) as server, RawClient(server.port) as client:
        payload = (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nAuthorization: b\r\n\r\n"
        )
        answer = client.send(payload).answer()
        assert answer is not None
        assert "authorization" not in dict(answer.json()["headers"])


def test_an_application_that_answers_twice_is_a_defect_and_its_client_does_not_notice() -> None:
    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, b"once")
        await send({"type": "http.response.body", "body": b"again"})

    with running(twice) as server, RawClient(server.port) as client:
        for _ in range(2):
            answer = client.send(get()).answer()
            assert answer is not None
            assert answer.body == b"once"
        server.call(lambda: None)  # the application has run on by now
        assert [type(defect) for defect in server.defects] == [Defect, Defect]
