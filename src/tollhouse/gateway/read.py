"""Stage 2: the body, read as far as the gateway needs it.

Work is spent in the order of its price. A small body that is here is read at once. Any other call first gets a place
among the parallel requests of its key, and only if limits and money let anything in; then its body gets room in memory,
and is read. A large body is decoded in a thread, after its values have been counted.
"""

from functools import partial
from typing import Final

from tollhouse.access.exposed import without_keys
from tollhouse.core.apart import Read, arrived, read_apart
from tollhouse.core.codec import Codec
from tollhouse.core.content_encoding import unpack, unpacked_size
from tollhouse.core.failure import BadRequest, Failure, UnsupportedParameter
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.values import is_small, require_countable
from tollhouse.core.workers import APART_BYTES
from tollhouse.gateway.dropped import note_dropped
from tollhouse.gateway.hold import something_left
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext
from tollhouse.gateway.upload import read_upload

TAGS_MAX: Final = 16
TAG_CHARACTERS_MAX: Final = 64
SMALL_BYTES_MAX: Final = 256 * 1024
SMALL_SEPARATORS_MAX: Final = 2_000
"""Of a body that the event loop reads itself: at most a few milliseconds."""
SIMULATE: Final = b"x-tollhouse-simulate"


async def read(gateway: GatewayContext, context: RequestContext) -> ModelRequest:
    """Wait for the body and read it. Raises RequestTooLarge, BadRequest, UnsupportedParameter, ClientDisconnected;
    RateLimited and InsufficientQuota where nothing of this caller is let in; Overloaded where there is no room for the
    body."""
    client = context.call.client
    if context.request_codec.form is not None:
        await _enter(gateway, context)
        return await understand(gateway, context, [], await _read_form(gateway, context, context.request_codec))
    if client.more_body:
        await _enter(gateway, context)
    pieces = await client.body(context.memory)
    context.body_bytes = sum(map(len, pieces))
    if context.entry is None and (client.encoding or context.body_bytes > SMALL_BYTES_MAX):
        await _enter(gateway, context)
    if client.encoding:
        await _unpack(gateway, context, pieces)
    return await understand(gateway, context, pieces)


async def _read_form(gateway: GatewayContext, context: RequestContext, codec: Codec) -> ModelRequest:
    """Wait for a form, which may be larger than any memory, and read it. Raises what `read` does."""
    assert codec.form is not None
    request = codec.form.read(await read_upload(gateway, context))
    work = partial(codec.input_bounds, request)
    context.asked = await gateway.threads.run(context.identity.key.account_id, work)
    return request


async def understand(
    gateway: GatewayContext, context: RequestContext, pieces: list[bytes], was_read: ModelRequest | None = None
) -> ModelRequest:
    """Decode a body, a large one in a thread. Takes the pieces away, so that nothing keeps them in memory. was_read:
    of a form, which has no pieces.

    Raises RequestTooLarge, BadRequest, UnsupportedParameter.
    """
    codec = context.request_codec
    size = sum(map(len, pieces))
    body = b"".join(pieces) if len(pieces) == 1 or size <= SMALL_BYTES_MAX else None
    if was_read is not None:
        request = was_read
    elif body is not None and not context.packed and is_small(body, SMALL_BYTES_MAX, SMALL_SEPARATORS_MAX):
        request = codec.read(body)
        context.asked = codec.input_bounds(request)
    else:
        body = None
        large = context.packed or size > APART_BYTES
        work = partial(_read_apart, gateway, context, pieces) if large else partial(_read, codec, pieces)
        made = await gateway.threads.run(context.identity.key.account_id, work)
        if isinstance(made, Failure):
            raise made
        request, context.asked, context.prompt = made.request, made.input_bounds, made.prompt
    if context.call.stream is not None:  # the path says what other dialects say in the body
        request.model, request.stream = context.call.model, context.call.stream
    if request.operation != codec.operation:
        context.request_codec = gateway.codecs[codec.format, request.operation]
    if request.style:
        _answer_as(gateway, context, request)
    if request.dropped:
        note_dropped(context, request.dropped)
    context.stream = request.stream
    context.asked_model = request.model
    context.output_cap = request.output_cap
    context.tags = _tags(context.identity.key.tags, context.fields.get(b"x-tollhouse-tags", b""), request)
    if context.identity.key.mode == "test":
        context.script = context.fields.get(SIMULATE, b"").decode("latin-1")
    return request


