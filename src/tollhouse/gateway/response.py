"""Reading a 200 until it is known to be good: a buffered answer whole and understood, a stream up to its first event
that says something. Whichever the caller asked for, a provider may send the other.
"""

from codecs import BOM_UTF8
from collections.abc import Callable
from functools import partial

from msgspec import Struct, structs

from tollhouse.core.apart import read_response_apart
from tollhouse.core.cleaning import Known, nobodys
from tollhouse.core.codec import BytesCodec, Codec, GatheredStream, RelayedStream, ResponseSummary, StreamCodec
from tollhouse.core.failure import Failure, UpstreamError
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.sse import is_stream
from tollhouse.core.upstream import UpstreamResponse
from tollhouse.core.workers import APART_BYTES
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.large import LARGE_BYTES, worked
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.refusal import ERROR_BYTES_MAX, AttemptFailed, begun_refusal, hidden_refusal
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.stream_writer import StreamWriter
from tollhouse.gateway.translate import THREAD_BYTES
from tollhouse.routing.choice import Choice


class BufferedResponse(Struct):
    """A buffered answer, read and understood. `cut`: it was gathered, up to what may pass."""

    body: bytes
    reading: ResponseSummary
    cut: bool = False

    def drop_body(self) -> None:
        self.body = b""


class StreamResponse(Struct):
    """A stream whose beginning is good. `first` may go to the caller; the rest is still to be read from `answer`
    (None: it was all there is). `give_up_at`: see `DisconnectGuard`."""

    choice: Choice
    answer: UpstreamResponse | None
    reader: RelayedStream
    first: bytes
    stream_writer: StreamWriter
    loop_bytes: int  # of events that the event loop reads itself
    give_up_at: float | None = None


async def understand(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, choice: Choice, answer: UpstreamResponse
) -> BufferedResponse | StreamResponse:
    """Read a 200 until it is known to be good, in whichever of both forms it came."""
    codec, account_id = context.attempt_codec, context.identity.account.id
    if codec.in_bytes is not None:
        passed = await _in_bytes(gateway, context, request, choice, answer, codec.in_bytes)
        if passed is not None:
            return passed
    if not _is_event_stream(answer):
        pieces = await _buffered(gateway, context, answer)
        begun = pieces[0] if len(pieces) == 1 else b"".join([piece[:64] for piece in pieces[:8]])
        streams = begun[:1] != b"{" and codec.generates and is_stream(begun)
        if streams:
            body = await worked(gateway, account_id, sum(map(len, pieces)), partial(b"".join, pieces))
            if not request.stream:
                return await _gathered_at_once(gateway, context, request, body)
        else:
            if len(pieces) == 1 and len(begun) <= LARGE_BYTES:
                try:
                    reading = codec.read_response(begun, context.known)
                except UpstreamError as failure:
                    raise AttemptFailed(hidden_refusal(context, choice, answer, failure, begun)) from None
                body = reading.mended or begun
            else:
                body, reading = await _read_whole(gateway, context, pieces)
            if not request.stream:
                return BufferedResponse(body, reading)
        reader = _reader(gateway, context, request)

        def feed() -> bytes:
            return reader.feed(body if streams else _streams(codec).unfold(body))

        first = await worked(gateway, account_id, len(body), feed)
        if not reader.is_complete:
            reader.finish()
        return StreamResponse(choice, None, reader, first, _stream_writer(gateway, context), LARGE_BYTES)
    if not request.stream:
        return await _gathered(gateway, context, request, answer)
    reader = _reader(gateway, context, request)
    stream_writer = _stream_writer(gateway, context)
    gateway.keep_alive.stream_writers.add(stream_writer)
    try:
        first = await _first(gateway, context, choice, answer, reader, _loop_bytes(context))
    except (Failure, AttemptFailed) as failed:
        if not stream_writer.opened:
            raise
        answer.abort()
        # The caller was told to wait by a filler, so the head is gone: the failure goes out as an event.
        reader.failure = failed.fault.failure if isinstance(failed, AttemptFailed) else failed
        first = b""
    finally:
        gateway.keep_alive.stream_writers.discard(stream_writer)
    return StreamResponse(choice, answer, reader, first, stream_writer, _loop_bytes(context))


async def _in_bytes(
    gateway: GatewayContext,
    context: RequestContext,
    request: ModelRequest,
    choice: Choice,
    answer: UpstreamResponse,
    codec: BytesCodec,
) -> StreamResponse | None:
    """An answer that is no text, up to its first bytes. None: it is text, be it events or an error."""
    kind = codec.content_type(_content_type(answer), request)
    if kind is None:
        return None
    reader = codec.relay()
    first = await _first(gateway, context, choice, answer, reader, LARGE_BYTES)
    streams = structs.replace(codec.streams, content_type=kind)
    writer = StreamWriter(context.call.client, streams, context.headers, gateway.clock.ticks_ns())
    return StreamResponse(choice, answer, reader, first, writer, LARGE_BYTES)


def _reader(gateway: GatewayContext, context: RequestContext, request: ModelRequest) -> RelayedStream:
    return _streams(context.attempt_codec).relay(
        show_usage=request.wants_usage,
        count=_count(gateway, context),
        choices=request.choices,
        maximum=context.most_out,
        known=context.known,
        echoes=bool(request.echoes),
    )


def _count(gateway: GatewayContext, context: RequestContext) -> Callable[[str], int]:
    return lambda text: gateway.count.count(text, context.model)


def _stream_writer(gateway: GatewayContext, context: RequestContext) -> StreamWriter:
    return StreamWriter(context.call.client, _streams(context.codec), context.headers, gateway.clock.ticks_ns())


