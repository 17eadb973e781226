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
from tollhouse.core.apart import encoded_apart
from tollhouse.core.catalogue import Model
from tollhouse.core.codec import RelayedStream, VectorCodec
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamError
from tollhouse.core.links import links
from tollhouse.core.model_request import ModelRequest, VectorEncoding
from tollhouse.core.upstream import UpstreamResponse
from tollhouse.core.usage import Usage
from tollhouse.core.workers import APART_BYTES
from tollhouse.gateway.blame import blame_of, hold_against
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.cut import cut_whole, written
from tollhouse.gateway.disconnect import DisconnectGuard
from tollhouse.gateway.dropped import note_dropped
from tollhouse.gateway.large import LARGE_BYTES, counted_in_turn, dropped, worked
from tollhouse.gateway.meter import meter
from tollhouse.gateway.ports import NANO_PER_MILLI, GatewayContext
from tollhouse.gateway.quiet_end import QuietEnd
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.response import BufferedResponse, StreamResponse
from tollhouse.gateway.settlement import Settlement, left
from tollhouse.providers import Fault

CAP_REASON: Final = "no output cap was named: what the money left affords"
VECTOR_BYTES_MAX: Final = 48 * 1024
"""Of vectors that the event loop writes in another encoding itself: 2 ms."""
LATE_SECONDS: Final = 1.0


def relay(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    model: Model,
    answer: BufferedResponse | StreamResponse,
    settlement: Settlement,
) -> Awaitable[None]:
    """Raises Overloaded where a buffered answer cannot be committed, ClientDisconnected where the caller left a
    stream."""
    context.headers += gateway.answer_headers(context)
    if request.untold:
        note_dropped(context, (*request.dropped, *request.untold))
    if context.attempt_codec.in_bytes is not None:
        known = settlement.known_charge()
        if known is not None:
            context.headers.append((b"x-tollhouse-charge-usd", format_usd(known).encode()))
    if isinstance(answer, BufferedResponse):
        return _whole(gateway, context, request, model, answer, settlement)
    return _stream(gateway, context, request, model, answer, settlement)


async def _whole(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    model: Model,
    answer: BufferedResponse,
    settlement: Settlement,
) -> None:
    """Commit, then send. Nothing of the answer leaves if it cannot be committed."""
    client, reading, codec = context.call.client, answer.reading, context.codec
    beyond = None if context.most_cost is None else settlement.beyond
    may_be_cut = context.most_out is not None or answer.cut
    passed = await cut_whole(gateway, context, answer, beyond) if may_be_cut else None
    usage = None if context.cut else reading.usage

    async def delivered() -> Usage:
        if request.echoes and codec.text_starts is not None:
            account_id, body = context.identity.account.id, answer.body
            context.heads = await worked(gateway, account_id, len(body), partial(codec.text_starts, body))
        return passed or await written(gateway, context, answer.body)

    await meter(gateway, context, request, model, usage, reading.raw_usage, delivered, beyond)
    if context.usage_source == "counted" or reading.elsewhere:
        body, used = answer.body, context.usage
        account_id = context.identity.account.id
        answer.body = await worked(gateway, account_id, len(body), partial(codec.with_usage, body, used))
    if reading.beside:
        answer.body = await _fitted(gateway, context, answer.body)
    if codec.vectors is not None and request.vectors != "other":
        answer.body = await _as_asked(gateway, context, codec.vectors, answer.body, request.vectors)
    if context.cut:
        context.headers.append((b"x-tollhouse-cut", b"hold"))
    context.ending = "incomplete" if reading.incomplete or context.cut else "finished"
    if client.gone:
        left(context)
    else:
        since_ns = gateway.clock.ticks_ns() - context.call.ticks_ns
        context.first_byte_ms = context.last_byte_ms = since_ns // NANO_PER_MILLI
    await settlement.commit()
    if not client.gone:
        charged = (b"x-tollhouse-charge-usd", _charged(context).encode())
        kind = reading.content_type or codec.content_type
        await client.send_response(200, [(b"content-type", kind), *context.headers, charged], answer.body)
    if context.answer_memory is not None:
        await dropped(gateway, context.identity.account.id, answer.drop_body)


