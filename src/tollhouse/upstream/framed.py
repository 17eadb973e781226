"""An upstream whose streams may come in a framing of the provider's own, and are passed on as server-sent events."""

from collections.abc import Callable, Mapping

from tollhouse.core.upstream import Headers, TakePiece, Upstream, UpstreamRequest, UpstreamResponse
from tollhouse.providers.kind import Framing

CONTENT_TYPE = b"content-type"


class FramedUpstream:
    """See `core.upstream.Upstream`. `framings`: by the content type of the answers that come in them."""

    def __init__(self, upstream: Upstream, framings: Mapping[bytes, Callable[[], Framing]]) -> None:
        self._upstream = upstream
        self._framings = framings

    async def send(self, call: UpstreamRequest) -> UpstreamResponse:
        answer = await self._upstream.send(call)
        said = next((value for name, value in answer.headers if name == CONTENT_TYPE), b"")
        framing = self._framings.get(said.partition(b";")[0].strip().lower())
        return answer if framing is None else UnframedResponse(answer, framing())


class UnframedResponse:
    """See `core.upstream.UpstreamResponse`."""

    def __init__(self, answer: UpstreamResponse, framing: Framing) -> None:
        self._answer = answer
        self._framing = framing
        self.status = answer.status
        others = [field for field in answer.headers if field[0] != CONTENT_TYPE]
        self.headers: Headers = [*others, (CONTENT_TYPE, b"text/event-stream")]

    async def read(self, take: TakePiece | None = None) -> bytes:
        """Give what the next pieces mean: nobody is asked to take a piece, for a piece may mean nothing yet."""
        while data := await self._answer.read():
            if events := self._framing.feed(data):
                return events
        self._framing.finish()
        return b""

    def abort(self) -> None:
        self._answer.abort()

    def release(self) -> None:
        self._answer.release()
