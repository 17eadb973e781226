"""Reading a 200 until it is known to be good: a buffered answer whole and understood, a stream up to its first event
that says something. Whichever the caller asked for, a provider may send the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from msgspec import structs

from tollhouse.core.aside import APART_BYTES
from tollhouse.core.cleaning import Known, nobodys
from tollhouse.core.failure import Failure, UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.core.sse import is_stream
from tollhouse.core.wire import Answer
from tollhouse.gateway.allowance import GENERATES
from tollhouse.gateway.bodies import BodyPlace
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.large import LARGE_BYTES, worked
from tollhouse.gateway.outlet import Outlet
from tollhouse.gateway.ports import House
from tollhouse.protocols.openai import answer as answers
from tollhouse.protocols.openai.aggregate import Aggregate
from tollhouse.protocols.openai.large import read_answer_apart
from tollhouse.protocols.openai.request import Request
from tollhouse.protocols.openai.stream import StreamReader
from tollhouse.protocols.openai.unfold import unfold
from tollhouse.routing.choice import Choice


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


async def understand(
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