async def _fitted(gateway: GatewayContext, context: RequestContext, body: bytes) -> bytes:
    """Without what tells of the upstream beside the answer."""
    return await worked(
        gateway, context.identity.account.id, len(body), partial(context.codec.fit, body, context.known)
    )


async def _as_asked(
    gateway: GatewayContext, context: RequestContext, vectors: VectorCodec, body: bytes, encoding: VectorEncoding
) -> bytes:
    """Vectors in the encoding that was asked for."""
    if len(body) <= LARGE_BYTES and not vectors.differs(body, encoding):
        return body
    if len(body) > APART_BYTES:
        found = await gateway.threads.run(
            context.identity.account.id, partial(gateway.processes.call, encoded_apart, [body], vectors, encoding)
        )
        return found or body
    work = partial(vectors.encoded, body, encoding)
    return await worked(gateway, context.identity.account.id, len(body), work, VECTOR_BYTES_MAX)


async def _stream(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    model: Model,
    opened: StreamResponse,
    settlement: Settlement,
) -> None:
    """Send what comes. After the first byte an error is an event, and the stream never looks whole."""
    reader, client = opened.reader, context.call.client
    abort = context.destinations[opened.choice.offer.provider].provider.on_disconnect == "abort"
    beyond = None if context.most_cost is None else settlement.beyond
    failure: Failure | None = None

    async def delivered() -> Usage:
        context.heads = reader.heads
        return await counted_in_turn(gateway, context.identity.account.id, reader.uncounted, reader.delivered)

    try:
        with DisconnectGuard(client, gateway.drain_seconds_max, abort, lambda: reader.finishing, opened.give_up_at):
            await _pass_on(gateway, context, opened)
    except Failure as broken:
        failure = broken
    except BaseException as error:  # guard: the caller left, the process ends, a defect: what was delivered is charged
        _give_up(opened)
        if isinstance(error, ClientDisconnected) or context.first_byte_ms is not None:
            # A report made before the answer's end says less than was delivered.
            reported = reader.usage if reader.finishing else None
            await meter(gateway, context, request, model, reported, reader.raw_usage, delivered, beyond)
        raise
    context.last_byte_ms = gateway.since_ms(context.call)
    failure = failure or reader.failure
    if failure is not None:
        _give_up(opened)
        await _broken(gateway, context, request, model, opened, settlement, failure, delivered)
        return
    if reader.cut:
        _give_up(opened)
        context.cut = True
    if reader.failed:  # the provider says so itself, in the terminal event that `held` passes on
        await _failed(
            gateway, context, request, model, opened, UpstreamError("the provider's answer failed"), delivered
        )
    else:
        await meter(gateway, context, request, model, reader.usage, reader.raw_usage, delivered, beyond)
        context.ending = "incomplete" if reader.incomplete else "finished"
    if client.gone:
        left(context)
    try:
        await settlement.commit()
    except Failure as unsaved:
        await opened.stream_writer.break_off(_event(gateway, context, opened, unsaved))
        return
    counted = context.usage if context.usage_source == "counted" else None
    cap_reason = None if context.added_cap is None else CAP_REASON
    await opened.stream_writer.finish(reader.seal(_charged(context), context.call.id, cap_reason, counted))


