"""What the gateway needs from the rest of the platform, as ports. `app.py` plugs the real parts in, tests plug
fakes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import to_builtins

from tollhouse.billing.holds import Hold, SpendingCounter
from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.billing.price_list import PriceLists
from tollhouse.core.account import ApiKey, Identity
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.clock import Clock
from tollhouse.core.codec import Codec, CodecKey
from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import WriteLimit
from tollhouse.core.randomness import Randomness
from tollhouse.core.spool import MemorySpool, Spool
from tollhouse.core.tokens import TextCounter
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import LimitSnapshot, UsageRecord
from tollhouse.core.workers import WorkerProcesses, WorkerThreads
from tollhouse.gateway.allowance import CutAtHold
from tollhouse.gateway.bodies import Bodies, ParallelSlot
from tollhouse.gateway.connection import Call
from tollhouse.gateway.destination import Destinations
from tollhouse.gateway.request_context import NOTHING, RequestContext
from tollhouse.gateway.stream_writer import KeepAlive
from tollhouse.limits.addresses import AddressRate
from tollhouse.limits.pace import RefusalPace
from tollhouse.limits.refusals import Refusals
from tollhouse.limits.row_allowance import (
    REFUSED_AT_ONCE,
    REFUSED_EVERY_MS,
    UNKNOWN_AT_ONCE,
    UNKNOWN_EVERY_MS,
    RowAllowance,
)
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget
from tollhouse.routing.troubles import Troubles

NANO_PER_MILLI = 1_000_000


class KeyDirectory(Protocol):
    """Whose secret is this, from memory."""

    def find(self, digest: bytes) -> Identity | None: ...

    def used(self, identity: Identity, client: str, now_ms: int, address: str = "") -> None:
        """A secret was accepted, sent by this client, from this address."""
        ...


class UsageRecorder(Protocol):
    """Where a call is written down."""

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written at the moment, as far as is known; None while all is well."""
        ...

    def commit(self, record: UsageRecord) -> Awaitable[None]:
        """Wait until the record is durable. Raises Overloaded where it cannot be made so."""
        ...

    def note(self, record: UsageRecord) -> None:
        """Write down a call that counts in no sum; nobody waits for it, and where it cannot be written it is lost."""
        ...


class AdmittedCall(Protocol):
    """A call that limits let in."""

    @property
    def passed(self) -> tuple[LimitSnapshot, ...]:
        """The limits it passed, as they stood before and stand with it."""
        ...

    def headers(self, now_ms: int) -> Headers:
        """How the tightest limits stand, for the answer, as the caller's dialect names it."""
        ...

    async def release(self, used: Usage, now_ms: int, *, refused: bool = False) -> None:
        """The call is over: free its place, correct what was reserved by what was used. `refused`: it was not made
        after all, for want of money or of a provider, and is counted nowhere."""
        ...


class RateLimiter(Protocol):
    """Shared counters may stand behind it, so its methods may wait; in memory none does. Who is cancelled while they
    wait has taken nothing."""

    async def enter(self, identity: Identity, now_ms: int, write: WriteLimit) -> ParallelSlot:
        """Give a call a place among the parallel requests of its key, project and account before its body is read.

        Raises RateLimited where there is none, or where requests or tokens of this minute are used up; then nothing is
        counted.
        """
        ...

    async def admit(
        self, identity: Identity, model: Model, tokens: int, now_ms: int, write: WriteLimit, units: Usage = NOTHING
    ) -> AdmittedCall:
        """Let a call in that reserves `tokens`, and of other units (images, characters) what it uses at most. Raises
        RateLimited; a refused call leaves no trace in any limit.

        write: writes the headers that the answer carries, or the refusal.
        """
        ...

    async def refusal_of(
        self, identity: Identity, model: Model, tokens: int, now_ms: int, units: Usage = NOTHING
    ) -> RateLimited | None:
        """What `admit` would raise now. Asking counts nothing."""
        ...

    def reserved(self, kind: str, tokens: int, units: Usage) -> int:
        """What `admit` would reserve of a limit of this kind."""
        ...

    async def status(self, identity: Identity, now_ms: int, model: str | None = None) -> list[dict[str, object]]:
        """Every limit of a caller for people to read: name, level, limit, used, remaining. `model`: only those that a
        call to it has to pass, and its own."""
        ...


class Holds(Protocol):
    """What calls reserve on the counters that pay for them. As with limits, its methods may wait, and in memory none
    does. Who is cancelled while `hold` waits holds nothing; `settle` and `release` end a hold also then."""

    async def paying(self, key: ApiKey, now_ms: int, model: str | None = None) -> list[SpendingCounter]:
        """Every counter that pays for a call admitted now, as it stands: budgets of key, project and account, and the
        money. model None: those that pay for any model."""
        ...

    async def hold(self, counters: Sequence[SpendingCounter], amount: int) -> Hold:
        """Reserve `amount` nano-USD on all of them at once. Raises InsufficientFunds, and reserves nothing, where one
        cannot pay: others may have held since it was looked at."""
        ...

    async def settle(self, held: Hold, charge: int) -> None:
        """End a hold by a charge in nano-USD, 0 or more; what is left over is free again."""
        ...

    async def release(self, held: Hold) -> None:
        """End a hold without a charge."""
        ...


