"""A request becomes a page: find it, know who asks, let them in, have it made, send it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from tollhouse.access.exposed import without_keys
from tollhouse.access.roles import may
from tollhouse.access.sessions import is_csrf_token
from tollhouse.console import event_stream
from tollhouse.console.context import ConsoleContext, Scope
from tollhouse.console.cookies import secret_in
from tollhouse.console.language import language_of
from tollhouse.console.render import Renderer
from tollhouse.console.route import (
    EVERYBODY,
    SIGNED_IN,
    Answer,
    ConsolePage,
    Download,
    Elsewhere,
    Events,
    Shown,
    Text,
    discovered,
    find,
)
from tollhouse.console.static import StaticFiles
from tollhouse.console.visit import OF_PLATFORM, Visit, read_pairs
from tollhouse.core.failure import BadRequest, Defect, Failure, MethodNotAllowed, RequestTooLarge, ScopeMissing
from tollhouse.core.phrase import Phrase
from tollhouse.core.route_table import match
from tollhouse.formats.openai import failure as openai
from tollhouse.services import sessions, tickets

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Made = tuple[int, list[tuple[bytes, bytes]], bytes]

_SIGNED_IN: Final = "signed_in"  # the router looks for it: see `edge.router.SIGNED_IN`
FORM_BYTES_MAX: Final = 256 * 1024
SECURITY: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src data:; "
        b"connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_CSV: Final = (b"content-type", b"text/csv; charset=utf-8")
_PRIVATE: Final = (
    (b"cache-control", b"no-store"),
    (b"vary", b"cookie, accept-language, hx-request, hx-request-type, hx-history-restore-request"),
)
ACCOUNTS: Final = "/console/platform/accounts"
"""Where those who run the platform begin."""
SIGN_OUT: Final = "/console/sign-out"
_KEPT_MAX: Final = 64
BELOW: Final = ("/console", "/support", "/docs", "/llms.txt", "/status", "/status.json", "/status.atom")
"""What the router passes here: these paths, and what lies below them."""
MOVED: Final = {
    "/docs": "/docs/errors",
    "/docs/": "/docs/errors",
    "/console": "/console/",
    "/support/": "/support",
    "/status/": "/status",
    "/console/token": "/console/keys",
    "/console/token/": "/console/keys",
}


class Left(Exception):
    """The browser closed the connection before the end of its form."""


class StreamBroke(Exception):
    """A stream of events failed after it had begun: it must not look whole."""


class Console:
    """The console and the pages for everybody, as an ASGI application. The router puts `request_id` into the scope."""

    def __init__(self, context: ConsoleContext) -> None:
        self.context = context
        self.pages = discovered()
        self._static = StaticFiles()
        self._renderer = Renderer(context)
        self._made_once: dict[tuple[str, str, str], tuple[int, Made | Events]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope.get("request_id", "")
        visit = self._visit(scope, request_id)
        try:
            answer = await self._answer(visit, receive)
            if isinstance(answer, Events):
                await self._stream(visit, answer, receive, send)
                return
            status, headers, body = answer
        except Left:
            return
        except StreamBroke:
            raise  # the listener breaks the connection off, and notes the defect
        except Failure as failure:
            status, headers, body = await self._refusal(visit, failure)
        except Exception as error:  # guard: whatever a defect of ours is, the browser gets a page
            self.context.defect(request_id, error)
            status, headers, body = await self._refusal(visit, Defect("this platform failed on your request"))
        headers = [*headers, *SECURITY, *_ids(request_id), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _stream(self, visit: Visit, events: Events, receive: Receive, send: Send) -> None:
        """Raises what `events` does, before anything is sent; behind that, the connection is to break off."""
        began = False

        async def begin() -> None:
            nonlocal began
            began = True
            headers = [*event_stream.HEADERS, *SECURITY, *_ids(visit.request_id)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def emit(piece: bytes) -> None:
            if not began:
                await begin()
            await send({"type": "http.response.body", "body": piece, "more_body": True})

        if visit.scope["method"] == "HEAD":
            await begin()
        else:
            try:
                await events.run(receive, emit)
            except Exception as error:  # guard: a page of trouble cannot follow a stream that has begun
                if began:
                    raise StreamBroke from error
                raise
        await send({"type": "http.response.body", "body": b""})

    def _visit(self, scope: Scope, request_id: str) -> Visit:
        headers = dict(scope["headers"])
        return Visit(
            context=self.context,
            scope=scope,
            now_ms=self.context.services.clock.now_ms(),
            request_id=request_id,
            address=self.context.address_of(scope),
            secret=secret_in(headers.get(b"cookie", b""), is_secure=scope.get("scheme") == "https"),
            language=language_of(headers.get(b"accept-language", b""), self.context.settings.platform.languages),
        )

    async def _answer(self, visit: Visit, receive: Receive) -> Made | Events:
        path, method = visit.path, visit.scope["method"]
        if method not in ("GET", "HEAD") and (path in MOVED or self._static.find(path) is not None):
            raise MethodNotAllowed(
                Phrase("this is read with GET, not %(method)s", method=method[:20]), headers=((b"allow", b"GET, HEAD"),)
            )
        if path in MOVED:
            return 307, [(b"location", MOVED[path].encode())], b""
        if (file := self._static.find(path)) is not None:
            encoding = visit.headers.get(b"accept-encoding", b"")
            return 200, file.headers(visit.scope["query_string"], encoding), file.body(encoding)
        page, visit.id = find(self.pages, method, path)
        visit.query = read_pairs(visit.scope["query_string"])
        if visit.secret:
            visit.visitor = await sessions.visitor(self.context.services, visit.secret)
            self._take_settings(visit)
        if visit.visitor is None:
            visit.secret = ""
            if page.may != EVERYBODY:
                return self._to_sign_in(visit)
            if page.kept_ms:
                return await self._kept(visit, page)
            await _read_form(page, visit, receive)
            return await self._made(visit, await page.handler(visit))
        visit.scope[_SIGNED_IN] = True
        person = visit.visitor.person
        _require_may(visit, page)
        if visit.lacks_factor and not page.without_factor and page.may != EVERYBODY:
            return _sent_to(visit, "/console/settings/factor", [])
        if page.of_account and visit.account is None:
            return _sent_to(visit, self._of_platform(visit), [])
        if page.waits:
            await _read_form(page, visit, receive)
            return await self._made(visit, await page.handler(visit))
        with self.context.line(person.account_id or person.id) as places:
            await _read_form(page, visit, receive)
            async with places:
                await self._count_tickets(visit)
                return await self._made(visit, await page.handler(visit))

    async def _kept(self, visit: Visit, page: ConsolePage) -> Made | Events:
        """A page that is the same for everybody without a session, made anew when it is some seconds old."""
        key = page.path, visit.language, visit.base_url
        made_ms, made = self._made_once.get(key, (0, None))
        if made is None or not 0 <= visit.now_ms - made_ms < page.kept_ms:
            made = await self._made(visit, await page.handler(visit))
            if len(self._made_once) >= _KEPT_MAX:  # browsers name many hosts, or somebody plays with them
                self._made_once.clear()
            self._made_once[key] = visit.now_ms, made
        return made

    async def _count_tickets(self, visit: Visit) -> None:
        """For the menu of those who run the platform; a part of a page has no menu."""
        assert visit.visitor is not None
        if visit.is_of_platform and not visit.is_fragment and may(visit.visitor.person, "tickets.list"):
            visit.tickets_waiting = await tickets.waiting(self.context.services)

    def _of_platform(self, visit: Visit) -> str:
        """Where people of the platform find what an account's page shows: a customer may have sent its address."""
        path = visit.here.replace("/console/", OF_PLATFORM, 1)
        known = any(one.method == "GET" and match(one.path, urlsplit(path).path) is not None for one in self.pages)
        return path if known else ACCOUNTS

    def _take_settings(self, visit: Visit) -> None:
        """What the visitor has set goes before what their browser asks for."""
        chosen = None if visit.visitor is None else visit.visitor.person.language
        if chosen is not None and chosen in self.context.settings.platform.languages:
            visit.language = chosen

    async def _made(self, visit: Visit, answer: Answer) -> Made | Events:
        if isinstance(answer, Events):
            return answer
        if isinstance(answer, Download):
            kept = b'attachment; filename="' + answer.name.encode() + b'"'
            return 200, [_CSV, *_PRIVATE, (b"content-disposition", kept)], answer.content.encode()
        if isinstance(answer, Text):
            age = (b"cache-control", f"public, max-age={answer.seconds}".encode())
            return 200, [(b"content-type", answer.kind.encode()), age], answer.content.encode()
        cookies = [(b"set-cookie", cookie.encode()) for cookie in answer.cookies]
        if isinstance(answer, Elsewhere):
            return _sent_to(visit, answer.path, cookies)
        headers = [_HTML, *_PRIVATE, *cookies, *_wait(answer.retry_after_ms)]
        return answer.status, headers, await self._renderer.page(visit, answer)

    def _to_sign_in(self, visit: Visit) -> Made:
        wanted = f"?next={quote(visit.here)}" if visit.scope["method"] in ("GET", "HEAD") else ""
        return _sent_to(visit, f"/console/sign-in{wanted}", [])

    async def _refusal(self, visit: Visit, failure: Failure) -> Made:
        if (cleaned := without_keys(failure.message)) != failure.message:
            failure.message = failure.phrase = cleaned
        headers = [*failure.headers, (b"cache-control", b"no-store"), *_wait(failure.retry_after_ms)]
        if not _wants_html(visit):
            return (
                openai.status(failure),
                [(b"content-type", b"application/json"), *headers],
                openai.body(failure, visit.request_id),
            )
        shown = Shown("trouble.html", {"failure": failure, "request_id": visit.request_id}, failure.status)
        return failure.status, [_HTML, *headers], await self._renderer.page(visit, shown)


