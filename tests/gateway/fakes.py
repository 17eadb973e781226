"""The platform with every port a fake: each does what its port promises, is told when to fail, and remembers what it
saw.

`test_ports.py` holds the fakes and the real parts against the same promises.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tollhouse.access import secrets
from tollhouse.core.account import Account, ApiKey, Identity, KeyMode, Project, Secret
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import Failure, Overloaded, RateLimited, UpstreamBroke
from tollhouse.core.limit_status import LimitStatus, WriteLimit
from tollhouse.core.upstream import Headers, TakePiece, UpstreamRequest
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import LimitSnapshot, UsageRecord
from tollhouse.core.workers import InlineWorkers, T
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.request_context import NOTHING

NOW_MS = 1_790_000_000_000
MILLION = 1_000_000

Piece = bytes | Failure | asyncio.Event | Callable[[], None]
"""What an answer brings next: bytes; a failure; a wait for somebody else; something that happens meanwhile."""


class FakeClock:
    """Stands still unless a test moves it."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def ticks_ns(self) -> int:
        return self.ms * MILLION


class Zeros:
    """Randomness without surprises."""

    def bytes(self, count: int) -> bytes:
        return bytes(count)


UPLOADED_AT_ONCE = 1_000


class FakeCallerConnection:
    """The caller's connection. `leave()` is what happens when he closes it; `slow` blocks his reading until set."""

    encoding = ""
    body_max = 32 * 1024 * 1024
    length = -1

    def __init__(self, body: bytes = b"{}", *, body_failure: Failure | None = None) -> None:
        self._body = body
        self._body_failure = body_failure
        self.on_gone: Callable[[], None] | None = None
        self.left = False
        self.slow: asyncio.Event | None = None
        self.leaves_before_body = False
        self.status = 0
        self.headers: Headers = []
        self.data = b""
        self.parts: list[bytes] = []
        self.ended = False
        self.broken_off = False  # ended, without HTTP's own end of a whole body
        self.heads = 0
        self.on_part: Callable[[bytes], None] = lambda data: None

    @property
    def gone(self) -> bool:
        return self.left

    def leave(self) -> None:
        if self.left or self.ended:
            return
        self.left = True
        call, self.on_gone = self.on_gone, None
        if call is not None:
            call()

    @property
    def more_body(self) -> bool:
        return False

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        if self._body_failure is not None:
            raise self._body_failure
        if self.leaves_before_body:
            self.leave()
            raise ClientDisconnected
        return [self._body]

    @property
    def body_held(self) -> int:
        return len(self._body)

    async def receive(self) -> bytes | None:
        if self.leaves_before_body:
            self.leave()
            return None
        piece, self._body = self._body[:UPLOADED_AT_ONCE], self._body[UPLOADED_AT_ONCE:]
        return piece

    def cut_body(self) -> None:
        self.leave()

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None:
        await self.send_headers(status, headers)
        await self.finish(body)

    async def send_headers(self, status: int, headers: Headers) -> None:
        if self.left:
            return
        assert not self.heads, "an answer has one head"
        self.heads += 1
        self.status = status
        self.headers = headers

    async def send_chunk(self, data: bytes) -> None:
        await self._take(data)

    def write_chunk(self, data: bytes) -> bool:
        if self.slow is not None:
            return False
        self._note(data)
        return True

    async def finish(self, data: bytes) -> None:
        await self._take(data)
        self.ended = not self.left

    async def break_off(self, data: bytes) -> None:
        await self._take(data)
        self.ended = self.broken_off = not self.left

    async def _take(self, data: bytes) -> None:
        if self.left:
            return
        self._note(data)
        if self.slow is not None:
            await self.slow.wait()

    def _note(self, data: bytes) -> None:
        if self.left:
            return
        assert self.heads, "the head comes first"
        assert not self.ended, "nothing follows the end"
        self.data += data
        self.parts.append(data)
        self.on_part(data)

    def header(self, name: bytes) -> bytes:
        return dict(self.headers).get(name, b"")


