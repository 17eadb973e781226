"""The ports' promises, asked of each fake and of the real part: a fake that promises more would hide a defect.

`test_codec_port.py` asks those of the codecs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from msgspec import structs

from tests.edge.recorded_connection import RecordedConnection
from tests.gateway.fakes import (
    NOW_MS,
    FakeCallerConnection,
    FakeClock,
    FakeKeyDirectory,
    FakeRateLimiter,
    FakeUpstream,
    FakeUsageRecorder,
    Piece,
    ScriptedResponse,
    identity,
)
from tests.gateway.harness import LIVE, TEST, run
from tests.limits.at_once import at_once
from tests.store import samples
from tests.upstream.hostile import OK, Peer, Step, ask, close, new_client, post, reset, route_to, settle, whole
from tollhouse.access import secrets
from tollhouse.access.directory import Directory
from tollhouse.core.account import Identity
from tollhouse.core.catalogue import Catalogue, Model, Plan
from tollhouse.core.failure import Overloaded, RateLimited, UpstreamBroke, UpstreamUnreachable
from tollhouse.core.limit_headers import limit_headers
from tollhouse.core.upstream import Upstream
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.connection import CallerConnection, ClientDisconnected
from tollhouse.gateway.ports import KeyDirectory, RateLimiter, UsageRecorder
from tollhouse.limits.rate_limiter import InMemoryRateLimiter
from tollhouse.store.database import Store, open_store
from tollhouse.store.tables import SqlRepositories

# The ledger: what was committed is there, once, when `commit` returns; what cannot be written raises.


Shelf = tuple[UsageRecorder, Callable[[], list[UsageRecord]], Callable[[], Awaitable[None]]]
"""A ledger, what it keeps, and what makes it unable to write."""


@asynccontextmanager
async def fake_ledger(folder: Path) -> AsyncIterator[Shelf]:
    ledger = FakeUsageRecorder()

    async def fail() -> None:
        ledger.failing = True

    yield ledger, lambda: ledger.records, fail


@asynccontextmanager
async def writer(folder: Path) -> AsyncIterator[Shelf]:
    url = f"sqlite:///{folder}/tollhouse.db"
    store = open_store(url, create=True, clock=FakeClock())

    yield store.writer, lambda: _kept(store), store.writer.close
    await store.close()


def _kept(store: Store) -> list[UsageRecord]:
    with store.engines.reading.begin() as connection:
        return SqlRepositories(connection).requests.page(before=None, limit=100)


@pytest.mark.parametrize("stand", [fake_ledger, writer])
def test_a_ledger_keeps_its_promises(
    stand: Callable[[Path], AbstractAsyncContextManager[Shelf]],
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with stand(tmp_path) as (ledger, kept, fail):
            await ledger.commit(samples.request(1))
            assert [one.id for one in kept()] == ["req_1"], "durable when commit returns"
            await asyncio.gather(*(ledger.commit(samples.request(number)) for number in range(2, 9)))
            assert sorted(one.id for one in kept()) == [f"req_{number}" for number in range(1, 9)]
            assert structs.asdict(next(one for one in kept() if one.id == "req_3")) == structs.asdict(
                samples.request(3)
            )
            await fail()
            with pytest.raises(Overloaded):
                await ledger.commit(samples.request(9))

    run(main())


# Keys: found by the digest of the whole secret, and by nothing less.


def directory(*identities: Identity) -> Directory:
    first = identities[0]
    return Directory([first.account], [first.project], [one.key for one in identities])


@pytest.mark.parametrize("made", [FakeKeyDirectory, directory])
def test_keys_keep_their_promises(made: Callable[..., KeyDirectory]) -> None:
    live, test = identity(LIVE), identity(TEST, "test")
    keys = made(live, test)
    assert keys.find(secrets.digest(LIVE)) == live
    assert keys.find(secrets.digest(TEST)) == test
    for other in (LIVE[:-1], LIVE + "0", LIVE.lower(), ""):
        assert keys.find(secrets.digest(other)) is None
    assert keys.find(secrets.digest(LIVE)[:-1]) is None
    keys.used(live, "curl 8.5", NOW_MS)
    assert keys.find(secrets.digest(LIVE)) == live
    assert keys.last_uses == {"key_live": (NOW_MS, "curl 8.5")}  # type: ignore[attr-defined]


# Limits: a call inside holds its place until it is released; a refused one leaves no trace.


def gate(most: int) -> InMemoryRateLimiter:
    catalogue = Catalogue(plans={"default": Plan(id="default", parallel_requests=most, requests_per_minute=1000)})
    return InMemoryRateLimiter(lambda: catalogue)


@pytest.mark.parametrize("made", [FakeRateLimiter, gate])
def test_limits_keep_their_promises(made: Callable[[int], RateLimiter]) -> None:
    limits, who, model = made(2), identity(LIVE), Model(id="house-1")

    def used() -> object:
        standing = {one["name"]: one for one in at_once(limits.status(who, NOW_MS))}["parallel_requests"]
        assert standing["level"] == "account"
        assert standing["limit"] == 2
        return standing["used"], standing["remaining"]

    assert used() == (0, 2)
    first = at_once(limits.admit(who, model, 100, NOW_MS, limit_headers))
    second = at_once(limits.admit(who, model, 100, NOW_MS, limit_headers))
    assert used() == (2, 0)
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            at_once(limits.admit(who, model, 100, NOW_MS, limit_headers))
        assert caught.value.retry_after_ms is not None
    assert used() == (2, 0)
    assert all(name.startswith(b"x-ratelimit-") for name, _ in first.headers(NOW_MS))
    at_once(first.release(Usage(), NOW_MS))
    assert used() == (1, 1)
    at_once(at_once(limits.admit(who, model, 100, NOW_MS, limit_headers)).release(Usage(output=5), NOW_MS))
    at_once(second.release(Usage(), NOW_MS))
    assert used() == (0, 2)


# The upstream: one answer a call, its pieces in order, and an end that says how it ended. (The promises with a clock
# in them are asked of the network and of the simulator in the upstream's own tests.)

Script = Sequence[bytes | UpstreamBroke]


@asynccontextmanager
async def played(status: int, script: Script) -> AsyncIterator[tuple[Upstream, int]]:
    pieces: list[Piece] = [*script]
    yield FakeUpstream(ScriptedResponse(status=status, headers=[(b"content-type", b"text/plain")], pieces=pieces)), 80


@asynccontextmanager
async def over_a_socket(status: int, script: Script) -> AsyncIterator[tuple[Upstream, int]]:
    head = OK.replace(b"200", b"%d" % status) + b"content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    steps: list[Step] = [ask, head]
    for piece in script:
        steps += [settle, b"%x\r\n%b\r\n" % (len(piece), piece)] if isinstance(piece, bytes) else [settle, reset]
    client = new_client()
    async with Peer([*steps, b"0\r\n\r\n", close]) as peer:
        yield client, peer.port
        await client.close()


@asynccontextmanager
async def nobody_played(status: int, script: Script) -> AsyncIterator[tuple[Upstream, int]]:
    yield FakeUpstream(ScriptedResponse(failure=UpstreamUnreachable("nobody"))), 80


@asynccontextmanager
async def nobody_listening(status: int, script: Script) -> AsyncIterator[tuple[Upstream, int]]:
    client = new_client()
    async with Peer([]) as peer:
        port = peer.port
    yield client, port
    await client.close()


Stand = Callable[[int, Script], AbstractAsyncContextManager[tuple[Upstream, int]]]


@pytest.mark.parametrize("stand", [played, over_a_socket])
def test_an_upstream_keeps_its_promises(stand: Stand) -> None:
    async def main() -> None:
        async with stand(200, (b"one ", b"two")) as (upstream, port):
            answer = await upstream.send(post(route_to(port)))
            assert answer.status == 200
            assert (b"content-type", b"text/plain") in answer.headers
            assert await whole(answer) == b"one two"
            assert await answer.read() == b"", "the end stays the end"
            answer.release()
            answer.abort()
        async with stand(503, (b"busy",)) as (upstream, port):
            answer = await upstream.send(post(route_to(port)))
            assert (answer.status, await whole(answer)) == (503, b"busy"), "an error is an answer"
        async with stand(200, (b"one ", UpstreamBroke("reset"))) as (upstream, port):
            answer = await upstream.send(post(route_to(port)))
            for _ in range(2):
                with pytest.raises(UpstreamBroke):
                    await whole(answer)
        async with stand(200, (b"one ", b"two")) as (upstream, port):
            answer = await upstream.send(post(route_to(port)))
            answer.abort()
            answer.abort()
            with pytest.raises(UpstreamBroke):
                await answer.read()

    run(main())


@pytest.mark.parametrize("stand", [nobody_played, nobody_listening])
def test_nobody_there_is_told_apart(stand: Stand) -> None:
    async def main() -> None:
        async with stand(0, ()) as (upstream, port):
            with pytest.raises(UpstreamUnreachable):
                await upstream.send(post(route_to(port)))

    run(main())


# The client: head, parts, end, in this order; `gone` and one call when he leaves; writing to nobody is harmless.


class RecordingCaller:
    """A caller behind the edge's exchange, on a connection without a socket."""

    def __init__(self, body: bytes | None) -> None:
        self._connection = RecordedConnection()
        length = 2 if body is None else len(body)
        headers = [(b"content-type", b"application/json")]
        self.client = self._connection.exchange(headers=headers, length=length)
        self.client.always, self.client.body_max = ((b"x-request-id", b"req_1"),), 1_000
        if body is None:
            asyncio.get_running_loop().call_soon(self.leave)
        else:
            self.client.feed(body, False)

    def leave(self) -> None:
        self.client.leave()

    def seen(self) -> tuple[object, bytes, bool]:
        """Status, body, and whether it ended."""
        status, _, body = self._connection.answer()
        return status, body, self._connection.ended