class RequestObserver(Protocol):
    """Sees each call once, when it is over: the log line and the figures of `/metrics`."""

    def on_finished(self, record: UsageRecord) -> None: ...

    def refused(self, record: UsageRecord) -> None:
        """A call ended before it had an identity."""
        ...

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        """A provider failed in a way that the operator can mend; `words` are its own, without keys."""
        ...


@dataclass(slots=True)
class GatewayContext:
    """All parts that a request touches. A new configuration replaces `catalogue` and `destinations` together."""

    clock: Clock
    random: Randomness
    codecs: Mapping[CodecKey, Codec]  # what reads and writes each format and operation
    keys: KeyDirectory
    limits: RateLimiter
    ledger: UsageRecorder
    observer: RequestObserver
    health: Health
    retries: RetryBudget
    count: TextCounter
    sleep: Callable[[float], Awaitable[None]]
    keep_alive: KeepAlive
    test_mode_endpoints: Destinations  # where the calls of test-mode keys go
    threads: WorkerThreads  # threads for what is too large for the event loop
    processes: WorkerProcesses  # processes for what is too large for a thread
    bodies: Bodies  # room for what callers send
    answers: Bodies  # room for what providers send, where it is sent on whole
    uploads: Bodies  # room on disk for forms
    spool: Callable[[], Spool] = MemorySpool  # where a form lies
    drain_seconds_max: int = 600
    end_seconds_max: float = 10.0  # that a provider which has said all may leave its connection open
    answer_bytes_max: int = 64 * 1024 * 1024
    show_provider: bool = False
    cut_at_hold: CutAtHold = "prepaid"
    addresses: AddressRate = field(default_factory=AddressRate)  # where calls come from, before anybody looks at keys
    public_url: str = ""  # where errors link to
    contact: str = ""  # who can add money or raise a limit of the operator
    holds: Holds = field(default_factory=InMemoryHolds)
    prices: Callable[[], PriceLists] = lambda: PriceLists(())
    refusals: Refusals = field(default_factory=Refusals)
    refused_records: RowAllowance = field(default_factory=lambda: RowAllowance(REFUSED_AT_ONCE, REFUSED_EVERY_MS))
    refused_rows: RowAllowance = field(default_factory=lambda: RowAllowance(UNKNOWN_AT_ONCE, UNKNOWN_EVERY_MS))
    all_refused_rows: RowAllowance = field(default_factory=lambda: RowAllowance(REFUSED_AT_ONCE, REFUSED_EVERY_MS))
    troubles: Troubles = field(default_factory=Troubles)  # what providers said of their failures
    pace: RefusalPace = field(default_factory=RefusalPace)  # of refusals, by address
    deferred_commits: set["asyncio.Task[None]"] = field(default_factory=set)  # charges whose commit failed, tried again
    catalogue: Catalogue = field(default_factory=Catalogue)
    destinations: Destinations = field(default_factory=dict)
    drained: Destinations = field(default_factory=dict)  # those that take no new calls

    @property
    def configured(self) -> Destinations:
        """Where calls go or could go, also those that are drained."""
        return self.destinations | self.drained

    def forget_idle(self, now_ms: int) -> None:
        """For a timer: drop what need not be remembered any more of addresses, refused callers and providers."""
        self.addresses.sweep(now_ms)
        self.refusals.sweep(now_ms)
        self.refused_records.sweep(now_ms)
        self.refused_rows.sweep(now_ms)
        self.pace.sweep(now_ms)
        self.health.sweep(now_ms)

    def forget_provider(self, provider: str) -> None:
        """Its configuration changed."""
        self.health.forget(provider)
        self.troubles.forget(provider)

    def seen_of(self, provider: str) -> dict[str, object]:
        """What was learned of a provider, for people: its circuits that remember something, and its last refusals."""
        circuits = self.health.snapshot(self.clock.now_ms())
        return {
            "circuits": [to_builtins(one) for one in circuits if one.provider == provider],
            "troubles": [to_builtins(one) for one in self.troubles.of(provider)],
        }

    def since_ms(self, call: Call) -> int:
        """Milliseconds since a call arrived."""
        return (self.clock.ticks_ns() - call.ticks_ns) // NANO_PER_MILLI

    def chance(self) -> float:
        """Evenly in [0, 1)."""
        return int.from_bytes(self.random.bytes(4), "big") / 2**32

    def answer_headers(self, context: RequestContext) -> Headers:
        """What the head of a good answer says besides: where the time went, and who answered if that may be told."""
        total = (self.clock.ticks_ns() - context.call.ticks_ns) / NANO_PER_MILLI
        upstream = context.upstream_ns / NANO_PER_MILLI
        headers: Headers = [(b"server-timing", b"upstream;dur=%.1f, tollhouse;dur=%.1f" % (upstream, total - upstream))]
        if self.show_provider:
            headers.append((b"x-tollhouse-provider", (context.provider or "").encode()))
            headers.append((b"x-tollhouse-attempts", b"%d" % len(context.attempts)))
        return headers
