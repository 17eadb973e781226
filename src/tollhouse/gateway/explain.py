"""What would happen to a call, stage by stage, without making it: nothing is sent, held, counted or written down.

The stages are those of `flow.py`, and the same functions; where `flow.py` takes something, here it is only looked at.
What would refuse the call does not end the explanation: the first failure is the verdict, and what comes after it is
shown as far as it can be known.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from msgspec import Struct, structs

from tollhouse.access.credentials import Presented
from tollhouse.access.judge import CALL, permit, recognise
from tollhouse.access.models import permission
from tollhouse.billing import holds
from tollhouse.billing.bounds import Bounds
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.prices import Price
from tollhouse.core.account import Identity
from tollhouse.core.catalogue import Model, Offer
from tollhouse.core.failure import Failure, ModelNotFound
from tollhouse.core.model_request import ModelRequest, tokens_reserved
from tollhouse.core.operation import Dialect, Operation
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord as Record
from tollhouse.gateway.admission import units_reserved
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import Call
from tollhouse.gateway.hold import counted_text, max_cost, nothing_in, too_dear, too_little, weigh, within
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.read import understand
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.route import SCRIPTED, resolve, route
from tollhouse.routing import resolve as names
from tollhouse.routing.choice import Choice
from tollhouse.routing.circuit import Cause

T = TypeVar("T")

TEST_MODE: Final = "a call in test mode is answered by the simulator and costs nothing"
_LEFT_ALONE: Final[dict[Cause, str]] = {
    "failing": "it failed repeatedly",
    "refused": "it refuses this platform's credentials",
    "saturated": "it is saturated",
}


class Ranked(Struct, frozen=True):
    """An offer of the model. `turn`: it would be tried first (1), second, ...; None: not now, and `why` says so."""

    offer: Offer
    turn: int | None
    why: str


class Explanation(Struct, kw_only=True):
    """`failure`: the first that the call would meet; None: it would be let in and sent.

    `tokens`: what it counts for at the limits of tokens. `limits`: those it has to pass, each with what it `needs`.
    `amount`: nano-USD that would be held. `free`: why nothing is.
    """

    identity: Identity
    operation: Operation
    asked: str = ""
    model: Model | None = None
    tags: dict[str, str] = {}
    tokens: int = 0
    limits: list[dict[str, object]] = []
    offers: tuple[Ranked, ...] = ()
    free: str = ""
    price: Price | None = None
    bounds: Bounds | None = None
    amount: int = 0
    counters: list[SpendingCounter] = []
    failure: Failure | None = None

    def met(self, failure: Failure) -> None:
        if self.failure is None:
            self.failure = failure

    def seen(self, look: Callable[[], T]) -> T | None:
        """What a stage gives; where it would refuse the call, None."""
        try:
            return look()
        except Failure as failure:
            self.met(failure)
            return None

    async def seen_later(self, look: Awaitable[T]) -> T | None:
        """The same of a stage that may wait."""
        try:
            return await look
        except Failure as failure:
            self.met(failure)
            return None


async def explain(
    gateway: GatewayContext,
    identity: Identity,
    operation: Operation,
    headers: Headers,
    body: bytes,
    *,
    dialect: Dialect = "openai",
    model_in_path: str = "",
    stream: bool | None = None,
) -> Explanation:
    """A call of this caller with this body. `headers`: names in lower case; no key is looked for in them. From which
    address he would call is not known, so his networks are not judged. model_in_path, stream: in dialects whose
    paths say them."""
    now_ms = gateway.clock.now_ms()
    call = Call(
        id="",
        arrived_ms=now_ms,
        time_ms=now_ms,
        ticks_ns=gateway.clock.ticks_ns(),
        dialect=dialect,
        operation=operation,
        headers=headers,
        query=b"",
        address="",
        client=_NoConnection(),
        model=model_in_path,
        stream=stream,
    )
    codec = gateway.codecs[call.dialect, operation]
    context = RequestContext(call, identity, codec, codec, codec, dict(reversed(headers)))
    found = Explanation(identity=identity, operation=operation)
    found.seen(lambda: _judge(identity, now_ms))
    request = await found.seen_later(understand(gateway, context, [body]))
    if request is None:
        return found
    found.asked, found.tags, found.tokens = request.model, context.tags, tokens_reserved(request, context.asked)
    model = found.seen(lambda: resolve(gateway, context, request))
    if model is None:
        return found
    await _look_at(gateway, found, model, now_ms, units_reserved(context))
    choices = found.seen(lambda: route(gateway, context, request, model)) or ()
    found.offers = _ranked(gateway, identity, model, choices, operation, now_ms)
    await _look_at_money(gateway, found, context, request, model)
    return found


async def explain_again(gateway: GatewayContext, identity: Identity, record: Record) -> Explanation:
    """What a call like one that was made would meet now. Its body was never kept: it is held for what it was held for,
    and counts for what was reserved."""
    now_ms, operation = gateway.clock.now_ms(), record.operation
    found = Explanation(identity=identity, operation=operation, asked=record.model, tags=record.tags)
    found.seen(lambda: _judge(identity, now_ms))
    if identity.key.mode == "test" and record.model == SCRIPTED.rstrip("/"):
        found.free = TEST_MODE
        return found
    if not record.model:
        found.met(ModelNotFound("The call named no model that is known here, and what it named was not kept."))
        return found
    allowed = permission(gateway.catalogue, identity)
    model = found.seen(lambda: names.resolve(gateway.catalogue, record.model, allowed, now_ms, operation))
    if model is None:
        return found
    took = {one.kind: one.after - one.before for one in record.limits}
    found.tokens = took.get("tokens_per_minute", record.usage.tokens_in() + record.usage.tokens_out())
    await _look_at(gateway, found, model, now_ms, record.usage, took)
    held = record.released if record.charge is None else record.charge.held
    found.free = _free(identity, model)
    if model.free and identity.key.mode != "test":
        await found.seen_later(nothing_in(gateway, identity.key, model, now_ms))
    if not found.free:
        _look_into(gateway, found, await gateway.holds.paying(identity.key, now_ms, model.id), held, now_ms)
    return found


def _judge(identity: Identity, now_ms: int) -> None:
    recognise(identity, presented=Presented("", ""), now_ms=now_ms)
    anywhere = structs.replace(identity, key=structs.replace(identity.key, networks=()))
    permit(anywhere, address="", needs=CALL)


async def _look_at(
    gateway: GatewayContext,
    found: Explanation,
    model: Model,
    now_ms: int,
    units: Usage,
    took: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Stage 3, without taking a place. took: what the call has reserved before, by the kind of limit."""
    identity, limits = found.identity, gateway.limits
    found.model = model
    for one in await limits.status(identity, now_ms, model.id):
        kind = str(one["name"])
        found.limits.append({**one, "needs": took.get(kind, limits.reserved(kind, found.tokens, units))})
    refused = await limits.refusal_of(identity, model, found.tokens, now_ms, units)
    if refused is not None:
        found.met(refused)


