"""Stage 8: the answer goes on to the caller as it comes, and its last part after the commit.

A buffered answer is committed, then sent. A stream is sent event by event; what would make it look whole (the usage
chunk, `[DONE]`, a terminal event) is held back by the reader until the record is durable.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.amount import format_usd
from tollhouse.core.aside import APART_BYTES
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import Failure, UpstreamError
from tollhouse.core.usage import Usage
from tollhouse.core.wire import Answer
from tollhouse.gateway.answer import Opened, Whole
from tollhouse.gateway.blame import blame_of, hold_against
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.cut import cut_whole, written
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.large import LARGE_BYTES, counted_in_turn, worked
from tollhouse.gateway.leaving import Leaving
from tollhouse.gateway.meter import meter
from tollhouse.gateway.ports import House
from tollhouse.gateway.settle import left, settled
from tollhouse.protocols.openai import failure as failures
from tollhouse.protocols.openai.answer import fitted, heads, with_usage
from tollhouse.protocols.openai.large import encoded_apart
from tollhouse.protocols.openai.request import Request
from tollhouse.protocols.openai.stream import StreamReader
from tollhouse.protocols.openai.vectors import Encoding, differs, encoded
from tollhouse.providers import Fault

CAP_REASON: Final = "no output cap was named: what the money left affords"
VECTOR_BYTES_MAX: Final = 48 * 1024
"""Of vectors that the event loop writes in another encoding itself: 2 ms."""
LATE_SECONDS: Final = 1.0
JSON: Final = (b"content-type", b"application/json")


async def relay(
    house: House, journey: Journey, request: Request, model: Model, answer: Whole | Opened, books: settled
) -> None:
    """Raises Overloaded where a buffered answer cannot be committed, ClientLeft where the caller left a stream."""
    journey.headers += house.answer_headers(journey)
    if isinstance(answer, Whole):
        await _whole(house, journey, request, model, answer, books)
    else:
        try:
            await _stream(house, journey, request, model, answer, books)
        finally:
            if answer.answer is not None:
                answer.answer.release()


async def _whole(house: House, journey: Journey, request: Request, model: Model, answer: Whole, books: settled) -> None:
    """Commit, then send. Nothing of the answer leaves if it cannot be committed."""
    client, reading, operation = journey.call.client, answer.reading, journey.call.operation
    may_be_cut = journey.most_out is not None or answer.cut
    passed = await cut_whole(house, journey, answer, books.beyond) if may_be_cut else None
    usage = None if journey.cut else reading.usage

    async def delivered() -> Usage:
        if request.echoes:
            account_id, body = journey.identity.account.id, answer.body
            journey.heads = await worked(house, account_id, len(body), partial(heads, body))
        return passed or await written(house, journey, answer.body)

    await meter(house, journey, request, model, usage, reading.raw_usage, delivered, books.beyond)
    if journey.usage_source == "counted" or reading.elsewhere:
        body, used = answer.body, journey.usage
        account_id = journey.identity.account.id
        answer.body = await worked(house, account_id, len(body), lambda: with_usage(operation, body, used))
    if reading.beside:
        answer.body = await _fitted(house, journey, answer.body)
    if request.vectors != "other":
        answer.body = await _as_asked(house, journey, answer.body, request.vectors)
    if journey.cut:
        journey.headers.append((b"x-tollhouse-cut", b"hold"))
    journey.ending = "incomplete" if reading.incomplete or journey.cut else "finished"
    if client.gone:
        left(journey)
    else:
        journey.first_byte_ms = journey.last_byte_ms = house.since_ms(journey.call)
    await books.commit()
    if not client.gone:
        charged = (b"x-tollhouse-charge-usd", _charged(journey).encode())
        await client.whole(200, [JSON, *journey.headers, charged], answer.body)


async def _fitted(house: House, journey: Journey, body: bytes) -> bytes:
    """Without what tells of the upstream beside the answer."""
    return await worked(house, journey.identity.account.id, len(body), partial(fitted, body, journey.known))


async def _as_asked(house: House, journey: Journey, body: bytes, encoding: Encoding) -> bytes:
    """Vectors in the encoding that was asked for."""
    if len(body) <= LARGE_BYTES and not differs(body, encoding):
        return body
    if len(body) > APART_BYTES:
        found = await house.aside.run(
            journey.identity.account.id, partial(house.apart.call, encoded_apart, [body], encoding)
        )
        return found or body
    work = partial(encoded, body, encoding)
    return await worked(house, journey.identity.account.id, len(body), work, VECTOR_BYTES_MAX)


async def _stream(
    house: House, journey: Journey, request: Request, model: Model, opened: Opened, books: settled
) -> None:
    """Send what comes. After the first byte an error is an event, and the stream never looks whole."""
    reader, client = opened.reader, journey.call.client
    abort = journey.destinations[opened.choice.offer.provider].provider.on_disconnect == "abort"
    failure: Failure | None = None

    async def delivered() -> Usage:
        journey.heads = reader.heads
        return await counted_in_turn(house, journey.identity.account.id, reader.uncounted, reader.delivered)

    try:
        with Leaving(client, house.drain_seconds_max, abort, lambda: reader.finishing, opened.give_up_at):
            await _pass_on(house, journey, opened)
    except Failure as broken:
        failure = broken
    except BaseException as error:  # guard: the caller left, the process ends, a defect: what was delivered is charged
        _give_up(opened)
        if isinstance(error, ClientLeft) or journey.first_byte_ms is not None:
            # A report made before the answer's end says less than was delivered.
            reported = reader.usage if reader.finishing else None
            await meter(house, journey, request, model, reported, reader.raw_usage, delivered, books.beyond)
        raise
    journey.last_byte_ms = house.since_ms(journey.call)
    failure = failure or reader.failure
    if failure is not None:
        _give_up(opened)
        await _broken(house, journey, request, model, opened, books, failure, delivered)
        return
    if reader.cut:
        _give_up(opened)
        journey.cut = True
    if reader.failed:  # the provider says so itself, in the terminal event that `held` passes on
        await _failed(house, journey, request, model, opened, UpstreamError("the provider's answer failed"), delivered)
    else:
        await meter(house, journey, request, model, reader.usage, reader.raw_usage, delivered, books.beyond)
        journey.ending = "incomplete" if reader.incomplete else "finished"
    if client.gone:
        left(journey)
    try:
        await books.commit()
    except Failure as unsaved:
        await opened.outlet.break_off(_event(journey, opened, unsaved))
        return
    counted = journey.usage if journey.usage_source == "counted" else None
    cap_reason = None if journey.added_cap is None else CAP_REASON
    await opened.outlet.end(reader.seal(_charged(journey), journey.call.id, cap_reason, counted))


async def _pass_on(house: House, journey: Journey, opened: Opened) -> None:
    """Everything but the last part. Raises what reading raises; stops where the reader finds the stream broken."""
    reader, outlet, answer, client = opened.reader, opened.outlet, opened.answer, journey.call.client
    clock, account_id = house.clock, journey.identity.account.id
    if opened.first and not client.gone:
        journey.first_byte_ms = house.since_ms(journey.call)  # a slow reader may keep the writing waiting
        await outlet.write(opened.first, clock.ticks_ns())
    if answer is None:
        return
    outlets = house.pulse.outlets
    outlets.add(outlet)
    try:
        while not reader.whole and reader.failure is None:
            data = await answer.read()
            if not data:
                reader.finish()
                return
            size = len(data) + reader.pending
            if size <= LARGE_BYTES:
                out = reader.feed(data)
            else:
                out = await worked(house, account_id, size, lambda data=data: reader.feed(data))  # type: ignore[misc]
            if out and not client.gone:
                if journey.first_byte_ms is None:
                    journey.first_byte_ms = house.since_ms(journey.call)
                await outlet.write(out, clock.ticks_ns())
        if reader.lacks_report:
            await _report_after_the_end(answer, reader)
    finally:
        outlets.discard(outlet)


async def _report_after_the_end(answer: Answer, reader: StreamReader) -> None:
    """Read on for a moment: the end of the body follows at once, and a few servers report their usage before it."""
    with suppress(TimeoutError, Failure):
        async with asyncio.timeout(LATE_SECONDS):
            while reader.lacks_report and (data := await answer.read()):
                reader.feed_late(data)


async def _broken(
    house: House,
    journey: Journey,
    request: Request,
    model: Model,
    opened: Opened,
    books: settled,
    failure: Failure,
    delivered: Callable[[], Awaitable[Usage]],
) -> None:
    """The provider failed on the way: the caller gets an error event, no `[DONE]`, and no end of the body."""
    await _failed(house, journey, request, model, opened, failure, delivered)
    with suppress(Failure):  # what the caller is about to hear says more than that this could not be written down
        await books.commit()
    await opened.outlet.break_off(_event(journey, opened, failure))


async def _failed(
    house: House,
    journey: Journey,
    request: Request,
    model: Model,
    opened: Opened,
    failure: Failure,
    delivered: Callable[[], Awaitable[Usage]],
) -> None:
    """Note a failure on the way: whose it was, and how much had been delivered, counted.

    Nothing delivered is free, unless nobody was there to deliver it to: the answer was read on, and had begun.
    """
    client = journey.call.client
    hold_against(house, journey, opened.choice, Fault(failure=failure, blame=blame_of(failure)))
    journey.attempts[-1] = structs.replace(
        journey.attempts[-1], error=failure.code, end_ms=house.since_ms(journey.call)
    )
    if client.gone:
        left(journey)
    else:
        journey.error = failure.code
        journey.ending = "failed_before_first_byte" if journey.first_byte_ms is None else "failed_after_first_byte"
    if client.gone or journey.first_byte_ms is not None:
        await meter(house, journey, request, model, None, opened.reader.raw_usage, delivered, None)


def _charged(journey: Journey) -> str:
    """Decimal USD; 0 in test mode and for free models."""
    return format_usd(0 if journey.charge is None else journey.charge.amount)


def _event(journey: Journey, opened: Opened, failure: Failure) -> bytes:
    if journey.call.operation == "responses":
        return failures.responses_event(failure, journey.call.id, opened.reader.sequence_number)
    return failures.event(failure, journey.call.id)


def _give_up(opened: Opened) -> None:
    if opened.answer is not None:
        opened.answer.abort()
