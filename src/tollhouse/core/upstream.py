"""A call on its way to a provider and the answer on its way back, as every upstream, real or simulated, knows them."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from tollhouse.core.spool import SpooledBytes

Headers = list[tuple[bytes, bytes]]
"""Names in lower case."""

Buffer = bytes | memoryview
Piece = Buffer | SpooledBytes
"""Of a body that is sent: in memory, or where it is read from when its turn comes."""


class Deadlines(Struct, frozen=True):
    """Milliseconds. connect: until the connection stands (TLS included). first_byte: from the last byte sent to the
    answer's head. idle: between two pieces of the body. total: the whole call."""

    connect_ms: int = 5_000
    first_byte_ms: int = 600_000
    idle_ms: int = 300_000
    total_ms: int = 3_600_000


class UpstreamRoute(Struct, frozen=True):
    """Where a provider is reached: parsed and checked once, when the configuration is applied."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    ca_file: str | None = None
    proxy: str | None = None  # http://[user:pass@]host:port
    allow_private: bool = (
        True  # loopback and private networks; link-local and metadata addresses never without `allow_networks`
    )
    allow_networks: tuple[str, ...] = ()


class UpstreamRequest(Struct):
    """One attempt. From `operation` to `scripted_for` it is for the simulator; a real upstream sends bytes."""

    route: UpstreamRoute
    method: bytes
    target: bytes  # path and query, as they stand in the request line
    headers: Headers  # without Host, Content-Length, Connection
    body: bytes  # of a large one, the first piece
    deadlines: Deadlines
    operation: str = ""
    model: str = ""
    script: str = ""
    context_tokens: int | None = None  # of the model, and the longest answer: None where nobody knows
    max_output_tokens: int | None = None
    scripted_for: str = ""  # whose `times=` counter a script advances: the API key's id
    account_id: str = ""  # who caused it: what accounts share is shared out by it
    rest: list[Buffer] = []  # of the body: a large one is handed on in pieces, without being copied
    upload: Sequence[Piece] = ()  # of a form: all of its body, and `body` and `rest` are empty

    def length(self) -> int:
        """Bytes of the whole body."""
        if self.upload:
            return sum(map(len, self.upload))
        return len(self.body) + sum(map(len, self.rest)) if self.rest else len(self.body)


TakePiece = Callable[[bytes], bytes | None]
"""Takes a piece of a body. None: more may come. Else nobody reads on: the piece, if it was not taken, or b""."""


class UpstreamResponse(Protocol):
    """A provider's answer whose head has arrived.

    Not reading stops the provider (back-pressure).
    """

    status: int
    headers: Headers

    async def read(self, take: "TakePiece | None" = None) -> bytes:
        """The next piece of the body as it comes, and b"" at its clean end. Raises UpstreamBroke where the body ends
        early and UpstreamTimeout where it falls silent.

        take: may be asked to take pieces as they come, before anybody wakes who reads; pieces that it does not take
        are returned. Who hands one in looks for themselves whether they have all they want, for that is b"" too.
        """
        ...

    def abort(self) -> None:
        """Close the connection at once; a pending `read` raises UpstreamBroke. Safe at any time, also twice."""
        ...

    def release(self) -> None:
        """No more of the body is needed. Its end may still come for a second, so that the connection can serve again;
        then it is closed. Nothing is read afterwards."""
        ...


class Upstream(Protocol):
    async def send(self, call: UpstreamRequest) -> UpstreamResponse:
        """Raises UpstreamUnreachable (nothing was sent), UpstreamBroke, UpstreamTimeout."""
        ...
