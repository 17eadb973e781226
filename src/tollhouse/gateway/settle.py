"""Stage 9: whatever happened, a call is written down exactly once, and before the last part of its answer leaves.

`async with settled(...)` opens the books for a call. Leaving it by any path closes them: an answer that was committed
in time is done already; a failure, a caller who left or a cancellation is written down here. The hold ends with the
books: by the charge, or by nothing.
"""

import asyncio
from types import TracebackType
from typing import Final

from tollhouse.billing import book
from tollhouse.billing.charges import total
from tollhouse.core.catalogue import Model
from tollhouse.core.charge import Charge
from tollhouse.core.failure import Defect, Failure, InsufficientQuota, MaxCostExceeded, Overloaded
from tollhouse.core.usage import Usage
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.hold import Held, counted_text, hold
from tollhouse.gateway.journey import NOTHING, Journey
from tollhouse.gateway.late import settle, write_later
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai.request import Request

UNHELD: Final = Held()


class settled:  # noqa: N801 - reads as a word of the flow: `async with settled(...)`
    """See above. `committed`: the record is written, or its writing was tried."""

    __slots__ = ("_held", "_house", "_journey", "committed")

    def __init__(self, house: House, journey: Journey) -> None:
        self._house = house
        self._journey = journey
        self._held = UNHELD
        self.committed = False

    async def hold(self, request: Request, model: Model) -> None:
        """Reserve the worst case, by exact tokens where it does not fit by bytes.

        Raises what `gateway.hold.hold` does; then nothing is reserved.

        Raises Overloaded while the ledger cannot be written: no provider is asked for what could not be charged.
        """
        if self._house.ledger.trouble is not None:
            raise Overloaded("the database cannot be written at the moment: try again", retry_after_ms=1_000)
        house, journey = self._house, self._journey
        # The answer is counted on the event loop as it passes; a vocabulary that this needs is read before, aside.
        await house.count.prepare(journey.model)
        try:
            self._held = hold(house, journey, request, model)
        except (InsufficientQuota, MaxCostExceeded):
            counted = await counted_text(house, journey, request, model)
            if counted is None:
                raise
            self._held = hold(house, journey, request, model, counted)

    def beyond(self, usage: Usage) -> bool:
        """Whether this usage would cost more than the caller allows for the call."""
        most, price = self._journey.most_cost, self._held.price
        return most is not None and price is not None and total(price, usage) > most

    async def commit(self) -> None:
        """Make the record durable. The last part of the answer may leave after this returns.

        Raises Overloaded where it cannot be made durable (Defect where it never can): the answer must then not look
        whole. A buffered call is free then; what was streamed is charged once it can be written.
        """
        journey, witness = self._journey, self._house.witness
        journey.charge = self._charge()
        journey.settled_ms = self._house.since_ms(journey.call)
        record = journey.record()
        self.committed = True
        try:
            await self._house.ledger.commit(record)
        except Failure as unsaved:
            _unsaved(journey, unsaved)
            self._unpaid(unsaved)
            witness.saw(journey.record())
            raise
        except asyncio.CancelledError:
            settle(self._held, record)  # the writer has it, and will not give it back
            raise
        settle(self._held, record)
        witness.saw(record)

    async def __aenter__(self) -> "settled":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        journey = self._journey
        if (
            error is not None
            or journey.room is not None
            or journey.answer_room is not None
            or journey.entry is not None
        ):
            self._leave_room(error)
        if self.committed:
            return
        if isinstance(error, Failure):
            _failed(journey, error)
        elif isinstance(error, ClientLeft):
            left(journey)
        elif isinstance(error, asyncio.CancelledError):
            _failed(journey, Overloaded("the process ends"))
        elif error is not None:
            _failed(journey, Defect("a defect of this platform"))
        if journey.ending == "refused" and journey.status < 500 and not self._may_be_written():
            return
        try:
            await self.commit()
        except Failure:
            # The failure the caller is about to hear says more than this one, and a failed call is not charged.
            if error is None:
                raise

    def _may_be_written(self) -> bool:
        """Whether a refused call is written down; one that is not ends here, and the log and the figures see it."""
        house, journey = self._house, self._journey
        if house.refused_records.admit(journey.identity.key.account_id, house.clock.now_ms()):
            return True
        record = journey.record()
        self.committed = True
        settle(self._held, record)
        house.witness.saw(record)
        return False

    def _leave_room(self, error: BaseException | None) -> None:
        """The body's room and place are free again. A call that no provider was asked for counts as refused."""
        house, journey = self._house, self._journey
        if journey.entry is not None:
            journey.entry.release()
        room = journey.room
        if room is not None:
            room.release()
        if journey.answer_room is not None:
            journey.answer_room.release()
        if error is not None and not journey.dispatched and isinstance(error, Failure | ClientLeft):
            came = journey.body_bytes or (0 if room is None else room.received)
            house.refusals.count(journey.identity.key, came, house.clock.now_ms())

    def _charge(self) -> Charge | None:
        """What the usage costs at the price that stood at admission; None where nothing is charged."""
        journey, held = self._journey, self._held
        if journey.usage_source == "none" or journey.identity.key.mode == "test":
            return None
        if held.price is None or held.hold is None:
            return Charge(amount=0, price_id=None)
        amount = total(held.price, journey.usage)
        return Charge(
            amount=amount,
            price_id=held.price.id,
            multiplier_ppm=held.price.multiplier_ppm,
            held=held.hold.amount,
            overrun=max(0, amount - held.hold.amount),
            budgets=tuple((purse.id, purse.starts_at_ms) for purse in held.hold.purses if purse.kind == "budget"),
        )

    def _unpaid(self, failure: Failure) -> None:
        """The commit failed: a charge for what has been streamed waits with its hold; all else is free."""
        hold, journey = self._held.hold, self._journey
        if journey.charge is not None and isinstance(failure, Overloaded):
            write_later(self._house, journey.record(), self._held)
        elif hold is not None:
            book.release(hold)


def _unsaved(journey: Journey, failure: Failure) -> None:
    """An answer that could not be committed: kept back, and free, unless it has begun. A failed call stays one."""
    if journey.error is not None or journey.status != 200:
        return
    journey.ending = "commit_failed"
    journey.error = failure.code
    if not journey.stream:
        journey.status = failure.status
        journey.usage, journey.usage_source, journey.charge = NOTHING, "none", None


def _failed(journey: Journey, failure: Failure) -> None:
    journey.status = failure.status
    journey.error = failure.code
    if journey.first_byte_ms is not None:
        journey.ending = "failed_after_first_byte"
    elif journey.dispatched:
        journey.ending = "failed_before_first_byte"
    else:
        journey.ending = "refused"


def left(journey: Journey) -> None:
    """Note that the caller is gone."""
    journey.status = 499  # nobody sees it; the figure other servers' logs use for a caller who left
    if journey.provider is not None:
        provider = journey.destinations[journey.provider].provider
        journey.read_on = not journey.stream or provider.on_disconnect == "drain"
    if journey.first_byte_ms is not None:
        journey.ending = "client_left_after_first_byte"
    elif journey.dispatched:
        journey.ending = "client_left_before_first_byte"
    else:
        journey.ending = "client_left_before_dispatch"
