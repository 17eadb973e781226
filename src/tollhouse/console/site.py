"""Which path is which page, and the headers each page carries."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from tollhouse.console import page
from tollhouse.console.pages import home, support, trouble
from tollhouse.console.pages.home import Facts
from tollhouse.core.failure import Failure, MethodNotAllowed, PathNotFound
from tollhouse.formats.openai import failure as openai
from tollhouse.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Site = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

SECURITY: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HTML = (b"content-type", b"text/html; charset=utf-8")
_STYLE = "/console/static/console.css"
_MOVED: Final[Mapping[str, bytes]] = {
    "/console": b"/console/",
    "/support/": b"/support",
    "/console/token": b"/console/#keys",
    "/console/token/": b"/console/#keys",
}
_PAGES: Final[Mapping[str, Callable[[Settings, Scope, Facts], tuple[str, str]]]] = {
    "/console/": lambda settings, scope, facts: (home.TITLE, home.body(_base_url(settings, scope), facts)),
    "/support": lambda settings, scope, facts: (support.TITLE, support.body(settings.support)),
}
"""Each page: its title and its body."""
PATHS: Final = frozenset((_STYLE, *_MOVED, *_PAGES))
"""Whatever the site answers, all of it without a credential. Anything else below its prefixes is its own 404."""


def build(settings: Settings, facts: Callable[[], Facts]) -> Site:
    """The site as an ASGI application. The router puts `request_id` into the scope."""
    style = files("tollhouse.console").joinpath("static/console.css").read_bytes()
    platform = settings.platform.name

    def answer(scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(
                f"pages are read with GET, not {scope['method'][:20]}", headers=((b"allow", b"GET, HEAD"),)
            )
        if path == _STYLE:
            return 200, [(b"content-type", b"text/css; charset=utf-8"), (b"cache-control", b"max-age=300")], style
        if path in _MOVED:
            return 307, [(b"location", _MOVED[path])], b""
        if path not in _PAGES:
            raise PathNotFound(f"there is no page {path[:200]!r} here")
        title, body = _PAGES[path](settings, scope, facts())
        return 200, [_HTML, (b"cache-control", b"no-store")], page.frame(title, platform, body).encode()

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope.get("request_id", "")
        try:
            status, headers, body = answer(scope)
        except Failure as failure:
            status, headers, body = _refusal(failure, scope, platform, request_id)
        ids = [(b"x-request-id", request_id.encode()), (b"request-id", request_id.encode())]
        headers = [*headers, *SECURITY, *ids, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return site


def wants_html(headers: list[tuple[bytes, bytes]]) -> bool:
    """A browser, or a fragment it loads; programs get JSON."""
    given = dict(headers)
    return b"text/html" in given.get(b"accept", b"") or b"hx-request" in given


def _refusal(
    failure: Failure, scope: Scope, platform: str, request_id: str
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    headers = [*failure.headers, (b"cache-control", b"no-store")]
    if wants_html(scope["headers"]):
        html = page.frame(trouble.title(failure), platform, trouble.body(failure, request_id))
        return failure.status, [_HTML, *headers], html.encode()
    body = openai.body(failure, request_id)
    return openai.status(failure), [(b"content-type", b"application/json"), *headers], body


def _base_url(settings: Settings, scope: Scope) -> str:
    """Where people reach this platform: as configured, else as this browser did, else as the listener is told."""
    if settings.platform.public_url:
        return settings.platform.public_url.rstrip("/").removesuffix("/v1")
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    url = f"{scope.get('scheme', 'http')}://{host}"
    if not host or urlsplit(url).netloc != host or "@" in host:
        return f"http://{settings.server.listen}"
    return url
