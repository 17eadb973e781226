"""Stage 6: try what the route offers until one answers, within the retry budget.

An attempt is over only when its answer is known to be good: a buffered answer has been read whole and understood, a
stream has given its first event that says something. Until then nothing has gone to the caller, and the next offer may
be tried; an error that hides inside a 200 is found here too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.aside import APART_BYTES
from tollhouse.core.cleaning import Known, nobodys
from tollhouse.core.failure import Failure, Overloaded, UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.core.request import Attempt
from tollhouse.core.sse import is_stream
from tollhouse.core.wire import Answer, Outgoing
from tollhouse.gateway.allowance import GENERATES
from tollhouse.gateway.blame import blame_of, hold_against
from tollhouse.gateway.bodies import BodyPlace
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.journey import NOTHING, Journey
from tollhouse.gateway.large import LARGE_BYTES, worked
from tollhouse.gateway.leaving import Leaving
from tollhouse.gateway.meter import count
from tollhouse.gateway.outlet import Outlet
from tollhouse.gateway.ports import House
from tollhouse.gateway.refusal import known_of, read_refusal
from tollhouse.protocols.openai import answer as answers
from tollhouse.protocols.openai.aggregate import Aggregate
from tollhouse.protocols.openai.large import read_answer_apart
from tollhouse.protocols.openai.request import Request, write
from tollhouse.protocols.openai.stream import StreamReader
from tollhouse.protocols.openai.unfold import unfold
from tollhouse.providers import Fault
from tollhouse.routing import retry
from tollhouse.routing.choice import Choice

NANO_PER_MILLI: Final = 1_000_000


@dataclass(slots=True)
class Whole:
    """A buffered answer, read and understood. `cut`: it was gathered, up to what may pass."""

    body: bytes
    reading: answers.Reading
    cut: bool = False


@dataclass(slots=True)
class Opened:
    """A stream whose beginning is good. `first` may go to the caller; the rest is still to be read from `answer`
    (None: it was all there is). `give_up_at`: see `Leaving`."""

    choice: Choice
    answer: Answer | None
    reader: StreamReader
    first: bytes
    outlet: Outlet
    give_up_at: float | None = None


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
            made = await _understand(house, journey, request, choice, answer)
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


async def _understand(
    house: House, journey: Journey, request: Request, choice: Choice, answer: Answer
) -> Whole | Opened:
    """Read a 200 until it is known to be good, in whichever of both forms it came."""
    operation, account_id = journey.call.operation, journey.identity.account.id
    if not _is_event_stream(answer):
        pieces = await _buffered(house, journey, answer)
        streams = operation in GENERATES and is_stream(b"".join([piece[:64] for piece in pieces[:8]]))
        if streams:
            body = await worked(house, account_id, sum(map(len, pieces)), partial(b"".join, pieces))
            if not request.stream:
                return await _gathered_at_once(house, journey, request, body)
        else:
            body, reading = await _read_whole(house, journey, pieces)
            if not request.stream:
                return Whole(body, reading)
        reader = _reader(house, journey, request)

        def feed() -> bytes:
            return reader.feed(body if streams else unfold(operation, body))

        first = await worked(house, account_id, len(body), feed)
        if not reader.whole:
            reader.finish()
        return Opened(choice, None, reader, first, _outlet(house, journey))
    if not request.stream:
        return await _gathered(house, journey, request, answer)
    reader = _reader(house, journey, request)
    outlet = _outlet(house, journey)
    house.pulse.outlets.add(outlet)
    try:
        first = await _first(house, account_id, answer, reader)
    except Failure as failure:
        if not outlet.opened:
            raise
        answer.abort()
        # The caller was told to wait by a filler, so the head is gone: the failure goes out as an event.
        reader.failure = failure
        first = b""
    finally:
        house.pulse.outlets.discard(outlet)
    return Opened(choice, answer, reader, first, outlet)


def _reader(house: House, journey: Journey, request: Request) -> StreamReader:
    return StreamReader(
        journey.call.operation,
        show_usage=request.wants_usage,
        count=_count(house, journey),
        choices=request.choices,
        most=journey.most_out,
        known=journey.known,
        echoes=bool(request.echoes),
    )


def _count(house: House, journey: Journey) -> Callable[[str], int]:
    return lambda text: house.count.count(text, journey.model)


def _outlet(house: House, journey: Journey) -> Outlet:
    return Outlet(journey.call.client, journey.headers, house.clock.ticks_ns())


async def _first(house: House, account_id: str, answer: Answer, reader: StreamReader) -> bytes:
    """Read on until something may be released, or the stream is whole."""
    while True:
        data = await answer.read()
        if not data:
            reader.finish()
            return b""
        size = len(data) + reader.pending
        released = await worked(house, account_id, size, lambda data=data: reader.feed(data))  # type: ignore[misc]
        if reader.failure is not None and not released:
            raise reader.failure
        if released or reader.whole:
            return released


def _aggregate(house: House, journey: Journey, request: Request) -> Aggregate:
    operation, count_ = journey.call.operation, _count(house, journey)
    return Aggregate(operation, request.choices, count=count_, most=journey.most_out, known=journey.known)


async def _gathered(house: House, journey: Journey, request: Request, answer: Answer) -> Whole:
    """A stream as one body; no more of it than may pass."""
    operation, account_id, bytes_max = journey.call.operation, journey.identity.account.id, house.answer_bytes_max
    aggregate = _aggregate(house, journey, request)
    size = 0
    while not aggregate.whole:
        data = await answer.read()
        if not data:
            break
        size += len(data)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if size > LARGE_BYTES:
            await _room(house, journey).grow(size, bytes_max)
        pending = len(data) + aggregate.pending
        await worked(house, account_id, pending, lambda data=data: aggregate.feed(data))  # type: ignore[misc]
    whole = await worked(house, account_id, size, partial(_finished, aggregate, operation, journey.known))
    if whole.cut:
        answer.abort()
    else:
        answer.release()
    return whole


async def _gathered_at_once(house: House, journey: Journey, request: Request, body: bytes) -> Whole:
    """The same of a stream whose head does not say that it is one."""
    operation, account_id = journey.call.operation, journey.identity.account.id

    def gather() -> Whole:
        aggregate = _aggregate(house, journey, request)
        aggregate.feed(body)
        return _finished(aggregate, operation, journey.known)

    return await worked(house, account_id, len(body), gather)


def _finished(aggregate: Aggregate, operation: Operation, known: Known) -> Whole:
    """What was gathered, as a body and as what it says."""
    body = aggregate.finish()
    reading = structs.replace(answers.read(operation, body, known), raw_usage=aggregate.raw_usage)
    return Whole(body, reading, aggregate.cut)


async def _read_whole(house: House, journey: Journey, pieces: list[bytes]) -> tuple[bytes, answers.Reading]:
    """The whole body of an answer, and what it says. Raises what `answers.read` raises."""
    operation, account_id = journey.call.operation, journey.identity.account.id
    size = sum(map(len, pieces))
    if size > APART_BYTES:
        known = structs.replace(journey.known, is_callers=nobodys)
        read_apart = partial(house.apart.call, read_answer_apart, pieces, operation, known)
        reading, body = await house.aside.run(account_id, read_apart)
        return body, reading
    body = b"".join(pieces)
    return body, await worked(house, account_id, size, partial(answers.read, operation, body, journey.known))


async def _buffered(house: House, journey: Journey, answer: Answer) -> list[bytes]:
    """The whole body of an answer; a large one waits for room in memory, unread, and has it until it has left.

    Raises UpstreamError beyond `answer_bytes_max`, Overloaded where there is no room for long, and what `Answer.read`
    raises.
    """
    bytes_max = house.answer_bytes_max
    piece = await answer.read()
    pieces, size = [], 0
    while piece:
        pieces.append(piece)
        size += len(piece)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if size > LARGE_BYTES:
            await _room(house, journey).grow(size, bytes_max)
        piece = await answer.read()
    return pieces


def _room(house: House, journey: Journey) -> BodyPlace:
    if journey.answer_room is None:
        journey.answer_room = house.answers.place(journey.identity.key.account_id)
    return journey.answer_room


def _too_large(bytes_max: int) -> UpstreamError:
    return UpstreamError(f"the provider's answer is larger than the {bytes_max} bytes this platform buffers")


def _is_event_stream(answer: Answer) -> bool:
    return any(name == b"content-type" and b"event-stream" in value.lower() for name, value in answer.headers)