class Faked:
    """The same of a fake."""

    def __init__(self, body: bytes | None) -> None:
        self.client = FakeCallerConnection(body or b"")
        self.client.leaves_before_body = body is None
        self.leave = self.client.leave

    def seen(self) -> tuple[object, bytes, bool]:
        return self.client.status, self.client.data, self.client.ended


@pytest.mark.parametrize("made", [Faked, RecordingCaller])
def test_a_client_keeps_its_promises(made: type[Faked] | type[RecordingCaller]) -> None:
    async def main() -> None:
        left: list[str] = []
        asking = made(b"{}")
        client: CallerConnection = asking.client
        assert await client.body() == [b"{}"]
        await client.send_response(200, [(b"content-type", b"text/plain")], b"hello")
        assert asking.seen() == (200, b"hello", True)

        streaming = made(b"{}")
        client = streaming.client
        await client.send_headers(200, [])
        await client.send_chunk(b"one ")
        await client.send_chunk(b"two ")
        assert streaming.seen() == (200, b"one two ", False)
        await client.finish(b"three")
        assert streaming.seen() == (200, b"one two three", True)

        leaving = made(b"{}")
        client = leaving.client
        await client.send_headers(200, [])
        client.on_gone = lambda: left.append("never")
        client.on_gone = None
        client.on_gone = lambda: left.append("once")
        before = client.gone
        leaving.leave()
        assert (before, client.gone) == (False, True)
        leaving.leave()
        assert left == ["once"]
        await client.send_chunk(b"to nobody")
        await client.finish(b"")
        assert leaving.seen()[1] == b""

        with pytest.raises(ClientDisconnected):
            await made(None).client.body()

    run(main())
