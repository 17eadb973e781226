"""Stage 6: try what the route offers until one answers, within the retry budget.

An attempt is over only when its answer is known to be good (`answer.py`). Until then nothing has gone to the caller,
and the next offer may be tried; an error that hides inside a 200 is found there too.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from tollhouse.core.aside import APART_BYTES
from tollhouse.core.failure import Failure, Overloaded
from tollhouse.core.request import Attempt
from tollhouse.core.wire import Answer, Outgoing
from tollhouse.gateway.answer import Opened, Whole, understand
from tollhouse.gateway.blame import blame_of, hold_against
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.journey import NOTHING, Journey
from tollhouse.gateway.large import LARGE_BYTES
from tollhouse.gateway.leaving import Leaving
from tollhouse.gateway.meter import count
from tollhouse.gateway.ports import House
from tollhouse.gateway.refusal import known_of, read_refusal
from tollhouse.protocols.openai.request import Request, write
from tollhouse.providers import Fault
from tollhouse.routing import retry
from tollhouse.routing.choice import Choice

NANO_PER_MILLI: Final = 1_000_000


class Faulted(Exception):
    """An attempt failed; `fault` says why, whose fault it was, and when trying there again makes sense."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.failure.code)
        self.fault = fault


async def attempt(house: House, journey: Journey, request: Request, choices: Sequence[Choice]) -> Whole | Opened:
    """The first good answer. Raises the Failure of the last attempt."""
    account = journey.identity.key.account_id
    house.retries.deposit(account)
    at: int | None = 0
    tries = 0
    while at is not None:
        choice = choices[at]
        tries += 1
        try:
            return await _one(house, journey, request, choice)
        except Faulted as faulted:
            fault = faulted.fault
        if journey.identity.key.mode == "test":
            break  # what a script asked for is the answer, and says nothing about any provider
        fault = hold_against(house, journey, choice, fault)
        spent = journey.call.client.gone or tries == retry.ATTEMPTS_MAX
        if spent or not retry.elsewhere(fault.failure, fault.blame):
            break
        following = retry.following(choices, at, fault.blame)
        if following is None and retry.again(fault.failure, tries):
            following = at
            await house.sleep(retry.backoff_ms(tries, house.chance()) / 1000)
        if following is None or journey.call.client.gone or not house.retries.withdraw(account, house.clock.now_ms()):
            break
        at = following
    raise fault.failure


async def _one(house: House, journey: Journey, request: Request, choice: Choice) -> Whole | Opened:
    """One try, noted in the journey and in the health of what was tried."""
    destination = journey.destinations[choice.offer.provider]
    clock, client = house.clock, journey.call.client
    if client.gone and not journey.dispatched:
        raise ClientLeft  # while his body was read: nothing is sent, and nothing charged
    journey.dispatched = True
    journey.provider, journey.known = destination.provider.id, known_of(destination, request, choice)
    account, began_ms, rehearsed = journey.identity.key.account_id, clock.now_ms(), journey.identity.key.mode == "test"
    if not rehearsed:
        house.health.begin(account, choice.offer, choice.slot, began_ms)
    began_ns = clock.ticks_ns()
    error: str | None = "client_left"
    answer: Answer | None = None
    abort = request.stream and destination.provider.on_disconnect == "abort"
    try:
        with Leaving(client, house.drain_seconds_max, abort) as leaving:
            make = partial(_outgoing, journey, request, choice, destination)
            outgoing = make() if request.length <= LARGE_BYTES else await house.aside.run(account, make)
            answer = await destination.upstream.send(outgoing)
            if answer.status != 200:
                raise Faulted(await read_refusal(house, journey, request, choice, answer))
            made = await understand(house, journey, request, choice, answer)
        if isinstance(made, Opened):
            made.give_up_at = leaving.give_up_at
        if request.length > APART_BYTES:
            await _forget_body(house, journey, request, outgoing)
        error = None
        return made
    except Faulted as faulted:
        error = faulted.fault.failure.code
        raise
    except Failure as failure:
        error = failure.code
        raise Faulted(Fault(failure=failure, blame=blame_of(failure))) from None
    except ClientLeft:
        await count(house, journey, request, NOTHING)  # the provider read the prompt
        raise
    finally:
        if error is not None and answer is not None:
            answer.abort()  # nobody will read the rest
        ended_ns = clock.ticks_ns()
        journey.upstream_ns += ended_ns - began_ns
        arrived_ns = journey.call.ticks_ns
        journey.attempts.append(
            Attempt(
                provider=destination.provider.id,
                model=choice.offer.model,
                status=None if answer is None else answer.status,
                error=error,
                start_ms=(began_ns - arrived_ns) // NANO_PER_MILLI,
                first_byte_ms=(ended_ns - arrived_ns) // NANO_PER_MILLI if error is None else None,
                end_ms=(ended_ns - arrived_ns) // NANO_PER_MILLI,
            )
        )
        if error is None and not rehearsed:
            house.health.succeeded(account, choice.offer, choice.slot, began_ms, clock.now_ms())
            if house.troubles.any:
                house.troubles.succeeded(choice.offer.provider, choice.offer.model)


async def _forget_body(house: House, journey: Journey, request: Request, outgoing: Outgoing) -> None:
    """The provider has read it and answers: it is not sent again, and takes no room while the answer is passed on.

    A thread drops it, for giving 30 MiB back to the system takes 5 ms.
    """

    def drop() -> None:
        request.members.clear()
        outgoing.body, outgoing.rest = b"", []

    try:
        await house.aside.run(journey.identity.key.account_id, drop)
    except Overloaded:  # the account's own work waits: the loop does it
        drop()
    if journey.room is not None:
        journey.room.release()


def _outgoing(journey: Journey, request: Request, choice: Choice, destination: Destination) -> Outgoing:
    provider, call = destination.provider, journey.call
    stream = request.stream or (provider.streams_only and call.operation in ("chat", "completions", "responses"))
    model = choice.offer.model
    own_caps = provider.output_caps if call.operation == "chat" else ()
    body, *rest = write(
        request,
        model=model,
        stream=stream,
        include_usage=stream and provider.reports_stream_usage,
        caps=own_caps or destination.kind.caps.get(call.operation, ()),
        others=not own_caps,
        added_cap=journey.added_cap,
    )
    return Outgoing(
        route=destination.route,
        method=b"POST",
        target=destination.target(call.operation),
        headers=destination.headers(choice.slot, call.headers),
        body=bytes(body),
        rest=rest,
        deadlines=destination.deadlines,
        operation=call.operation,
        model=model,
        script=journey.script,
        context_tokens=journey.context_tokens,
        max_output_tokens=journey.longest_answer,
        scripted_for=journey.identity.key.id,
        account_id=journey.identity.key.account_id,
    )
