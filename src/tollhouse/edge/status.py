"""Small public answers without a key: is it alive, is it ready, what is here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from tollhouse.core.upstream import Headers
from tollhouse.edge.exchange import JSON, Exchange
from tollhouse.edge.paths import CALLS, LOOKUPS
from tollhouse.formats import codecs, dialects

PATHS: Final = frozenset(("/", "/v1", "/v1/", "/healthz", "/readyz", "/v1/healthz", "/v1/readyz"))

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Readiness:
    """`parts` tells, by name, whether each is in order; `draining` stands once the process is asked to end."""

    parts: Callable[[], dict[str, bool]]
    generation: Callable[[], int]
    draining: Callable[[], bool]


async def answer(exchange: Exchange, path: str, ready: Readiness) -> None:
    if path.endswith("healthz"):
        await exchange.send_response(200, _json(), _encode({"status": "ok"}))
    elif path.endswith("readyz"):
        await _ready(exchange, ready)
    elif _wants_html(exchange.headers) and exchange.method == "GET":
        await exchange.send_response(302, [(b"location", b"/console/"), (b"vary", b"accept")], b"")
    else:
        endpoints = [{"path": e.path, "methods": list(e.methods), "dialect": e.dialect} for e in (*CALLS, *LOOKUPS)]
        index = {"object": "index", "name": "tollhouse", "endpoints": endpoints + _actions(), "support": "/support"}
        await exchange.send_response(200, [*_json(), (b"vary", b"accept")], _encode(index))


def _actions() -> list[dict[str, object]]:
    """What may be asked of a model by its path."""
    return [
        {"path": f"{spec.prefixes[0]}models/{{model}}:{name}", "methods": ["POST"], "dialect": spec.name}
        for spec in dialects().values()
        for name, asked in spec.actions.items()
        if (spec.name, asked.operation) in codecs()
    ]


async def _ready(exchange: Exchange, ready: Readiness) -> None:
    parts = ready.parts()
    draining = ready.draining()
    good = all(parts.values()) and not draining
    state = {"status": "draining" if draining else "ready" if good else "not ready", "parts": parts}
    body: dict[str, object] = {**state, "generation": ready.generation()}
    headers = _json()
    if not good:
        broken = ", ".join(name for name, well in parts.items() if not well)
        message = "this process is shutting down" if draining else f"not ready: {broken}"
        body["error"] = {"message": message, "type": "server_error", "param": None, "code": "overloaded"}
        headers += [(b"retry-after", b"1"), (b"retry-after-ms", b"1000")]
    await exchange.send_response(200 if good else 503, headers, _encode(body))


def _json() -> Headers:
    return [JSON, (b"cache-control", b"no-store")]


def _wants_html(headers: Headers) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in headers)
