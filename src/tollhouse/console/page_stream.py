"""A call of a page whose answer is shown as it comes: events of a stream, until the call is over or the reader leaves.

`began` tells the call's id; messages have text; each `medium` is a picture or sound; `failed` says why there is no
answer; `ended` comes when the call is written down. Whoever closes the stream has left the call, like a program that
closes its connection; so has whoever is signed out meanwhile.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tollhouse.access.exposed import without_keys
from tollhouse.console.call_media import media_of
from tollhouse.console.event_stream import LOOK_SECONDS, PING, left
from tollhouse.console.page_call import PageCall, PlannedCall, StreamText, text_of
from tollhouse.console.route import Emit, Receive
from tollhouse.console.visit import Visit
from tollhouse.gateway.ports import GatewayContext
from tollhouse.services.translation import said


async def run(
    visit: Visit,
    gateway: GatewayContext,
    planned: PlannedCall,
    receive: Receive,
    emit: Emit,
) -> None:
    """Raises BadRequest, RateLimited, before anything is sent."""
    reader, call_format, key = StreamText(planned.format), planned.format, planned.key
    whole: list[bytes] = []
    streams = planned.given.stream

    async def take(data: bytes) -> None:
        if not streams:
            whole.append(data)
        else:
            text = reader.feed(data)
            await emit(_event("message", {"text": text}) if text else PING)

    call = PageCall(gateway, planned, visit.address, take)
    with visit.context.calls.under_way(key.account_id, call.id):
        await emit(_event("began", {"id": call.id}))
        leaving = asyncio.ensure_future(_left(visit, receive))
        leaving.add_done_callback(lambda _: call.caller.leave())
        try:
            failure = await call.make()
        finally:
            leaving.cancel()
    if failure is not None:
        message = without_keys(said(visit.language)(failure.phrase))
        await emit(_event("failed", {"message": message, "status": failure.status}))
    elif whole:
        answer = b"".join(whole)
        media = media_of(call_format, answer)
        for one in media:
            await emit(_event("medium", {"kind": one.kind, "source": one.source}))
        if not media:
            await emit(_event("message", {"text": text_of(call_format, answer)}))
    await emit(_event("ended", {}))


async def _left(visit: Visit, receive: Receive) -> None:
    """Until the reader has left, or their session ends."""
    services = visit.context.services
    leaving = asyncio.ensure_future(left(receive))
    try:
        while services.sessions.find(visit.secret, services.clock.now_ms()) is not None:
            done, _ = await asyncio.wait({leaving}, timeout=LOOK_SECONDS)
            if done:
                return
    finally:
        leaving.cancel()


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    head = f"event: {name}\n" if name != "message" else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()  # half a character is escaped: the other half follows
