"""A call that a page makes for somebody who is signed in: through the gateway like any other, in the name of a key."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from tollhouse.core.account import ApiKey
from tollhouse.core.failure import BadRequest, Failure
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.upstream import Headers
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import Call
from tollhouse.gateway.flow import serve
from tollhouse.gateway.ports import GatewayContext


class PageCaller:
    """The `CallerConnection` of a page: its body is there, and what is answered is kept."""

    encoding = ""
    gone = False
    more_body = False

    def __init__(self, body: bytes) -> None:
        self.body_max = len(body)
        self.on_gone: Callable[[], None] | None = None
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.answer = b""
        self._body = body

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        return [self._body]

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None:
        await self.send_headers(status, headers)
        self.answer = body

    async def send_headers(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, dict(headers)

    def write_chunk(self, data: bytes) -> bool:
        self.answer += data
        return True

    async def send_chunk(self, data: bytes) -> None:
        self.answer += data

    async def finish(self, data: bytes) -> None:
        self.answer += data

    async def break_off(self, data: bytes) -> None:
        self.answer += data


class PageAnswer(Struct, frozen=True):
    """What a page shows of a call. `failure`: it was refused, or failed. `charge_usd`: as the answer's head says it."""

    request_id: str
    text: str = ""
    charge_usd: str = ""
    failure: Failure | None = None


async def ask(gateway: GatewayContext, key: ApiKey, body: Mapping[str, Any], address: str) -> PageAnswer:
    """A chat call with a body as a program would send it. Limits, budgets, prices and the receipt are those of the key.

    Raises BadRequest for a key without a secret that is valid.
    """
    if not key.secrets:
        raise BadRequest("this key has no secret: choose another", param="key")
    now_ms = gateway.clock.now_ms()
    caller = PageCaller(json.dumps(body, ensure_ascii=False).encode())
    call = Call(
        id=make_id("req", now_ms, gateway.random.bytes(RANDOM_BYTES)),
        arrived_ms=now_ms,
        time_ms=now_ms,
        ticks_ns=gateway.clock.ticks_ns(),
        dialect="openai",
        operation="chat",
        headers=[(b"content-type", b"application/json"), (b"x-tollhouse-tags", b"console=playground")],
        query=b"",
        address=address,
        client=caller,
        key_digest=key.secrets[0].digest,
    )
    try:
        await serve(gateway, call)
    except Failure as failure:
        return PageAnswer(call.id, failure=failure)
    return PageAnswer(call.id, _text(caller.answer), caller.headers.get(b"x-tollhouse-charge-usd", b"").decode())


def _text(answer: bytes) -> str:
    """What the model said; the answer as it is where that cannot be found in it."""
    try:
        message = json.loads(answer)["choices"][0]["message"]
        return str(message.get("content") or message.get("refusal") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return answer.decode("utf-8", "replace")
