"""The control API as an ASGI application: find the route, know the caller, read what he gives, do the action."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from tollhouse.access.exposed import without_keys
from tollhouse.core import route_table
from tollhouse.core.clock import Clock
from tollhouse.core.escaping import SHOWN_MAX, printable
from tollhouse.core.failure import (
    BadRequest,
    Defect,
    EncodingUnknown,
    Failure,
    MethodNotAllowed,
    PathNotFound,
    RequestTooLarge,
)
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.links import links
from tollhouse.core.randomness import Randomness
from tollhouse.edge.admin.callers import Callers
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.request_body import BODY_BYTES_MAX, from_body, from_query
from tollhouse.edge.admin.route import AdminRequest, AdminRoute, NoParameters
from tollhouse.edge.admin.table import TABLE
from tollhouse.edge.asgi import Receive, Scope, Send
from tollhouse.edge.body_turns import BodyTurns
from tollhouse.edge.reply import headers_of
from tollhouse.formats.openai import failure as openai

FILE_BYTES_MAX: Final = 8 * 1024 * 1024  # a platform.toml of thousands of models is well below
_JSON: Final = (b"content-type", b"application/json")
_CSV: Final = (b"content-type", b"text/csv; charset=utf-8")
_PAGE: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))

_encode = msgspec.json.Encoder().encode


class _Left(Exception):
    """The caller closed the connection before the end of his body."""


@dataclass(frozen=True, slots=True)
class ControlApi:
    """The same for the main listener and for the control socket; `callers` makes the difference.

    `defect` is told of an exception that nothing in the platform expected.
    """

    context: AdminContext
    callers: Callers
    clock: Clock
    random: Randomness
    defect: Callable[[str, BaseException], None] = field(default=lambda request_id, error: None)
    routes: Sequence[AdminRoute] = TABLE
    turns: BodyTurns = field(default_factory=BodyTurns)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now_ms = self.clock.now_ms()
        parsed: str | None = scope.get("request_id")  # empty: nobody records this request
        request_id = make_id("req", now_ms, self.random.bytes(RANDOM_BYTES)) if parsed is None else parsed
        try:
            status, headers, body = await self._answer(scope, receive, now_ms)
        except _Left:
            return
        except Failure as failure:
            failure.message = without_keys(failure.message)  # it may name what was sent in a wrong place
            failure.links = links(failure.code, self.context.services.public_url, "")
            status, body = openai.status(failure), openai.body(failure, request_id)
            headers = headers_of(failure)
        except Exception as error:  # guard: whatever a defect of ours is, the caller gets an answer
            self.defect(request_id, error)
            ours = Defect("this platform failed on your request")
            status, headers, body = ours.status, [_JSON], openai.body(ours, request_id)
        ids = [(b"x-request-id", request_id.encode()), (b"request-id", request_id.encode())]
        head = [*_ALWAYS, *headers, *ids, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(
        self, scope: Scope, receive: Receive, now_ms: int
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        route, object_id = find(
            self.routes, scope["method"], scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        )
        caller = await self.callers(route, scope, now_ms)
        account_id = caller.actor.account_id
        with nullcontext(nullcontext()) if account_id is None else self.turns.line(account_id) as places:
            size_max = route.bytes_max or (FILE_BYTES_MAX if route.takes_file else BODY_BYTES_MAX)
            data = b"" if scope["method"] in ("GET", "HEAD") else await _body(receive, size_max)
            parsed = _given(route, scope, data)
            request = AdminRequest(
                actor=caller.actor,
                body=parsed,
                id=object_id,
                own_key_id=caller.own_key_id,
                now_ms=now_ms,
                file=data if route.takes_file else b"",
                may=caller.may,
            )
            async with places:
                answer = await route.handler(self.context, request)
            if route.as_csv is not None and _wants_csv(scope["headers"], parsed):
                return route.status, [_CSV], route.as_csv(parsed, answer).encode()
            if route.as_page is not None and _is_browser(scope["headers"]):
                return route.status, list(_PAGE), route.as_page(parsed, answer).encode()
            return route.status, [_JSON], _encode(answer)


def _given(route: AdminRoute, scope: Scope, data: bytes) -> Struct:
    if route.takes_file or route.takes_query or route.method == "GET":
        return from_query(scope["query_string"], route.takes)
    from_query(scope["query_string"], NoParameters)
    _require_json(scope["headers"], data)
    return from_body(data, route.takes)


def find(routes: Sequence[AdminRoute], method: str, path: str) -> tuple[AdminRoute, str]:
    """The route of a request and the object id in its path, which is as it was sent: a name may hold an encoded slash.
    Raises PathNotFound, MethodNotAllowed."""
    found = route_table.find(routes, method, path)
    if isinstance(found, tuple):
        return found[0], unquote(found[1])
    shown = printable(path, SHOWN_MAX)
    if found:
        allow = ", ".join(found)
        raise MethodNotAllowed(f"{shown} takes {allow}, not {method[:20]}", headers=((b"allow", allow.encode()),))
    raise PathNotFound(f"there is no {method[:20]} {shown} here; GET /api/openapi.json lists what there is")


async def _body(receive: Receive, size_max: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Left
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > size_max:
            raise RequestTooLarge(f"the request body is larger than the {size_max} bytes taken here")
        if not message.get("more_body"):
            return b"".join(pieces)


def _wants_csv(headers: Sequence[tuple[bytes, bytes]], body: Struct) -> bool:
    return getattr(body, "format", None) == "csv" or dict(headers).get(b"accept", b"").startswith(b"text/csv")


def _is_browser(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return b"text/html" in dict(headers).get(b"accept", b"")


def _require_json(headers: Sequence[tuple[bytes, bytes]], data: bytes) -> None:
    """A form or plain text is what a page of another site can send without asking: refused."""
    named = dict(headers)
    kind = named.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if data and kind != b"application/json":
        raise BadRequest("send Content-Type: application/json", param="content-type")
    if named.get(b"content-encoding", b"").strip().lower() not in (b"", b"identity"):
        raise EncodingUnknown(
            "a body of the control API is not compressed: leave Content-Encoding out", param="content-encoding"
        )