class FakeUpstreamResponse:
    """Pieces in order, then the clean end. `aborted` and `released` say how the gateway parted with it."""

    def __init__(self, status: int, headers: Headers, pieces: Sequence[Piece]) -> None:
        self.status = status
        self.headers = headers
        self._pieces = list(pieces)
        self._failure: Failure | None = None
        self._aborting = asyncio.Event()
        self.ended = False
        self.aborted = False
        self.released = False

    async def read(self, take: TakePiece | None = None) -> bytes:
        while True:
            if self.aborted:
                raise UpstreamBroke("the call was given up")
            if self._failure is not None:
                raise self._failure
            if not self._pieces:
                self.ended = True
                return b""
            piece = self._pieces.pop(0)
            if isinstance(piece, bytes):
                left = piece if take is None or not piece else take(piece)
                if piece and left is not None:
                    return left
            elif isinstance(piece, Failure):
                self._failure = piece
            elif isinstance(piece, asyncio.Event):
                await self._wait(piece)
            else:
                piece()
                await asyncio.sleep(0)  # what it set off happens before the next piece

    async def _wait(self, event: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._aborting.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def abort(self) -> None:
        self.aborted = True
        self._aborting.set()

    def release(self) -> None:
        self.released = True

    @property
    def settled(self) -> bool:
        """Its connection is not left behind: read to the end, given up, broken, or handed back."""
        return self.ended or self.aborted or self.released or self._failure is not None


@dataclass
class ScriptedResponse:
    """What the upstream does with one call: fail before an answer, or answer."""

    failure: Failure | None = None
    status: int = 200
    headers: Headers = field(default_factory=list)
    pieces: Sequence[Piece] = ()
    before_head: Sequence[Piece] = ()


class FakeUpstream:
    """Plays one `ScriptedResponse` a call, the last one for ever. `calls` and `answers` are what it saw and gave."""

    def __init__(self, *plays: ScriptedResponse) -> None:
        self.plays = list(plays)
        self.calls: list[UpstreamRequest] = []
        self.answers: list[FakeUpstreamResponse] = []

    async def send(self, call: UpstreamRequest) -> FakeUpstreamResponse:
        self.calls.append(call)
        play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
        await FakeUpstreamResponse(0, [], play.before_head).read()
        if play.failure is not None:
            raise play.failure
        answer = FakeUpstreamResponse(play.status, play.headers, play.pieces)
        self.answers.append(answer)
        return answer


class FakeUsageRecorder:
    """Keeps records. `failing`: as if the database could not be written, and `trouble` what is known of that before a
    commit; `busy`: commits wait for it."""

    def __init__(self) -> None:
        self.records: list[UsageRecord] = []
        self.failing = False
        self.trouble: str | None = None
        self.busy: asyncio.Event | None = None
        self.noted: list[UsageRecord] = []

    def note(self, record: UsageRecord) -> None:
        self.noted.append(record)

    async def commit(self, record: UsageRecord) -> None:
        if self.busy is not None:
            await self.busy.wait()
        if self.failing:
            raise Overloaded("the database cannot be written: try again in a moment", retry_after_ms=1_000)
        assert record.id not in [one.id for one in self.records], "a call is written down once"
        self.records.append(record)


class FakeKeyDirectory:
    def __init__(self, *identities: Identity) -> None:
        self._identities: dict[bytes, Identity] = {}
        self.last_uses: dict[str, tuple[int, str]] = {}
        for one in identities:
            self.put(one)

    def put(self, identity: Identity) -> None:
        self._identities[identity.secret.digest] = identity

    def find(self, digest: bytes) -> Identity | None:
        return self._identities.get(digest)

    def used(self, identity: Identity, client: str, now_ms: int, address: str = "") -> None:
        self.last_uses[identity.key.id] = (now_ms, client)


class FakeAdmittedCall:
    passed: tuple[LimitSnapshot, ...] = ()

    def __init__(self, limits: "FakeRateLimiter", write: WriteLimit) -> None:
        self._limits = limits
        self._write = write

    def headers(self, now_ms: int) -> Headers:
        most, left = self._limits.most, self._limits.inside
        return [] if most is None else list(self._write(LimitStatus(most, most - left, 0), "requests", now_ms))

    async def release(self, used: Usage, now_ms: int, *, refused: bool = False) -> None:
        self._limits.inside -= 1


class FakeParallelSlot:
    def __init__(self, limits: "FakeRateLimiter") -> None:
        self._limits = limits

    async def release(self) -> None:
        self._limits.inside -= 1


class FakeRateLimiter:
    """At most `most` calls at a time."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.inside = 0
        self.admitted = 0

    async def enter(self, identity: Identity, now_ms: int, write: WriteLimit) -> FakeParallelSlot:
        if self.most is not None and self.inside >= self.most:
            raise RateLimited("too many calls at once", retry_after_ms=1_000)
        self.inside += 1
        return FakeParallelSlot(self)

    async def admit(
        self, identity: Identity, model: Model, tokens: int, now_ms: int, write: WriteLimit, units: Usage = NOTHING
    ) -> FakeAdmittedCall:
        if self.most is not None and self.inside >= self.most:
            raise RateLimited("too many calls at once", retry_after_ms=1_000)
        self.inside += 1
        self.admitted += 1
        return FakeAdmittedCall(self, write)

    def reserved(self, kind: str, tokens: int, units: Usage) -> int:
        return 1

    async def refusal_of(
        self, identity: Identity, model: Model, tokens: int, now_ms: int, units: Usage = NOTHING
    ) -> RateLimited | None:
        full = self.most is not None and self.inside >= self.most
        return RateLimited("too many calls at once", retry_after_ms=1_000) if full else None

    async def status(self, identity: Identity, now_ms: int, model: str | None = None) -> list[dict[str, object]]:
        limit = {"name": "parallel_requests", "level": "account", "limit": self.most, "used": self.inside}
        return [] if self.most is None else [{**limit, "remaining": self.most - self.inside}]


class FakeWorkers(InlineWorkers):
    """Work aside, done before anything else but what waits already."""

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        return work()


class FakeObserver:
    def __init__(self) -> None:
        self.records: list[UsageRecord] = []
        self.refusals: list[tuple[str, int]] = []
        self.troubles: list[tuple[str, str, str]] = []

    def on_finished(self, record: UsageRecord) -> None:
        self.records.append(record)

    def refused(self, record: UsageRecord) -> None:
        self.refusals.append((record.error or "", record.status))

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        self.troubles.append((provider, model, words))


class Words:
    """A token a word: figures a reader can check."""

    def count(self, text: str, model: str) -> int:
        return len(text.split())

    async def prepare(self, model: str) -> None:
        pass

    async def count_aside(self, text: str, model: str, account_id: str) -> int:
        return self.count(text, model)

    def exact(self, model: str) -> bool:
        return False


def identity(secret: str, mode: KeyMode = "live", **changed: object) -> Identity:
    account = Account(id="acc_1", name="Zollhaus", created_at_ms=NOW_MS)
    project = Project(id="proj_1", account_id="acc_1", name="default", created_at_ms=NOW_MS)
    at_rest = Secret(digest=secrets.digest(secret), prefix=f"sk-th-{mode}-", last4=secret[-4:], created_at_ms=NOW_MS)
    fields: dict[str, object] = {"id": f"key_{mode}", "name": mode, "mode": mode, "secrets": (at_rest,), **changed}
    key = ApiKey(account_id="acc_1", project_id="proj_1", created_at_ms=NOW_MS, **fields)  # type: ignore[arg-type]
    return Identity(key=key, secret=at_rest, account=account, project=project)