def _loop_bytes(context: RequestContext) -> int:
    """Of events that the event loop reads itself."""
    return _streams(context.codec).loop_bytes if context.attempt_codec is context.codec else THREAD_BYTES


async def _first(
    gateway: GatewayContext,
    context: RequestContext,
    choice: Choice,
    answer: UpstreamResponse,
    reader: RelayedStream,
    loop_bytes: int,
) -> bytes:
    """Read on until something may be released, or the stream is whole. Raises AttemptFailed where it begins with an
    error."""
    account_id, begun = context.identity.account.id, bytearray()
    while True:
        data = await answer.read()
        if not data:
            reader.finish()
            return b""
        begun += data[: ERROR_BYTES_MAX - len(begun)]
        size = len(data) + reader.pending
        work = partial(reader.feed, data)
        released = await worked(gateway, account_id, size, work, loop_bytes)
        if reader.failure is not None and not released:
            raise AttemptFailed(begun_refusal(context, choice, answer, reader.failure, bytes(begun)))
        if released or reader.is_complete:
            return released


def _aggregate(gateway: GatewayContext, context: RequestContext, request: ModelRequest) -> GatheredStream:
    gather, count_ = _streams(context.attempt_codec).gather, _count(gateway, context)
    return gather(request.choices, count=count_, maximum=context.most_out, known=context.known)


async def _gathered(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, answer: UpstreamResponse
) -> BufferedResponse:
    """A stream as one body; no more of it than may pass."""
    account_id, bytes_max = context.identity.account.id, gateway.answer_bytes_max
    aggregate = _aggregate(gateway, context, request)
    size = 0
    while not aggregate.is_complete:
        data = await answer.read()
        if not data:
            break
        size += len(data)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if size > LARGE_BYTES:
            await _memory(gateway, context).grow(size, bytes_max)
        pending = len(data) + aggregate.pending
        await worked(gateway, account_id, pending, partial(aggregate.feed, data), _loop_bytes(context))
    whole = await worked(gateway, account_id, size, partial(_finished, aggregate, context.codec, context.known))
    if whole.cut:
        answer.abort()
    else:
        answer.release()
    return whole


async def _gathered_at_once(
    gateway: GatewayContext, context: RequestContext, request: ModelRequest, body: bytes
) -> BufferedResponse:
    """The same of a stream whose head does not say that it is one."""
    codec, account_id = context.codec, context.identity.account.id

    def gather() -> BufferedResponse:
        aggregate = _aggregate(gateway, context, request)
        aggregate.feed(body)
        return _finished(aggregate, codec, context.known)

    return await worked(gateway, account_id, len(body), gather)


def _finished(aggregate: GatheredStream, codec: Codec, known: Known) -> BufferedResponse:
    """What was gathered, as a body and as what it says."""
    body = aggregate.finish()
    reading = codec.read_response(body, known)
    reading = structs.replace(reading, usage=aggregate.usage or reading.usage, raw_usage=aggregate.raw_usage)
    return BufferedResponse(body, reading, aggregate.cut)


async def _read_whole(
    gateway: GatewayContext, context: RequestContext, pieces: list[bytes]
) -> tuple[bytes, ResponseSummary]:
    """The whole body of an answer, and what it says. Raises what `Codec.read_response` raises."""
    codec, account_id = context.attempt_codec, context.identity.account.id
    size = sum(map(len, pieces))
    if size > APART_BYTES:
        known = structs.replace(context.known, is_callers=nobodys)

        def read_apart() -> tuple[ResponseSummary, bytes]:
            try:
                return gateway.processes.call(read_response_apart, pieces, codec, known)
            finally:
                pieces.clear()  # here, and not on the event loop: giving 60 MiB back to the system takes 7 ms

        reading, body = await gateway.threads.run(account_id, read_apart)
        return body, reading
    body = b"".join(pieces)
    if size <= LARGE_BYTES:
        reading = codec.read_response(body, context.known)
    else:
        reading = await worked(gateway, account_id, size, partial(codec.read_response, body, context.known))
    return reading.mended or body, reading


async def _buffered(gateway: GatewayContext, context: RequestContext, answer: UpstreamResponse) -> list[bytes]:
    """The whole body of an answer; a large one waits for room in memory, unread, and has it until it has left.

    Raises UpstreamError beyond `answer_bytes_max`, Overloaded where there is no room for long, and what
    `UpstreamResponse.read` raises.
    """
    bytes_max = gateway.answer_bytes_max
    piece = (await answer.read()).removeprefix(BOM_UTF8)
    pieces, size = [], 0
    while piece:
        pieces.append(piece)
        size += len(piece)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if size > LARGE_BYTES:
            await _memory(gateway, context).grow(size, bytes_max)
        piece = await answer.read()
    return pieces


def _memory(gateway: GatewayContext, context: RequestContext) -> BodyReservation:
    if context.answer_memory is None:
        context.answer_memory = gateway.answers.reservation(context.identity.key.account_id)
    return context.answer_memory


def _too_large(bytes_max: int) -> UpstreamError:
    return UpstreamError(f"the provider's answer is larger than the {bytes_max} bytes this platform buffers")


def _streams(codec: Codec) -> StreamCodec:
    """Raises UpstreamError where an operation has no streams, and a provider sent one."""
    if codec.streams is None:
        raise UpstreamError(f"The provider answered with a stream, and an answer of {codec.operation} is none.")
    return codec.streams


def _is_event_stream(answer: UpstreamResponse) -> bool:
    for name, value in answer.headers:
        if name == b"content-type":
            kind = value.lower()
            return b"event-stream" in kind or b"ndjson" in kind or b"jsonl" in kind
    return False


def _content_type(answer: UpstreamResponse) -> bytes:
    """In small letters; empty: the answer names none."""
    return next((value.lower() for name, value in answer.headers if name == b"content-type"), b"")
