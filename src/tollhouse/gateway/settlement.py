"""What a call reserves, and stage 9: whatever happened, a call is written down exactly once, and before the last part
of its answer leaves.

`async with Settlement(...)` is the settlement of a call: within it the call reserves its place at the limits and the
money it may cost. Leaving it by any path ends both, the hold by the charge or by nothing. An answer that was committed
in time is written down already; a failure, a caller who left or a cancellation is written down here.
"""

import asyncio
from types import TracebackType
from typing import Final

from tollhouse.billing.charges import total
from tollhouse.core.catalogue import Model
from tollhouse.core.charge import Charge
from tollhouse.core.failure import Defect, Failure, InsufficientQuota, MaxCostExceeded, Overloaded
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.usage import Usage
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.deferred_commit import settle, write_later
from tollhouse.gateway.hold import RequestHold, counted_text, hold
from tollhouse.gateway.ports import NANO_PER_MILLI, AdmittedCall, GatewayContext
from tollhouse.gateway.request_context import NOTHING, RequestContext

UNHELD: Final = RequestHold()


class Settlement:
    """See above. admitted: its place at the limits. committed: the record is written, or its writing was tried."""

    __slots__ = ("_context", "_gateway", "_held", "admitted", "committed")

    def __init__(self, gateway: GatewayContext, context: RequestContext) -> None:
        self._gateway = gateway
        self._context = context
        self._held = UNHELD
        self.admitted: AdmittedCall | None = None
        self.committed = False

    async def hold(self, request: ModelRequest, model: Model) -> None:
        """Reserve the worst case, by exact tokens where it does not fit by bytes.

        Raises what `gateway.hold.hold` does; then nothing is reserved.

        Raises Overloaded while the ledger cannot be written: no provider is asked for what could not be charged.
        """
        if self._gateway.ledger.trouble is not None:
            raise Overloaded("the database cannot be written at the moment: try again", retry_after_ms=1_000)
        gateway, context = self._gateway, self._context
        # The answer is counted on the event loop as it passes; a vocabulary that this needs is read before, aside.
        await gateway.count.prepare(context.model)
        try:
            self._held = await hold(gateway, context, request, model)
        except (InsufficientQuota, MaxCostExceeded):
            counted = await counted_text(gateway, context, request, model)
            if counted is None:
                raise
            self._held = await hold(gateway, context, request, model, counted)

    def beyond(self, usage: Usage) -> bool:
        """Whether this usage would cost more than the caller allows for the call."""
        maximum, price = self._context.most_cost, self._held.price
        return maximum is not None and price is not None and total(price, usage) > maximum

    def known_charge(self) -> int | None:
        """What a whole answer will cost in nano-USD, where that follows from the request; None: it does not."""
        price = self._held.price
        if price is None:
            return 0
        if price.tiers[0].per_million or self._context.asked.units is None:
            return None
        return total(price, self._context.asked.units)

    async def commit(self) -> None:
        """Make the record durable. The last part of the answer may leave after this returns.

        Raises Overloaded where it cannot be made durable (Defect where it never can): the answer must then not look
        whole. A buffered call is free then; what was streamed is charged once it can be written.
        """
        context, observer, hold = self._context, self._gateway.observer, self._held.hold
        context.charge = self._charge()
        context.settled_ms = (self._gateway.clock.ticks_ns() - context.call.ticks_ns) // NANO_PER_MILLI
        record = context.record()
        self.committed = True
        try:
            await self._gateway.ledger.commit(record)
        except Failure as unsaved:
            _unsaved(context, unsaved)
            await self._unpaid(unsaved)
            observer.on_finished(context.record())
            raise
        except asyncio.CancelledError:
            if hold is not None:
                await settle(self._gateway, hold, record)  # the writer has it, and will not give it back
            raise
        if hold is not None:
            await settle(self._gateway, hold, record)
        observer.on_finished(record)

    def finish_free(self) -> None:
        """The call is over, and asked for nothing that costs: the log and the figures see it, the ledger does not."""
        context = self._context
        context.ending = "finished"
        context.settled_ms = (self._gateway.clock.ticks_ns() - context.call.ticks_ns) // NANO_PER_MILLI
        self.committed = True
        self._gateway.observer.on_finished(context.record())

    async def __aenter__(self) -> "Settlement":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context = self._context
        if self.admitted is not None:
            refused = isinstance(error, Failure) and not context.dispatched
            await self.admitted.release(context.usage, self._gateway.clock.now_ms(), refused=refused)
        if (
            error is not None
            or context.memory is not None
            or context.answer_memory is not None
            or context.entry is not None
            or context.disk is not None
        ):
            await self._leave_memory(error)
        if self.committed:
            return
        if isinstance(error, Failure):
            _failed(context, error)
        elif isinstance(error, ClientDisconnected):
            left(context)
        elif isinstance(error, asyncio.CancelledError):
            _failed(context, Overloaded("the process ends"))
        elif error is not None:
            _failed(context, Defect("a defect of this platform"))
        if context.ending == "refused" and context.status < 500 and not await self._may_be_written():
            return
        try:
            await self.commit()
        except Failure:
            # The failure the caller is about to hear says more than this one, and a failed call is not charged.
            if error is None:
                raise

    async def _may_be_written(self) -> bool:
        """Whether a refused call is written down; one that is not ends here, and the log and the figures see it."""
        gateway, context = self._gateway, self._context
        if gateway.refused_records.admit(context.identity.key.account_id, gateway.clock.now_ms()):
            return True
        record = context.record()
        self.committed = True
        if self._held.hold is not None:
            await settle(gateway, self._held.hold, record)
        gateway.observer.on_finished(record)
        return False

    async def _leave_memory(self, error: BaseException | None) -> None:
        """The body's room and place are free again. A call that no provider was asked for counts as refused."""
        gateway, context = self._gateway, self._context
        if context.entry is not None:
            await context.entry.release()
        memory = context.memory
        if memory is not None:
            memory.release()
        if context.answer_memory is not None:
            context.answer_memory.release()
        if context.spool is not None:
            context.spool.close()
        if context.disk is not None:
            context.disk.release()
        if error is not None and not context.dispatched and isinstance(error, Failure | ClientDisconnected):
            came = context.body_bytes or (0 if memory is None else memory.received)
            gateway.refusals.count(context.identity.key, came, gateway.clock.now_ms())

    def _charge(self) -> Charge | None:
        """What the usage costs at the price that stood at admission; None where nothing is charged."""
        context, held = self._context, self._held
        if context.usage_source == "none" or context.identity.key.mode == "test":
            return None
        if held.price is None or held.hold is None:
            return Charge(amount=0, price_id=None)
        amount = total(held.price, context.usage)
        budgets = []
        for counter in held.hold.counters:
            if counter.kind == "budget":
                budgets.append((counter.id, counter.starts_at_ms))
        return Charge(
            amount=amount,
            price_id=held.price.id,
            multiplier_ppm=held.price.multiplier_ppm,
            held=held.hold.amount,
            overrun=max(0, amount - held.hold.amount),
            budgets=tuple(budgets),
        )

    async def _unpaid(self, failure: Failure) -> None:
        """The commit failed: a charge for what has been streamed waits with its hold; all else is free."""
        hold, context = self._held.hold, self._context
        if context.charge is not None and isinstance(failure, Overloaded):
            write_later(self._gateway, context.record(), self._held)
        elif hold is not None:
            await self._gateway.holds.release(hold)