async def _look_at_money(
    gateway: GatewayContext, found: Explanation, context: RequestContext, request: ModelRequest, model: Model
) -> None:
    """Stage 5, without holding anything."""
    maximum = found.seen(lambda: max_cost(context))
    found.free = _free(found.identity, model)
    weighed = await found.seen_later(weigh(gateway, context, request, model))
    if weighed is None:
        return
    if too_dear(weighed, maximum) and (counted := await counted_text(gateway, context, request, model)) is not None:
        weighed = await weigh(gateway, context, request, model, counted) or weighed
    found.price, found.bounds = weighed.price, weighed.bounds
    if maximum is not None:
        found.seen(lambda: within(maximum, weighed.bounds))
    _look_into(gateway, found, weighed.counters, weighed.bounds.amount, context.call.time_ms)


def _look_into(
    gateway: GatewayContext, found: Explanation, counters: list[SpendingCounter], amount: int, now_ms: int
) -> None:
    found.counters, found.amount = counters, amount
    short = holds.insufficient(counters, amount)
    if short is not None:
        found.met(too_little(gateway, short, now_ms))


def _free(identity: Identity, model: Model) -> str:
    if identity.key.mode == "test":
        return TEST_MODE
    return "the model is free" if model.free else ""


def _ranked(
    gateway: GatewayContext,
    identity: Identity,
    model: Model,
    choices: Sequence[Choice],
    operation: Operation,
    now_ms: int,
) -> tuple[Ranked, ...]:
    """Every offer of the model, those first that would be tried first."""
    tried = list(dict.fromkeys(choice.offer for choice in choices))
    ranked = [
        Ranked(offer, turn, f"priority {offer.priority}, weight {offer.weight}") for turn, offer in enumerate(tried, 1)
    ]
    return (
        *ranked,
        *(
            Ranked(offer, None, _why_not(gateway, identity, offer, operation, now_ms))
            for offer in model.offers
            if offer not in tried
        ),
    )


def _why_not(gateway: GatewayContext, identity: Identity, offer: Offer, operation: Operation, now_ms: int) -> str:
    destination = gateway.destinations.get(offer.provider)
    if destination is None:
        return "its provider is not in force"
    if operation not in destination.operations:
        return f"its provider is not asked for {operation}: it speaks {', '.join(destination.speaks)}"
    account, slots = identity.key.account_id, range(max(1, len(destination.keys)))
    closed = [gateway.health.closed_until(account, offer, slot, now_ms) for slot in slots]
    soonest = min((one for one in closed if one is not None), default=None)
    if soonest is None:
        return "not asked in this mode"
    until_ms, cause = soonest
    return f"left alone for {-(-(until_ms - now_ms) // 1000)} s, because {_LEFT_ALONE[cause]}"


class _NoConnection:
    """A caller who is not there to read an answer. See `gateway.connection.CallerConnection`."""

    gone = False
    more_body = False
    encoding = ""
    body_max = length = body_held = 0
    on_gone: Callable[[], None] | None = None

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        return []

    def write_chunk(self, data: bytes) -> bool:
        return False

    async def receive(self) -> bytes | None:
        return None

    def cut_body(self) -> None: ...

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None: ...

    async def send_headers(self, status: int, headers: Headers) -> None: ...

    async def send_chunk(self, data: bytes) -> None: ...

    async def finish(self, data: bytes) -> None: ...

    async def break_off(self, data: bytes) -> None: ...
