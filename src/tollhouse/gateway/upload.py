"""Stage 2 for forms: the body goes to disk as it comes, and only its fields stay in memory.

The model may stand behind the file, and another offer may have to be sent it again: so the whole form is here before
anybody is asked. Its room on disk is shared out as memory is (`gateway.bodies`): taken before it is read, waited for,
and taken away from who sends slowly while others wait.
"""

from functools import partial
from typing import Final

from tollhouse.core.failure import EncodingUnknown, Failure, Overloaded, RequestTooLarge
from tollhouse.core.form import UploadedForm
from tollhouse.core.multipart import FormReader, boundary_of
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import CallerConnection, ClientDisconnected
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.request_context import RequestContext

STEP_BYTES: Final = 256 * 1024
"""Read before a thread looks at it."""
_BOUNDARY_BYTES: Final = 18
_NO_ROOM: Final = "This platform has no room for uploads at the moment: try again in a moment."


async def read_upload(gateway: GatewayContext, context: RequestContext) -> UploadedForm:
    """Wait for the form. What is kept of it ends with the call (`Settlement`).

    Raises BadRequest, EncodingUnknown, RequestTooLarge, Overloaded, ClientDisconnected.
    """
    account_id, client = context.identity.key.account_id, context.call.client
    boundary = boundary_of(context.fields.get(b"content-type", b""))
    if context.fields.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        raise EncodingUnknown("A form is not compressed here: send it as it is.", param="content-encoding")
    room = BodyReservation(gateway.uploads, account_id, gateway.clock.ticks_ns())
    context.disk = room
    if client.length > client.body_max:
        raise _too_large(client)
    await room.reserve(client.length)
    room.cut = client.cut_body
    try:
        context.spool = gateway.spool()
    except OSError:
        raise Overloaded(_NO_ROOM, retry_after_ms=10_000) from None
    reader = FormReader(boundary, context.spool)
    size = 0
    more = True
    while more:
        pieces, more = await _step(context)
        size += sum(map(len, pieces))
        made = await gateway.threads.run(account_id, partial(_feed, reader, pieces))
        if made is not None:
            raise made
    room.cut = None
    context.body_bytes = size
    form = reader.finish()
    form.boundary = gateway.random.bytes(_BOUNDARY_BYTES).hex().encode()
    return form


async def _step(context: RequestContext) -> tuple[list[bytes], bool]:
    """What comes next of the body, and whether there may be more. Raises RequestTooLarge, ClientDisconnected,
    Overloaded."""
    client, room = context.call.client, context.disk
    assert room is not None
    pieces: list[bytes] = []
    size = 0
    while size < STEP_BYTES:
        if not (client.more_body or client.body_held > 0):
            return pieces, False
        piece = await client.receive()
        if piece is None:
            raise ClientDisconnected
        pieces.append(piece)
        size += len(piece)
        room.received += len(piece)
        if room.received > client.body_max:
            raise _too_large(client)
        await room.grow(room.received, client.body_max)
    return pieces, True


def _too_large(client: CallerConnection) -> RequestTooLarge:
    return RequestTooLarge(f"the form of this request is larger than the {client.body_max} bytes this platform takes")


def _feed(reader: FormReader, pieces: list[bytes]) -> Failure | None:
    """The failure is handed back without its traceback, as of other bodies."""
    try:
        for piece in pieces:
            reader.feed(piece)
    except Failure as failure:
        return failure.with_traceback(None)
    except (OSError, ValueError):
        return Overloaded(_NO_ROOM, retry_after_ms=10_000)
    finally:
        pieces.clear()  # what is left of the work may live until the collector comes
    return None