def _unsaved(context: RequestContext, failure: Failure) -> None:
    """An answer that could not be committed: kept back, and free, unless it has begun. A failed call stays one."""
    if context.error is not None or context.status != 200:
        return
    context.ending = "commit_failed"
    context.error, context.message = failure.code, failure.message
    if not context.stream:
        context.status = context.codec.error_status(failure)
        context.usage, context.usage_source, context.charge = NOTHING, "none", None


def _failed(context: RequestContext, failure: Failure) -> None:
    context.status = context.codec.error_status(failure)
    context.error, context.message = failure.code, failure.message
    if context.first_byte_ms is not None:
        context.ending = "failed_after_first_byte"
    elif context.dispatched:
        context.ending = "failed_before_first_byte"
    else:
        context.ending = "refused"


def left(context: RequestContext) -> None:
    """Note that the caller is gone."""
    context.status = 499  # nobody sees it; the figure other servers' logs use for a caller who left
    if context.provider is not None:
        provider = context.destinations[context.provider].provider
        context.read_on = not context.stream or provider.on_disconnect == "drain"
    if context.first_byte_ms is not None:
        context.ending = "client_left_after_first_byte"
    elif context.dispatched:
        context.ending = "client_left_before_first_byte"
    else:
        context.ending = "client_left_before_dispatch"
