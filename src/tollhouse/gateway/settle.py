"""Stage 9: whatever happened, a call is written down exactly once, and before the last part of its answer leaves.

`async with settled(...)` opens the books for a call. Leaving it by any path closes them: an answer that was committed
in time is done already; a failure, a caller who left or a cancellation is written down here.
"""

import asyncio
from types import TracebackType

from tollhouse.core.failure import Defect, Failure, Overloaded
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.journey import NOTHING, Journey
from tollhouse.gateway.ports import House


class settled:  # noqa: N801 - reads as a word of the flow: `async with settled(...)`
    """See above. `committed`: the record is written, or its writing was tried."""

    __slots__ = ("_house", "_journey", "committed")

    def __init__(self, house: House, journey: Journey) -> None:
        self._house = house
        self._journey = journey
        self.committed = False

    async def commit(self) -> None:
        """Make the record durable. The last part of the answer may leave after this returns.

        Raises Overloaded where it cannot be made durable (Defect where it never can): the answer must then not look
        whole.
        """
        journey, witness = self._journey, self._house.witness
        record = journey.record()
        self.committed = True
        try:
            await self._house.ledger.commit(record)
        except Failure as unsaved:
            _unsaved(journey, unsaved)
            witness.saw(journey.record())
            raise
        witness.saw(record)

    async def __aenter__(self) -> "settled":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        journey = self._journey
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
        try:
            await self.commit()
        except Failure:
            # The failure the caller is about to hear says more than this one, and a failed call is not charged.
            if error is None:
                raise


def _unsaved(journey: Journey, failure: Failure) -> None:
    """An answer that could not be committed: kept back, and free, unless it has begun. A failed call stays one."""
    if journey.error is not None or journey.status != 200:
        return
    journey.ending = "commit_failed"
    journey.error = failure.code
    if not journey.stream:
        journey.status = failure.status
        journey.usage, journey.usage_source = NOTHING, "none"


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
    if journey.first_byte_ms is not None:
        journey.ending = "client_left_after_first_byte"
    elif journey.dispatched:
        journey.ending = "client_left_before_first_byte"
    else:
        journey.ending = "client_left_before_dispatch"
