"""One request and its answer on the caller's connection: the ASGI messages behind the gateway's `CallerConnection`
port."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from tollhouse.core.content_encoding import ENCODINGS
from tollhouse.core.escaping import SHOWN_MAX, printable
from tollhouse.core.failure import BadRequest, EncodingUnknown, Failure, RequestTimeout, RequestTooLarge
from tollhouse.core.upstream import Headers
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import ClientDisconnected

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")


_FREED_ASIDE_BYTES = 1024 * 1024
"""Of a body that will not be read: a thread gives more than that back to the system, which takes 5 ms for 30 MiB."""


class Exchange:
    """See `gateway.ports.Client`. `always` stands in the head of whatever is answered: request id, CORS."""

    __slots__ = ("_always", "_connection", "_receive", "_send", "body_max", "encoding", "head_sent", "headers", "scope")

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, always: Iterable[tuple[bytes, bytes]], body_max: int
    ) -> None:
        self.scope = scope
        self.headers: Headers = scope["headers"]
        self._receive = receive
        self._send = send
        self._always = tuple(always)
        self._connection = scope["extensions"]["tollhouse"]
        self.body_max = body_max
        self.encoding = ""
        self.head_sent = False

    @property
    def gone(self) -> bool:
        return bool(self._connection.gone)

    def on_gone(self, call: Callable[[], None] | None) -> None:
        self._connection.on_gone = call

    @property
    def body_is_here(self) -> bool:
        return not self._connection.more_body

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        """See `CallerConnection.body`. Asked for once the caller is known: before that, nobody is told what is wrong
        with it."""
        self.encoding = _encoding_of_json(self.headers)
        length = _length(self.headers)
        if length > self.body_max:
            raise self._too_large()
        if reservation is not None:
            await reservation.reserve(length)
            reservation.cut = self._cut
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        data: bytes = message.get("body", b"")
        if len(data) > self.body_max:
            raise self._too_large()
        if not message.get("more_body"):
            return [data]
        pieces = [data]
        try:
            await self._rest(pieces, reservation)
        except (Failure, ClientDisconnected):
            if sum(map(len, pieces)) > _FREED_ASIDE_BYTES:
                asyncio.get_running_loop().run_in_executor(None, pieces.clear)
            raise
        return pieces

    async def _rest(self, pieces: list[bytes], reservation: BodyReservation | None) -> None:
        """Add the rest of a body to its first piece."""
        size, more = len(pieces[0]), True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            piece = message.get("body", b"")
            size += len(piece)
            if size > self.body_max:
                raise self._too_large()
            if reservation is not None:
                reservation.received = size
                await reservation.grow(size, self.body_max)
            pieces.append(piece)
            more = message.get("more_body", False)
        if reservation is not None:
            reservation.cut = None

    def _cut(self) -> None:
        """End a body that comes too slowly while others wait for its room."""
        self._connection.refuse_body(
            RequestTimeout("The body of this request came too slowly while others waited with theirs: send it again.")
        )

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(f"the request body is larger than the {self.body_max} bytes this platform takes")

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None:
        self.head_sent = True
        head = [*headers, *self._always, (b"content-length", b"%d" % len(body))]
        await self._send({"type": "http.response.start", "status": status, "headers": head})
        await self._send({"type": "http.response.body", "body": body})

    async def send_headers(self, status: int, headers: Headers) -> None:
        self.head_sent = True
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._always]})

    async def send_chunk(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data})

    async def break_off(self, data: bytes) -> None:
        await self.send_chunk(data)
        self._connection.end_unfinished()


def _length(headers: Headers) -> int:
    """The body's length as it is announced; 0 where it is not."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def shown(text: str) -> str:
    """A caller's text inside a message: bounded, and without what a terminal or a log would act on."""
    return printable(text, SHOWN_MAX)


def _encoding_of_json(headers: Headers) -> str:
    """How a body of JSON is compressed; empty: it is not. Raises BadRequest for another type, EncodingUnknown."""
    kind, encoding = None, b""
    for name, value in headers:
        if name == b"content-type":
            kind = value if kind is None else kind
        elif name == b"content-encoding":
            encoding = encoding + b"," + value if encoding else value
    if kind is None:
        raise BadRequest("this request has no Content-Type; send Content-Type: application/json", param="content-type")
    if kind != b"application/json" and not _is_json(kind):
        said = shown(kind.decode("latin-1"))
        raise BadRequest(f"Content-Type must be application/json, and this request says {said}", param="content-type")
    return known_encoding(encoding) if encoding else ""


def known_encoding(header: bytes) -> str:
    """A Content-Encoding by its name in ENCODINGS; empty: `identity`. Raises EncodingUnknown, also for several."""
    named = header.decode("latin-1").strip().lower()
    if named in ("", "identity"):
        return ""
    if named not in ENCODINGS:
        raise EncodingUnknown(
            f"Content-Encoding of a request may be one of {', '.join(sorted(ENCODINGS))}, and this one says"
            f" {shown(named)}: send the body as it is, without that header.",
            param="content-encoding",
        )
    return named


def _is_json(value: bytes) -> bool:
    kind = value.partition(b";")[0].strip().lower()
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))
