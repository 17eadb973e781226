"""A destination as a server that runs has it, of which every call is answered alike."""

from tollhouse.core.catalogue import Provider
from tollhouse.core.upstream import Deadlines, Headers, TakePiece, UpstreamRequest, UpstreamRoute
from tollhouse.gateway.destination import Destination
from tollhouse.providers import kinds


class Answering:
    """An upstream that answers every call with the same head and body."""

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status, self.headers, self.asked = status, headers, list[UpstreamRequest]()
        self.body = body
        self.left = b""

    async def send(self, call: UpstreamRequest) -> "Answering":
        self.asked.append(call)
        self.left = self.body
        return self

    async def read(self, take: TakePiece | None = None) -> bytes:
        piece, self.left = self.left, b""
        return piece

    def abort(self) -> None:
        pass

    release = abort


def destination(provider: Provider, keys: tuple[str, ...], upstream: Answering | None = None) -> Destination:
    return Destination(
        provider=provider,
        kind=kinds()[provider.kind],
        upstream=upstream or Answering(200, []),
        route=UpstreamRoute("http", "h.example", 80),
        path="/v1",
        keys=keys,
        deadlines=Deadlines(),
    )
