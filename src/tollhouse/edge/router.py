"""The application behind the listener: each request gets an id, finds its endpoint, and is answered come what may."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from tollhouse.access.exposed import without_keys
from tollhouse.access.judge import Requirement, present_and_judge
from tollhouse.core.failure import Defect, Failure, MethodNotAllowed, ModelNotFound, PathNotFound
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.links import links
from tollhouse.core.operation import Dialect
from tollhouse.edge import asgi, billing, cors, key, models, new_api, organization, status
from tollhouse.edge.body_turns import BodyTurns
from tollhouse.edge.exchange import Exchange, shown
from tollhouse.edge.forwarded import TrustedProxies
from tollhouse.edge.paths import COUNTING, ENDPOINTS, Endpoint, action, dialect_of, find, is_action
from tollhouse.edge.reply import refuse
from tollhouse.formats import dialects
from tollhouse.gateway.connection import Call, ClientDisconnected
from tollhouse.gateway.flow import serve
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.token_count import count_tokens
from tollhouse.limits.pace import DELAY_MS_MAX
from tollhouse.services.context import ServiceContext

LOOKUPS: Final = {"models": models.listing, "model": models.item}
BOOKS: Final = {"key": key.whoami, **billing.PAGES, **organization.PAGES, **new_api.PAGES}
PUBLIC: Final = {"new_api_status": new_api.status}
_HEALTH_DELAY_MS_MAX: Final = 100
"""Whoever asks for the health of a process gives up after a second or two."""
_WITH_A_KEY: Final = "/api/v1/"
SIGNED_IN: Final = "signed_in"
"""What a page puts into its scope once it knows whose session the request carries."""
_PAGE_WEIGHT: Final = 4  # of a page, in refusals
_BOOK_WEIGHT: Final = 20  # of what an account is told of its money and limits, of which it may have hundreds
_LIST_WEIGHT: Final = 10  # of its models
_MODELS_A_WEIGHT: Final = 5  # models of a list that weigh as much as a refusal
_MODELS_A_NEAR_WEIGHT: Final = 25  # models that are compared with a name that is unknown, likewise
_PAGE_WEIGHTS: Final = {"/api/openapi.json": 20}


@dataclass(slots=True)
class Edge:
    """What answers on the main listener.

    `pages` are ASGI applications that serve what lies below their path (console, control API, documentation). `defect`
    is told of an exception that nothing in the platform expected.
    """

    gateway: GatewayContext
    services: ServiceContext
    about: new_api.PlatformInfo
    proxies: TrustedProxies
    body_bytes_max: int
    upload_bytes_max: int
    ready: status.Readiness
    turns: BodyTurns = field(default_factory=BodyTurns)
    pages: dict[str, asgi.Application] = field(default_factory=dict)
    defect: Callable[[str, BaseException], None] = lambda request_id, error: None

    async def __call__(self, exchange: Exchange) -> None:
        gateway, path = self.gateway, exchange.path
        now_ms = gateway.clock.now_ms()
        request_id = make_id("req", now_ms, gateway.random.bytes(RANDOM_BYTES))
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            endpoint = action(path) if is_action(exchange.method, path) else find(path)
        if endpoint is None:
            page = self._page(path)
            if page is not None:
                scheme = self.proxies.scheme(exchange.peer, exchange.headers, exchange.connection.scheme or "http")
                await asgi.answer(self._paced(page, exchange), exchange, request_id=request_id, scheme=scheme)
                return
        exchange.body_max, exchange.always = self.body_bytes_max, cors.always(request_id)
        dialect = dialect_of(path) if endpoint is None else endpoint.dialect
        if endpoint is not None and endpoint.name.startswith("model"):
            dialect = models.dialect(exchange.headers, endpoint)
        call: Call | None = None
        try:
            if endpoint is None:
                await self._elsewhere(exchange, path)
            elif exchange.method not in endpoint.methods:
                await self._other_method(exchange, endpoint, path)
            elif endpoint.operation is not None:
                call = Call(
                    id=request_id,
                    arrived_ms=now_ms,
                    time_ms=now_ms,
                    ticks_ns=gateway.clock.ticks_ns(),
                    dialect=dialect,
                    operation=endpoint.operation,
                    headers=exchange.headers,
                    query=exchange.query,
                    address=self.proxies.client(exchange.peer, exchange.headers),
                    client=exchange,
                    key_in_query=dialects()[dialect].key_in_query,
                )
                if endpoint.form:
                    exchange.body_max = self.upload_bytes_max
                if endpoint.stream is not None:
                    call.model, call.stream = endpoint.model, endpoint.stream
                    call.framing = dialects()[dialect].framing(exchange.query) if endpoint.stream else ""
                await (count_tokens if endpoint.name == COUNTING else serve)(gateway, call)
            elif endpoint.needs is None:
                await self._pace(exchange)
                await PUBLIC[endpoint.name](self.about, exchange)
            else:
                await self._look_up(exchange, endpoint, endpoint.needs, dialect, path, now_ms)
        except Failure as failure:
            if failure.status < 500:
                compared = len(self.gateway.catalogue.models) if isinstance(failure, ModelNotFound) else 0
                await self._pace(exchange, 1 + compared // _MODELS_A_NEAR_WEIGHT)
            await self._refuse(exchange, dialect if call is None else call.dialect, failure, request_id, endpoint)
        except ClientDisconnected:
            pass
        except Exception as error:  # guard: whatever a defect of ours is, the caller gets an answer in his dialect
            self.defect(request_id, error)
            ours = Defect("this platform failed on your request; nothing was charged")
            await self._refuse(exchange, dialect, ours, request_id, endpoint)

    async def _look_up(
        self, exchange: Exchange, endpoint: Endpoint, needs: Requirement, dialect: Dialect, path: str, now_ms: int
    ) -> None:
        """Judge who asks, then enter the handler with their identity."""
        address = self.proxies.client(exchange.peer, exchange.headers)
        page = BOOKS.get(endpoint.name)
        if page is None:  # no limit stands before money: whoever has reached one comes to read it
            self.gateway.addresses.admit(address, now_ms)
        identity = present_and_judge(
            exchange.headers,
            exchange.query,
            key_in_query=dialects()[dialect].key_in_query and page is None,
            find=self.gateway.keys.find,
            now_ms=now_ms,
            address=address,
            needs=needs,
        )
        gateway = self.gateway
        weight = (_LIST_WEIGHT if page is None else _BOOK_WEIGHT) + len(gateway.catalogue.models) // _MODELS_A_WEIGHT
        if delay_ms := gateway.pace.account_delay_ms(identity.account.id, gateway.clock.now_ms(), weight):
            await gateway.sleep(delay_ms / 1_000)
        if page is not None:
            with self.turns.line(identity.account.id) as places:
                async with places:
                    await page(self.services, exchange, identity)
        else:
            await LOOKUPS[endpoint.name](self.gateway, exchange, identity, dialect, path, now_ms)

    async def _pace(self, exchange: Exchange, weight: int = 1, longest_ms: int = DELAY_MS_MAX) -> None:
        """Whoever is refused very often, or asks very often for what needs no key, waits for the answer."""
        gateway = self.gateway
        address = self.proxies.client(exchange.peer, exchange.headers)
        delay_ms = min(gateway.pace.delay_ms(address, gateway.clock.now_ms(), weight), longest_ms)
        if delay_ms:
            await gateway.sleep(delay_ms / 1_000)

    def _paced(self, page: asgi.Application, exchange: Exchange) -> asgi.Application:
        """A page whose answers keep the pace of what needs no key, unless a key or a session was taken: then only what
        is refused does."""
        path = exchange.path
        weight = _PAGE_WEIGHTS.get(path, _PAGE_WEIGHT)

        async def paced(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
            async def slowly(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    if not (path.startswith(_WITH_A_KEY) or SIGNED_IN in scope):
                        await self._pace(exchange, weight)
                    elif 400 <= message["status"] < 500:
                        await self._pace(exchange)
                await send(message)

            await page(scope, receive, slowly)

        return paced

    async def _refuse(
        self, exchange: Exchange, dialect: Dialect, failure: Failure, request_id: str, endpoint: Endpoint | None
    ) -> None:
        if not exchange.started:
            failure.message = without_keys(failure.message)  # it may name what was sent in a wrong place
            operation = None if endpoint is None else endpoint.operation
            codec = None if operation is None else self.gateway.codecs[dialect, operation]
            recorded = "" if operation is None else request_id
            failure.links = links(failure.code, self.gateway.public_url, recorded)
            await refuse(exchange, dialect, failure, request_id, codec)

    def _page(self, path: str) -> asgi.Application | None:
        for prefix, page in self.pages.items():
            if path == prefix or path.startswith(prefix + "/"):
                return page
        return None

    async def _elsewhere(self, exchange: Exchange, path: str) -> None:
        """Paths that are no endpoint of the LLM API: health, the index, a preflight, or nothing."""
        method = exchange.method
        if method == "OPTIONS":
            await self._pace(exchange)
            await cors.preflight(exchange)
        elif path in status.PATHS and method in ("GET", "HEAD"):
            await self._pace(exchange, 1, _HEALTH_DELAY_MS_MAX if path.endswith("z") else DELAY_MS_MAX)
            await status.answer(exchange, path, self.ready)
        elif path in status.PATHS:
            raise _method_not_allowed(method, path, ("GET", "HEAD"))
        else:
            raise PathNotFound(f"{shown(method)} {shown(path)} is not offered here; GET / lists what is")

    async def _other_method(self, exchange: Exchange, endpoint: Endpoint, path: str) -> None:
        if exchange.method != "OPTIONS":
            raise _method_not_allowed(exchange.method, path, endpoint.methods)
        await self._pace(exchange)
        await cors.preflight(exchange)


def _method_not_allowed(method: str, path: str, allowed: tuple[str, ...]) -> MethodNotAllowed:
    allow = ", ".join((*allowed, "OPTIONS"))
    return MethodNotAllowed(
        f"{shown(path)} takes {' or '.join(allowed)}, not {shown(method)}", headers=((b"allow", allow.encode()),)
    )
