"""Room in memory for request bodies: a large one waits for it unread, and one that comes too slowly gives it back.

Small bodies need no room: each is bounded by SMALL_BYTES, and their number by the places that their senders keep. A
large one takes its room before it is read, by the length it announces; where none is announced, it takes more as it
grows. While others wait who hold no more, a body that is unfinished and comes slower than SLOW_BYTES_PER_SECOND is cut
off: whoever sends a byte now and then keeps nobody out.

Bodies that hold room and need more could wait for each other for ever. So one of them at a time may take more than
there is, until it has left; then the next one may. What it takes beyond is nobody's room, and is missing to nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from tollhouse.core.clock import Clock
from tollhouse.core.failure import MemoryTaken
from tollhouse.limits.body_memory import BodyMemory

SMALL_BYTES: Final = 64 * 1024
STEP_BYTES: Final = 1024 * 1024  # the room taken at first for a body whose length is unknown; then twice as much, ...
WAIT_SECONDS: Final = 10.0
ANSWER_WAIT_SECONDS: Final = 300.0  # an answer that was paid for waits longer: its provider is kept waiting
LOOK_SECONDS: Final = 1.0  # how often somebody who waits has slow bodies cut off
SLOW_BYTES_PER_SECOND: Final = 64 * 1024
GRACE_NS: Final = 2_000_000_000  # a body is not judged slow before
_NS: Final = 1_000_000_000


class ParallelSlot(Protocol):
    """The place of a call among the parallel ones while its body is still to come."""

    async def release(self) -> None:
        """The call is admitted, or over. Once only."""
        ...


class BodyReservation:
    """The room of one body. `received`: bytes of it so far. `cut`: what ends its sending; None once it is whole."""

    __slots__ = ("_bodies", "account_id", "began_ns", "beyond", "bytes", "cut", "received")

    def __init__(self, bodies: "Bodies", account_id: str, now_ns: int) -> None:
        self._bodies = bodies
        self.account_id = account_id
        self.began_ns = now_ns
        self.bytes = 0  # that it may have
        self.beyond = 0  # of them, those that are not of the room
        self.received = 0
        self.cut: Callable[[], None] | None = None

    async def reserve(self, size: int) -> None:
        """Have room for `size` bytes in all. Waits until there is; raises MemoryTaken where that takes too long."""
        if size > SMALL_BYTES and size > self.bytes:
            await self._bodies.take(self, size - self.bytes)

    async def grow(self, size: int, bytes_max: int) -> None:
        """As `reserve` for a body of unknown length that has come to `size` bytes, with room for as much again."""
        if size > SMALL_BYTES and size > self.bytes:
            await self._bodies.take(self, max(size, min(max(STEP_BYTES, 2 * self.bytes), bytes_max)) - self.bytes)

    def release(self) -> None:
        """Give the room back; safe to call twice."""
        self._bodies.free(self)


class Bodies:
    """Belongs to one event loop."""

    def __init__(self, clock: Clock, memory: BodyMemory | None = None, wait_seconds: float = WAIT_SECONDS) -> None:
        self.memory = BodyMemory() if memory is None else memory
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._waiting: dict[str, deque[tuple[BodyReservation, int, asyncio.Future[None]]]] = {}
        self._places: set[BodyReservation] = set()  # of bodies that have room
        self._beyond: BodyReservation | None = None  # the one that may take more than there is

    def reservation(self, account_id: str) -> BodyReservation:
        return BodyReservation(self, account_id, self._clock.ticks_ns())

    async def take(self, reservation: BodyReservation, size: int) -> None:
        """Add `size` bytes to a place. Raises MemoryTaken."""
        queue = self._waiting.get(reservation.account_id)
        if queue is None and self.memory.fits(reservation.account_id, size):
            self._give(reservation, size)
            return
        if self._may_go_beyond(reservation):
            self._give_beyond(reservation, size)
            return
        if queue is None:
            queue = self._waiting[reservation.account_id] = deque()
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append((reservation, size, given))
        try:
            await self._given(reservation.account_id, given)
        finally:
            self._leave_queue(reservation.account_id, given)

    def free(self, reservation: BodyReservation) -> None:
        if reservation.bytes:
            self.memory.free(reservation.account_id, reservation.bytes - reservation.beyond)
            reservation.bytes = reservation.beyond = 0
            self._places.discard(reservation)
            if self._beyond is reservation:
                self._beyond = None
            self._serve()

    async def _given(self, account_id: str, given: asyncio.Future[None]) -> None:
        waited = 0.0
        while waited < self._wait_seconds:
            done, _ = await asyncio.wait((given,), timeout=LOOK_SECONDS)
            if done:
                return
            waited += LOOK_SECONDS
            self._cut_slow(account_id)
        raise MemoryTaken(
            "This platform holds as many large requests and answers as it has memory for: try again in a moment.",
            retry_after_ms=10_000,
        )

    def _give(self, reservation: BodyReservation, size: int) -> None:
        if not reservation.bytes:
            reservation.began_ns = self._clock.ticks_ns()  # nobody read it while it waited
        self.memory.take(reservation.account_id, size)
        reservation.bytes += size
        self._places.add(reservation)

    def _serve(self) -> None:
        """Give what is free to those who wait: a body of each account in turn, while any fits."""
        served = True
        while served:
            served = False
            for account_id, queue in list(self._waiting.items()):
                while queue and queue[0][2].done():
                    queue.popleft()
                if queue and self.memory.fits(account_id, queue[0][1]):
                    reservation, size, given = queue.popleft()
                    self._give(reservation, size)
                    given.set_result(None)
                    served = True
        for reservation, size, given in [waiting for queue in self._waiting.values() for waiting in queue]:
            if not given.done() and self._may_go_beyond(reservation):
                self._give_beyond(reservation, size)
                given.set_result(None)

    def _give_beyond(self, reservation: BodyReservation, size: int) -> None:
        reservation.bytes += size
        reservation.beyond += size

    def _may_go_beyond(self, reservation: BodyReservation) -> bool:
        """Whether it has begun, and is the one that may take more than there is; then it is from now on."""
        if reservation.bytes and self._beyond is None:
            self._beyond = reservation
        return reservation is self._beyond

    def _leave_queue(self, account_id: str, given: asyncio.Future[None]) -> None:
        given.cancel()
        queue = self._waiting.get(account_id)
        if queue is not None:
            while queue and queue[0][2].done():
                queue.popleft()
            if not queue:
                del self._waiting[account_id]

    def _cut_slow(self, account_id: str) -> None:
        """Cut off slow bodies of this account, which waits, and of those that hold no less than it does: who waits for
        room that they hold themselves takes none from others."""
        now_ns, held = self._clock.ticks_ns(), self.memory.held(account_id)
        for reservation in list(self._places):
            if self.memory.held(reservation.account_id) < held:
                continue
            age_ns = now_ns - reservation.began_ns
            slow = reservation.received * _NS < SLOW_BYTES_PER_SECOND * age_ns
            if reservation.cut is not None and age_ns > GRACE_NS and slow:
                cut, reservation.cut = reservation.cut, None
                cut()
