"""What every upstream promises (`core.upstream`), asked of both: the network, and the simulator within the process.

The same calls go to the simulator directly and, over a real socket, to a peer that answers as a simulator does.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import Peer, PeerWire, Step, ask, close, new_client, route_to, whole
from tollhouse.clock import SystemClock
from tollhouse.core.failure import UpstreamBroke, UpstreamTimeout
from tollhouse.core.upstream import Deadlines, Upstream, UpstreamRequest
from tollhouse.core.workers import InlineWorkers
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.simulator.simulator import Simulator

Stand = Callable[[], AbstractAsyncContextManager[tuple[Upstream, int]]]
"""An upstream, and the port its calls must name."""


def _simulator() -> Simulator:
    return Simulator(Tokenizer(), SystemClock(), asyncio.sleep, InlineWorkers(), InlineWorkers())


@asynccontextmanager
async def within() -> AsyncIterator[tuple[Upstream, int]]:
    yield _simulator(), 80


@asynccontextmanager
async def over_a_socket() -> AsyncIterator[tuple[Upstream, int]]:
    client = new_client()
    async with Peer([simulated(_simulator())]) as peer:
        yield client, peer.port
        await client.close()


def simulated(simulator: Simulator) -> Step:
    """Answer every request on this connection as the simulator would, chunk by chunk."""

    async def serve(wire: PeerWire) -> None:
        while True:
            await ask(wire)
            head, body = wire.asked[-1]
            lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            call = a_call(80, lines[b"x-tollhouse-simulate"].decode())
            call.body = body
            answer = await simulator.send(call)
            names = b"".join(b"%b: %b\r\n" % pair for pair in answer.headers)
            await wire.write(b"HTTP/1.1 %d .\r\ntransfer-encoding: chunked\r\n%b\r\n" % (answer.status, names))
            try:
                while piece := await answer.read():
                    await wire.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            except UpstreamBroke:
                return await close(wire)
            await wire.write(b"0\r\n\r\n")

    return serve


def a_call(port: int, script: str = "", *, stream: bool = True, deadlines: Deadlines | None = None) -> UpstreamRequest:
    flag = b"true" if stream else b"false"
    return UpstreamRequest(
        route=route_to(port),
        method=b"POST",
        target=b"/v1/chat/completions",
        headers=[(b"content-type", b"application/json"), (b"x-tollhouse-simulate", script.encode())],
        body=b'{"model":"simulator","stream":%b,"messages":[{"role":"user","content":"What does the gate say?"}]}'
        % flag,
        deadlines=deadlines or Deadlines(),
        operation="chat",
        model="simulator",
        script=script,
    )


Promise = Callable[[Upstream, int], Awaitable[None]]


async def an_answer_has_a_head_and_pieces_and_an_end(upstream: Upstream, port: int) -> None:
    for stream in (True, False):
        answer = await upstream.send(a_call(port, stream=stream))
        assert answer.status == 200
        assert all(name == name.lower() and isinstance(value, bytes) for name, value in answer.headers)
        kind = dict(answer.headers)[b"content-type"]
        assert kind.startswith(b"text/event-stream" if stream else b"application/json")
        body = await whole(answer)
        assert body.startswith(b"data: {" if stream else b"{")
        assert await answer.read() == b""


async def an_error_status_is_an_answer(upstream: Upstream, port: int) -> None:
    answer = await upstream.send(a_call(port, "status=503"))
    assert answer.status == 503
    assert b'"error"' in await whole(answer)


async def an_answer_that_breaks_off_says_so_and_keeps_saying_so(upstream: Upstream, port: int) -> None:
    answer = await upstream.send(a_call(port, "cut_after=1"))
    assert answer.status == 200
    assert (await answer.read()).startswith(b"data: {")
    for _ in range(2):
        with pytest.raises(UpstreamBroke):
            await whole(answer)


async def giving_up_ends_the_reading(upstream: Upstream, port: int) -> None:
    answer = await upstream.send(a_call(port, "chunk_ms=60000"))
    assert await answer.read()
    reading = asyncio.ensure_future(answer.read())
    await asyncio.sleep(0)
    answer.abort()
    answer.abort()
    with pytest.raises(UpstreamBroke):
        await reading
    with pytest.raises(UpstreamBroke):
        await answer.read()


async def a_late_head_is_not_waited_for(upstream: Upstream, port: int) -> None:
    with pytest.raises(UpstreamTimeout):
        await upstream.send(a_call(port, "first_byte_ms=60000", deadlines=Deadlines(first_byte_ms=50)))


async def a_silent_body_is_not_waited_for(upstream: Upstream, port: int) -> None:
    answer = await upstream.send(a_call(port, "chunk_ms=60000", deadlines=Deadlines(idle_ms=50)))
    with pytest.raises(UpstreamTimeout):
        await whole(answer)


async def a_call_has_a_total_deadline(upstream: Upstream, port: int) -> None:
    with pytest.raises(UpstreamTimeout):
        await whole(await upstream.send(a_call(port, "chunk_ms=40,tokens=1000", deadlines=Deadlines(total_ms=150))))


async def waiting_for_the_head_can_be_cancelled(upstream: Upstream, port: int) -> None:
    sending = asyncio.ensure_future(upstream.send(a_call(port, "first_byte_ms=60000")))
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def an_answer_may_be_released_at_any_time(upstream: Upstream, port: int) -> None:
    unread = await upstream.send(a_call(port))
    unread.release()
    begun = await upstream.send(a_call(port))
    assert await begun.read()
    begun.release()
    begun.release()
    ended = await upstream.send(a_call(port))
    await whole(ended)
    ended.release()
    ended.abort()
    assert (await upstream.send(a_call(port))).status == 200


PROMISES: tuple[Promise, ...] = (
    an_answer_has_a_head_and_pieces_and_an_end,
    an_error_status_is_an_answer,
    an_answer_that_breaks_off_says_so_and_keeps_saying_so,
    giving_up_ends_the_reading,
    a_late_head_is_not_waited_for,
    a_silent_body_is_not_waited_for,
    a_call_has_a_total_deadline,
    waiting_for_the_head_can_be_cancelled,
    an_answer_may_be_released_at_any_time,
)


@pytest.mark.parametrize("stand", [within, over_a_socket])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_an_upstream_keeps_its_promises(run: Run, stand: Stand, promise: Promise) -> None:
    async def main() -> None:
        async with stand() as (upstream, port):
            await promise(upstream, port)

    run(main())
