"""A call that a page makes for somebody who is signed in: through the gateway like any other, in the name of a key."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from tollhouse.console.call_formats import CallFormat, Given, texts_at
from tollhouse.core.account import ApiKey, Identity
from tollhouse.core.failure import BadRequest, Failure
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.sse import Event, Splitter
from tollhouse.core.upstream import Headers
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import Call, ClientDisconnected
from tollhouse.gateway.explain import Explanation, explain
from tollhouse.gateway.flow import serve
from tollhouse.gateway.ports import GatewayContext

Take = Callable[[bytes], Awaitable[None]]
"""Takes a piece of an answer's body; the provider waits meanwhile."""
HEADERS: Final[Headers] = [(b"content-type", b"application/json"), (b"x-tollhouse-tags", b"console=playground")]
RAW_CHARACTERS_MAX: Final = 4_000
READ_BYTES_MAX: Final = 1024 * 1024
"""Of an answer, or of an event: what is larger has no text for a page."""


class PlannedCall(NamedTuple):
    key: ApiKey
    format: CallFormat
    body: Mapping[str, Any]
    given: Given


class PageCaller:
    """The `CallerConnection` of a page: its body is there, and each piece of the answer is handed on."""

    encoding = ""
    more_body = False
    length = body_held = 0

    def __init__(self, body: bytes, take: Take) -> None:
        self.body_max = len(body)
        self.gone = False
        self.on_gone: Callable[[], None] | None = None
        self._body = body
        self._take = take

    def leave(self) -> None:
        """Whoever looks at the page has left it, or does not want the rest. Safe to call twice."""
        if not self.gone:
            self.gone = True
            call, self.on_gone = self.on_gone, None
            if call is not None:
                call()

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        return [self._body]

    async def receive(self) -> bytes | None:
        """No page sends a form."""
        return None

    def cut_body(self) -> None: ...

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None:
        await self._take(body)

    async def send_headers(self, status: int, headers: Headers) -> None: ...

    def write_chunk(self, data: bytes) -> bool:
        return False

    async def send_chunk(self, data: bytes) -> None:
        await self._take(data)

    async def finish(self, data: bytes) -> None:
        await self._take(data)

    async def break_off(self, data: bytes) -> None:
        await self._take(data)


class PageCall:
    """One call, with what a program would send. Limits, budgets, prices and the receipt are those of the key."""

    def __init__(
        self,
        gateway: GatewayContext,
        planned: PlannedCall,
        address: str,
        take: Take,
    ) -> None:
        """Raises BadRequest for a key without a secret."""
        now_ms = gateway.clock.now_ms()
        self._gateway = gateway
        call_format, given = planned.format, planned.given
        self.caller = PageCaller(written(planned.body), take)
        self._call = Call(
            id=make_id("req", now_ms, gateway.random.bytes(RANDOM_BYTES)),
            arrived_ms=now_ms,
            time_ms=now_ms,
            ticks_ns=gateway.clock.ticks_ns(),
            dialect=call_format.dialect,
            operation=call_format.operation,
            headers=HEADERS,
            query=b"",
            address=address,
            client=self.caller,
            key_digest=_secret_of(planned.key),
            model=given.model,
            stream=given.stream if call_format.names_model else None,
        )

    @property
    def id(self) -> str:
        return self._call.id

    async def make(self) -> Failure | None:
        """Until it is over and written down. Gives why it was refused or failed before an answer began."""
        try:
            await serve(self._gateway, self._call)
        except Failure as failure:
            return failure
        except ClientDisconnected:
            pass
        return None


async def foreseen(gateway: GatewayContext, planned: PlannedCall) -> Explanation | None:
    """What would become of such a call; None: the key is not known to the gateway. Raises BadRequest."""
    call_format, given = planned.format, planned.given
    identity: Identity | None = gateway.keys.find(_secret_of(planned.key))
    if identity is None:
        return None
    return await explain(
        gateway,
        identity,
        call_format.operation,
        HEADERS,
        written(planned.body),
        dialect=call_format.dialect,
        model_in_path=given.model,
        stream=given.stream if call_format.names_model else None,
    )


def written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def text_of(call_format: CallFormat, answer: bytes) -> str:
    """What the model wrote in a whole answer; the answer's beginning as it is where there is no text to be found."""
    if call_format.shows == "sound":
        return ""
    read = _read(answer) if call_format.texts else None
    if read is not None:
        return texts_at(read, call_format.texts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return answer[: 4 * RAW_CHARACTERS_MAX].decode("utf-8", "replace")[:RAW_CHARACTERS_MAX]


def _read(data: bytes) -> dict[str, Any] | None:
    """None: it is no object, or too large."""
    try:
        read = json.loads(data) if len(data) <= READ_BYTES_MAX else None
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


class StreamText:
    """Takes the pieces of a stream, gives the text that they bring."""

    def __init__(self, call_format: CallFormat) -> None:
        self._format = call_format
        self._splitter = Splitter()

    def feed(self, data: bytes) -> str:
        return "".join(self._text(event) for event in self._splitter.feed(data))

    def _text(self, event: Event) -> str:
        read = _read(event.data)
        if read is None or (self._format.events and read.get("type") not in self._format.events):
            return ""
        return texts_at(read, self._format.deltas)


def _secret_of(key: ApiKey) -> bytes:
    """The SHA-256 of the newest. Raises BadRequest."""
    if not key.secrets:
        raise BadRequest("this key has no secret: choose another", param="key")
    return key.secrets[0].digest
