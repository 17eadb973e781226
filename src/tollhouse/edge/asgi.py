"""ASGI (spec 2.3) over an exchange: for the applications beside the LLM API, and for any that others bring."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from tollhouse.core.failure import Defect
from tollhouse.edge.exchange import Exchange

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


def serving(application: Application) -> Callable[[Exchange], Awaitable[None]]:
    """A listener's app that has an application answer every exchange."""

    async def serve(exchange: Exchange) -> None:
        await answer(application, exchange)

    return serve


async def answer(application: Application, exchange: Exchange, **more: object) -> None:
    """Have an application answer one exchange. more: what else its scope holds, or holds instead.

    The application may send on to a client that has left: that is harmless and goes nowhere.
    """

    async def receive() -> MutableMapping[str, Any]:
        piece = await exchange.receive()
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": exchange.more_body}

    async def send(message: MutableMapping[str, Any]) -> None:
        kind = message["type"]
        if exchange.gone:
            return
        if kind == "http.response.body":
            await exchange.send(message.get("body", b""), more=message.get("more_body", False))
        elif kind == "http.response.start":
            exchange.begin(message["status"], message.get("headers", ()))
        else:
            raise Defect(f"An application sent {kind} where it cannot stand.")

    await application(_scope(exchange) | more, receive, send)


def peer(scope: Scope) -> str:
    """The address at the other end of the connection; empty for a socket file."""
    return str(scope["client"][0]) if scope["client"] else ""


def _scope(exchange: Exchange) -> dict[str, Any]:
    connection = exchange.connection
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.0" if exchange.http_1_0 else "1.1",
        "method": exchange.method,
        "scheme": connection.scheme,
        "path": exchange.path,
        "raw_path": exchange.raw_path,
        "query_string": exchange.query,
        "root_path": "",
        "headers": exchange.headers,
        "client": connection.client,
        "server": connection.server,
        "extensions": {"tollhouse": exchange},
    }