def _wait(retry_after_ms: int | None) -> list[tuple[bytes, bytes]]:
    return [] if retry_after_ms is None else [(b"retry-after", b"%d" % -(-retry_after_ms // 1_000))]


def _ids(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-request-id", request_id.encode()), (b"request-id", request_id.encode())]


def _sent_to(visit: Visit, path: str, cookies: list[tuple[bytes, bytes]]) -> Made:
    """303, or what htmx takes for it: it would follow a redirect by itself, and put a whole page into a part."""
    headers = [*_PRIVATE, *cookies]
    if visit.is_fragment:
        return 200, [(b"hx-redirect", path.encode()), *headers], b""
    return 303, [(b"location", path.encode()), *headers], b""


async def _read_form(page: ConsolePage, visit: Visit, receive: Receive) -> None:
    """Raises BadRequest for a form that another site sent, RequestTooLarge."""
    if page.method == "POST":
        visit.form = read_pairs(await _body(receive))
        _require_own_form(visit)


def _require_may(visit: Visit, page: ConsolePage) -> None:
    """Raises ScopeMissing. Who is of the platform changes an account on the platform's pages; on the account's own they
    look."""
    assert visit.visitor is not None
    includes = page.may in (EVERYBODY, SIGNED_IN) or visit.may(page.may)
    if not includes or (page.of_platform and not visit.is_of_platform):
        raise ScopeMissing(Phrase("your role here, %(role)s, does not include this", role=visit.visitor.person.role))
    if page.method != "POST" or page.path == SIGN_OUT or page.of_platform or not visit.is_of_platform:
        return
    if visit.acting is not None:
        raise ScopeMissing("you only look at this account: nothing can be changed from its pages")
    if page.of_account:
        raise ScopeMissing("this page is an account's: change it on the platform's page of that account")


def _require_own_form(visit: Visit) -> None:
    """A form of this site, sent by a page of this site. Raises BadRequest."""
    headers = visit.headers
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is None:  # a browser of old, or a proxy that drops it
        ours = origin is not None and origin.partition(b"://")[2] == headers.get(b"host", b"")
    else:
        ours = site == b"same-origin"
    if not ours:
        raise BadRequest("this form was not sent by a page of this site: open the page again, and send it from there")
    if visit.secret and not is_csrf_token(visit.secret, visit.given("csrf")):
        raise BadRequest("this form is of another session: open the page again, and send it from there", param="csrf")


def _wants_html(visit: Visit) -> bool:
    """A browser, or a fragment it loads; programs get JSON."""
    headers = visit.headers
    return b"text/html" in headers.get(b"accept", b"") or b"hx-request" in headers


async def _body(receive: Receive) -> bytes:
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        piece = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size > FORM_BYTES_MAX:
            raise RequestTooLarge(Phrase("this form is larger than %(most)s bytes", most=FORM_BYTES_MAX))
        more = message.get("more_body", False)
    return b"".join(pieces)