async def _pass_on(gateway: GatewayContext, context: RequestContext, opened: StreamResponse) -> None:
    """Everything but the last part. Raises what reading raises; stops where the reader finds the stream broken."""
    reader, stream_writer, answer, client = opened.reader, opened.stream_writer, opened.answer, context.call.client
    clock, account_id, loop_bytes = gateway.clock, context.identity.account.id, opened.loop_bytes
    if opened.first and not client.gone:
        context.first_byte_ms = gateway.since_ms(context.call)  # a slow reader may keep the writing waiting
        await stream_writer.write(opened.first, clock.ticks_ns())
    if answer is None:
        return
    late: list[bytes] = []  # what was read, and could not be written at once
    end, decoded = QuietEnd(answer, gateway.end_seconds_max), loop_bytes < LARGE_BYTES

    def take(data: bytes) -> bytes | None:
        if context.first_byte_ms is None or late or len(data) + reader.pending > loop_bytes:
            return data
        out = reader.feed(data)
        if out:
            if not client.write_chunk(out):
                late.append(out)
                return b""
            stream_writer.moved_ns = clock.ticks_ns()
        if (not out or decoded) and reader.finishing:
            end.begin()
        return b"" if reader.is_complete or reader.failure is not None else None

    stream_writers = gateway.keep_alive.stream_writers
    stream_writers.add(stream_writer)
    try:
        while late or not (reader.is_complete or reader.failure is not None):
            if late:
                await stream_writer.write(late.pop(), clock.ticks_ns())
                continue
            try:
                data = await answer.read(take)
            except UpstreamBroke:
                if not end.came:
                    raise
                data = b""
            if not data:
                if late or reader.is_complete or reader.failure is not None:
                    continue
                reader.finish()
                return
            size = len(data) + reader.pending
            if size <= loop_bytes:
                out = reader.feed(data)
            else:
                out = await worked(gateway, account_id, size, partial(reader.feed, data), loop_bytes)
            if out and not client.gone:
                if context.first_byte_ms is None:
                    context.first_byte_ms = gateway.since_ms(context.call)
                await stream_writer.write(out, clock.ticks_ns())
            if (not out or decoded) and reader.finishing:
                end.begin()
        if reader.lacks_report:
            await _report_after_the_end(answer, reader)
    finally:
        end.cancel()
        stream_writers.discard(stream_writer)
        answer.release()  # nothing more is read of it


async def _report_after_the_end(answer: UpstreamResponse, reader: RelayedStream) -> None:
    """Read on for a moment: the end of the body follows at once, and a few servers report their usage before it."""
    with suppress(TimeoutError, Failure):
        async with asyncio.timeout(LATE_SECONDS):
            while reader.lacks_report and (data := await answer.read()):
                reader.feed_late(data)


async def _broken(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    model: Model,
    opened: StreamResponse,
    settlement: Settlement,
    failure: Failure,
    delivered: Callable[[], Awaitable[Usage]],
) -> None:
    """The provider failed on the way: the caller gets an error event, no `[DONE]`, and no end of the body."""
    await _failed(gateway, context, request, model, opened, failure, delivered)
    with suppress(Failure):  # what the caller is about to hear says more than that this could not be written down
        await settlement.commit()
    await opened.stream_writer.break_off(_event(gateway, context, opened, failure))


async def _failed(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    model: Model,
    opened: StreamResponse,
    failure: Failure,
    delivered: Callable[[], Awaitable[Usage]],
) -> None:
    """Note a failure on the way: whose it was, and how much had been delivered, counted.

    Nothing delivered is free, unless nobody was there to deliver it to: the answer was read on, and had begun.
    """
    client = context.call.client
    hold_against(gateway, context, opened.choice, Fault(failure=failure, blame=blame_of(failure)))
    context.attempts[-1] = structs.replace(
        context.attempts[-1], error=failure.code, end_ms=gateway.since_ms(context.call)
    )
    if client.gone:
        left(context)
    else:
        context.error, context.message = failure.code, failure.message
        context.ending = "failed_before_first_byte" if context.first_byte_ms is None else "failed_after_first_byte"
    if client.gone or context.first_byte_ms is not None:
        await meter(gateway, context, request, model, None, opened.reader.raw_usage, delivered, None)


def _charged(context: RequestContext) -> str:
    """Decimal USD; 0 in test mode and for free models."""
    return format_usd(0 if context.charge is None else context.charge.amount)


def _event(gateway: GatewayContext, context: RequestContext, opened: StreamResponse, failure: Failure) -> bytes:
    failure.links = links(failure.code, gateway.public_url, context.call.id)
    return opened.stream_writer.codec.error_event(failure, context.call.id, opened.reader.sequence_number)


def _give_up(opened: StreamResponse) -> None:
    if opened.answer is not None:
        opened.answer.abort()
