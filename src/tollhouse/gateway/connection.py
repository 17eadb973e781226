"""The caller's connection as the gateway sees it, and the call that came over it."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from tollhouse.core.operation import Dialect, Operation
from tollhouse.core.upstream import Headers
from tollhouse.gateway.bodies import BodyReservation


class CallerConnection(Protocol):
    """The caller's connection. Writing waits while the caller reads slowly.

    encoding: how the body that was read is compressed, one of `content_encoding.ENCODINGS`; empty: it is not.
    body_max: bytes of a body, at most. length: of the body, as announced; below 0: unknown. body_held: bytes of it that
    came and were not taken.
    on_gone: is called once when the caller's connection is lost. Whoever sets it looks at `gone` afterwards.
    """

    encoding: str
    body_max: int
    length: int
    on_gone: Callable[[], None] | None

    @property
    def body_held(self) -> int: ...

    @property
    def gone(self) -> bool:
        """The connection is lost: writing goes nowhere."""
        ...

    @property
    def more_body(self) -> bool:
        """Of the body something is still to come: reading it may wait."""
        ...

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        """The whole request body, in the pieces in which it came: joining many megabytes is work for a thread.
        `reservation`: where a large one finds room in memory.

        Raises BadRequest for another content type, EncodingUnknown, RequestTooLarge, Overloaded where there is no room,
        and ClientDisconnected when the caller is gone before its end.
        """
        ...

    async def receive(self) -> bytes | None:
        """The next piece of a body of any type that is read piece by piece, while `more_body` or `body_held`. None: the
        caller is gone, or the rest will not come."""
        ...

    def cut_body(self) -> None:
        """End a body that comes too slowly while others wait for its room."""
        ...

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None:
        """A buffered answer, head and body in one."""
        ...

    async def send_headers(self, status: int, headers: Headers) -> None: ...

    def write_chunk(self, data: bytes) -> bool:
        """As `send_chunk`, but never waits. False: nothing was written, since it would have to wait."""
        ...

    async def send_chunk(self, data: bytes) -> None: ...

    async def finish(self, data: bytes) -> None: ...

    async def break_off(self, data: bytes) -> None:
        """The last part of an answer that is not whole: the connection closes behind it, and HTTP's own end of a whole
        body is never sent."""
        ...


class ClientDisconnected(Exception):
    """The caller is gone and nobody reads an answer."""


class Call(Struct, kw_only=True):
    """One call as it arrived: nothing of it is believed yet."""

    id: str  # req_...
    arrived_ms: int  # Unix milliseconds; its id says the same
    time_ms: int  # Unix milliseconds by which it is judged: of arrival; of a body that came slowly, of its end
    ticks_ns: int  # of arrival, on the monotonic clock
    dialect: Dialect
    operation: Operation
    headers: Headers
    query: bytes
    address: str  # the caller's, forwarded headers already judged
    client: CallerConnection
    model: str = ""  # that the path names, in dialects whose paths do
    stream: bool | None = None  # likewise whether a stream is asked for; None: the body says it
    framing: str = ""  # of the answer, where the path asks for another than usual
    key_in_query: bool = False  # `?key=` may carry the API key
    key_digest: bytes | None = None  # of the secret whose key is meant, where another rule than a key says who calls
