"""Stage 6: try what the route offers until one answers, within the retry budget.

An attempt is over only when its answer is known to be good (`answer.py`). Until then nothing has gone to the caller,
and the next offer may be tried; an error that hides inside a 200 is found there too.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.failure import Failure
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.upstream import UpstreamRequest, UpstreamResponse
from tollhouse.core.usage_record import Attempt
from tollhouse.core.workers import APART_BYTES
from tollhouse.gateway.blame import blame_of, hold_against
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.disconnect import DisconnectGuard
from tollhouse.gateway.large import LARGE_BYTES, dropped
from tollhouse.gateway.meter import count
from tollhouse.gateway.outgoing import write_call
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.refusal import AttemptFailed, known_of, read_refusal
from tollhouse.gateway.request_context import NOTHING, RequestContext
from tollhouse.gateway.response import BufferedResponse, StreamResponse, understand
from tollhouse.gateway.translate import THREAD_BYTES, spoken
from tollhouse.providers import Fault
from tollhouse.routing import retry
from tollhouse.routing.choice import Choice

NANO_PER_MILLI: Final = 1_000_000
_ANSWERED: Final = (200, 201, 203)
"""Statuses of an answer: some frameworks say 201 to every POST, and 203 is a 200 that a proxy has touched."""


async def attempt(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, choices: Sequence[Choice]
) -> BufferedResponse | StreamResponse:
    """The first good answer. Raises the Failure of the last attempt."""
    account = context.identity.key.account_id
    gateway.retries.deposit(account)
    at: int | None = 0
    tries = 0
    while at is not None:
        choice = choices[at]
        tries += 1
        try:
            return await _one(gateway, context, request, choice)
        except AttemptFailed as faulted:
            fault = faulted.fault
        context.provider_words = fault.words
        if context.identity.key.mode == "test":
            break  # what a script asked for is the answer, and says nothing about any provider
        fault = hold_against(gateway, context, choice, fault)
        spent = context.call.client.gone or tries == retry.ATTEMPTS_MAX
        if spent or not retry.elsewhere(fault.failure, fault.blame):
            break
        following = retry.following(choices, at, fault.blame)
        if following is None and retry.again(fault.failure, tries):
            following = at
            await gateway.sleep(retry.backoff_ms(tries, gateway.chance()) / 1000)
        if (
            following is None
            or context.call.client.gone
            or not (fault.blame == "format" or gateway.retries.withdraw(account, gateway.clock.now_ms()))
        ):
            break
        at = following
    raise fault.failure


async def _one(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, choice: Choice
) -> BufferedResponse | StreamResponse:
    """One try, noted in the request context and in the health of what was tried."""
    destination = context.destinations[choice.offer.provider]
    clock, client = gateway.clock, context.call.client
    if client.gone and not context.dispatched:
        raise ClientDisconnected  # while his body was read: nothing is sent, and nothing charged
    context.dispatched = True
    context.provider = destination.provider.id
    context.known = known_of(context.request_codec, destination, request, choice)
    account, began_ms, rehearsed = context.identity.key.account_id, clock.now_ms(), context.identity.key.mode == "test"
    if not rehearsed:
        gateway.health.begin(account, choice.offer, choice.slot, began_ms)
    began_ns = clock.ticks_ns()
    error: str | None = "client_left"
    answer: UpstreamResponse | None = None
    abort = request.stream and destination.provider.on_disconnect == "abort"
    try:
        with DisconnectGuard(client, gateway.drain_seconds_max, abort) as guard:
            outgoing = await _written(gateway, context, request, choice, destination)
            if destination.kind.sign is not None:
                await _sign(gateway, context, choice, outgoing)
            answer = await destination.upstream.send(outgoing)
            if answer.status not in _ANSWERED:
                raise AttemptFailed(await read_refusal(gateway, context, request, choice, answer))
            made = await understand(gateway, context, request, choice, answer)
        if isinstance(made, StreamResponse):
            made.give_up_at = guard.give_up_at
        if request.length > APART_BYTES:
            await _forget_body(gateway, context, request, outgoing)
        error = None
        return made
    except AttemptFailed as faulted:
        error = faulted.fault.failure.code
        destination.refused(choice.slot, faulted.fault.failure, began_ms)
        raise
    except Failure as failure:
        error = failure.code
        raise AttemptFailed(Fault(failure=failure, blame=blame_of(failure))) from None
    except ClientDisconnected:
        await count(gateway, context, request, NOTHING)  # the provider read the prompt
        raise
    finally:
        if error is not None and answer is not None:
            answer.abort()  # nobody will read the rest
        _note(context, choice, None if answer is None else answer.status, error, began_ns, clock.ticks_ns())
        if error is None and not rehearsed:
            gateway.health.succeeded(account, choice.offer, choice.slot, began_ms, clock.now_ms())
            if gateway.troubles.any:
                gateway.troubles.succeeded(choice.offer.provider, choice.offer.model)


async def _written(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, choice: Choice, destination: Destination
) -> UpstreamRequest:
    """The call as it goes to the provider, in the caller's format if it is spoken there. Raises AttemptFailed."""
    stream, provider = request.stream, destination.provider
    if context.codec.generates:
        stream = provider.streams_only or (stream and not provider.buffers_only)
    wire = context.request_codec.wire
    target = destination.target(context.call.operation, wire, choice.offer.model, stream)
    outbound, most = None, LARGE_BYTES
    context.provider_format, request.untold = "", ()
    if request.form is None and not target.format == wire == context.codec.wire:
        outbound, most = spoken(gateway, context, target.format), THREAD_BYTES
        context.provider_format = target.format
    write = partial(write_call, gateway, context, request, choice, destination, target, stream, outbound)
    if request.length <= most:
        return write()
    return await gateway.threads.run(context.identity.key.account_id, write)


def _note(
    context: RequestContext, choice: Choice, status: int | None, error: str | None, began_ns: int, ended_ns: int
) -> None:
    """An attempt is over, or its answer has begun well (`error` None)."""
    arrived_ns = context.call.ticks_ns
    context.upstream_ns += ended_ns - began_ns
    end_ms = (ended_ns - arrived_ns) // NANO_PER_MILLI
    context.attempts.append(
        Attempt(
            provider=choice.offer.provider,
            model=choice.offer.model,
            status=status,
            error=error,
            format=context.provider_format,
            start_ms=(began_ns - arrived_ns) // NANO_PER_MILLI,
            first_byte_ms=end_ms if error is None else None,
            end_ms=end_ms,
        )
    )


async def _sign(gateway: GatewayContext, context: RequestContext, choice: Choice, outgoing: UpstreamRequest) -> None:
    """Sign a call that is written. Raises the Failure of a token that cannot be got. No message of the provider may
    tell a token that was used."""
    token = await context.destinations[choice.offer.provider].sign(choice.slot, outgoing, gateway.clock.now_ms())
    if token:
        context.known = structs.replace(context.known, secrets=(token, *context.known.secrets))


async def _forget_body(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, outgoing: UpstreamRequest
) -> None:
    """The provider has read it and answers: it is not sent again, and takes no room while the answer is passed on."""

    def drop() -> None:
        request.members.clear()
        outgoing.body, outgoing.rest = b"", []

    await dropped(gateway, context.identity.key.account_id, drop)
    if context.memory is not None:
        context.memory.release()