def _answer_as(gateway: GatewayContext, context: RequestContext, request: ModelRequest) -> None:
    """The caller wants the answer, and from here on its errors, in another dialect than that of the path."""
    style = request.style
    codec = gateway.codecs.get((style, context.call.operation))
    if codec is None:
        raise UnsupportedParameter(f"This platform does not answer in the style of {style}.", param="style")
    context.call.dialect, context.codec, context.attempt_codec = style, codec, codec
    if request.choices > 1 and codec.words is not None and "n" not in codec.words.says:
        raise UnsupportedParameter(f"'n': an answer in the style of {style} is one alone.", param="n")


async def _enter(gateway: GatewayContext, context: RequestContext) -> None:
    """What is cheap to know is asked before a body is waited for, or decoded at length."""
    now_ms = gateway.clock.now_ms()
    context.entry = await gateway.limits.enter(context.identity, now_ms, context.codec.limit_headers)
    await something_left(gateway, context.identity.key, now_ms)
    if context.memory is None:
        context.memory = gateway.bodies.reservation(context.identity.key.account_id)


async def _unpack(gateway: GatewayContext, context: RequestContext, pieces: list[bytes]) -> None:
    """Replace a compressed body by what it unpacks to; a large one gets its room, and is unpacked where it is read.

    Raises BadRequest for what is damaged, RequestTooLarge, Overloaded.
    """
    client, account_id = context.call.client, context.identity.key.account_id
    work = partial(_unpacked, gateway, pieces, client.encoding, client.body_max)
    found = await gateway.threads.run(account_id, work)
    if isinstance(found, Failure):
        raise found
    size = found if isinstance(found, int) else len(found)
    assert context.memory is not None
    await context.memory.reserve(context.body_bytes + size)
    context.body_bytes = size
    if isinstance(found, bytes):
        pieces[:] = [found]
    else:
        context.packed = client.encoding


def _unpacked(gateway: GatewayContext, pieces: list[bytes], encoding: str, bytes_max: int) -> bytes | int | Failure:
    """A body that unpacks to no more than is read in a thread; of a larger one, its size."""
    try:
        if sum(map(len, pieces)) > APART_BYTES:
            return gateway.processes.call(unpacked_size, pieces, encoding, bytes_max)
        body = b"".join(pieces)
        size = unpacked_size(body, encoding, bytes_max)
        return unpack(body, encoding, bytes_max) if size <= APART_BYTES else size
    except Failure as failure:
        return failure.with_traceback(None)


def _read(codec: Codec, pieces: list[bytes]) -> Read | Failure:
    """The failure is handed back without its traceback, which would keep the body until the event loop frees it."""
    body = b"".join(pieces)
    pieces.clear()
    try:
        require_countable(body)
        request = codec.read(body)
        return Read(request, codec.input_bounds(request))
    except Failure as failure:
        return failure.with_traceback(None)


def _read_apart(gateway: GatewayContext, context: RequestContext, pieces: list[bytes]) -> Read | Failure:
    bytes_max = context.call.client.body_max
    try:
        return arrived(gateway.processes.call(read_apart, pieces, context.request_codec, context.packed, bytes_max))
    except Failure as failure:
        return failure.with_traceback(None)
    finally:
        pieces.clear()


def _text(header: bytes) -> str:
    """What clients write beyond ASCII is UTF-8 nearly always."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def _tags(of_key: dict[str, str], header: bytes, request: ModelRequest) -> dict[str, str]:
    """What costs may be grouped by: the key's own tags, and the call's, which go before them."""
    tags = dict(list(request.metadata.items())[:TAGS_MAX])
    if request.user:
        tags["user"] = request.user
    if header:
        for pair in _text(header).split(","):
            name, found, value = pair.partition("=")
            if not found or not name.strip():
                raise BadRequest("x-tollhouse-tags must be written as a=b,c=d", param="x-tollhouse-tags")
            tags[name.strip()] = value.strip()
        if len(tags) > TAGS_MAX:
            raise BadRequest(f"a call carries at most {TAGS_MAX} tags", param="x-tollhouse-tags")
    if not tags:
        return of_key
    named = {_tag(name): _tag(value) for name, value in tags.items()}
    return of_key | named if of_key else named


def _tag(text: str) -> str:
    """A caller who writes a whole key into a tag has it in their metadata, and not in our records."""
    return without_keys(text[: 2 * TAG_CHARACTERS_MAX])[:TAG_CHARACTERS_MAX]
