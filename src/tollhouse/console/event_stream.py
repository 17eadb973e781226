"""Server-sent events for somebody who is signed in: what ends is told them until they leave or their session ends."""

import asyncio
from contextlib import suppress
from typing import Final

from msgspec.json import encode

from tollhouse.console.live import CallWatch, LiveCalls, LiveMessage
from tollhouse.console.route import Emit, Receive
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.services.sessions import Visitor

HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
LOOK_SECONDS: Final = 1.0
"""How often is looked whether the session still stands, and the browser is still there."""
PING_SECONDS: Final = 15.0
LIFETIME_SECONDS: Final = 900.0
"""Then the browser connects again, and who it is, and what they may, is asked anew."""
_RETRY: Final = b"retry: 2000\n\n"
_REFRESH: Final = b"event: refresh\nid: %d-%d\ndata: {}\n\n"
_BYE: Final = b"event: bye\ndata: {}\n\n"
PING: Final = b": ping\n\n"


async def run(visit: Visit, visitor: Visitor, account: Account, receive: Receive, emit: Emit) -> None:
    """Until the browser leaves, the session ends, the process does, or LIFETIME_SECONDS are over. Raises RateLimited,
    before anything is sent."""
    live = visit.context.live
    with live.watch(account.id, visitor.person.id) as watch:
        await _tell(live, watch, visit, receive, emit)


async def _tell(live: LiveCalls, watch: CallWatch, visit: Visit, receive: Receive, emit: Emit) -> None:
    services, loop = visit.context.services, asyncio.get_running_loop()
    leaving = asyncio.ensure_future(left(receive))
    ends_s, ping_s = loop.time() + LIFETIME_SECONDS, loop.time() + PING_SECONDS
    try:
        await emit(_RETRY)
        if not _resumed(live, watch, visit):
            await emit(_REFRESH % (live.began, watch.seen))
        while not leaving.done() and loop.time() < ends_s and not visit.context.is_draining():
            with suppress(TimeoutError):
                await asyncio.wait_for(watch.news.wait(), LOOK_SECONDS)
            if services.sessions.find(visit.secret, services.clock.now_ms()) is None:
                await emit(_BYE)
                return
            for message in watch.take():
                await emit(_event(live, message))
            if loop.time() >= ping_s:
                await emit(PING)
                ping_s = loop.time() + PING_SECONDS
    finally:
        leaving.cancel()


def _resumed(live: LiveCalls, watch: CallWatch, visit: Visit) -> bool:
    """Whether nothing is missing behind the message that this browser had last; a new one misses nothing."""
    last = visit.headers.get(b"last-event-id", b"").decode("latin-1") or visit.asked("after")
    if not last:
        return True
    began, _, number = last.partition("-")
    if not (began.isascii() and began.isdigit() and number.isascii() and number.isdigit() and len(last) < 60):
        return False
    return int(began) == live.began and watch.resume(int(number))


def _event(live: LiveCalls, message: LiveMessage) -> bytes:
    data = encode({"calls": message.calls, "failed": message.failed, "charge_nusd": message.charge})
    return b"id: %d-%d\ndata: %s\n\n" % (live.began, message.number, data)


async def left(receive: Receive) -> None:
    """Until whoever reads the answer has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
