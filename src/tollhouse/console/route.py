"""How a page is declared: a function of a visit, with its path, and what one must be allowed to do to see it."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tollhouse.console.visit import Visit
from tollhouse.core.discovery import modules_of
from tollhouse.core.failure import MethodNotAllowed, PathNotFound

EVERYBODY: Final = "everybody"
"""Pages that need no session."""
SIGNED_IN: Final = "signed in"
"""Pages of whoever has a session, whatever their role."""


@dataclass(slots=True)
class Shown:
    """A page: its template with its values."""

    template: str
    values: dict[str, object] = field(default_factory=dict)
    status: int = 200
    cookies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Elsewhere:
    """The browser is sent to another page of this site."""

    path: str
    cookies: list[str] = field(default_factory=list)


Answer = Shown | Elsewhere
Handler = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """`may`: the action of `access.roles` that it shows or does; EVERYBODY, SIGNED_IN."""

    method: str
    path: str
    handler: Handler
    may: str


def page(call: str, *, may: str) -> Callable[[Handler], ConsolePage]:
    """Make a function of a visit a page. call: its method and path, in which `{id}` stands for one segment."""
    method, path = call.split()

    def made(handler: Handler) -> ConsolePage:
        return ConsolePage(method, path, handler, may)

    return made


def discovered() -> tuple[ConsolePage, ...]:
    """The pages that the modules of `pages` declare."""
    return tuple(_pages())


def _pages() -> Iterator[ConsolePage]:
    for _, module in modules_of("tollhouse.console.pages"):
        for value in vars(module).values():
            if isinstance(value, ConsolePage):
                yield value


def find(pages: tuple[ConsolePage, ...], method: str, path: str) -> tuple[ConsolePage, str]:
    """The page of a request, and the id in its path. Raises PathNotFound, MethodNotAllowed."""
    asked = "GET" if method == "HEAD" else method
    methods = []
    for one in pages:
        object_id = _match(one.path, path)
        if object_id is None:
            continue
        if one.method == asked:
            return one, object_id
        methods.append(one.method)
    if methods:
        allow = ", ".join(sorted({*methods, *({"HEAD"} if "GET" in methods else set())}))
        raise MethodNotAllowed(f"this page takes {allow}, not {method[:20]}", headers=((b"allow", allow.encode()),))
    raise PathNotFound(f"there is no page {path[:200]!r} here")


def _match(pattern: str, path: str) -> str | None:
    if "{id}" not in pattern:
        return "" if pattern == path else None
    before, behind = pattern.split("{id}")
    if not (path.startswith(before) and path.endswith(behind) and len(path) > len(before) + len(behind)):
        return None
    object_id = path[len(before) : len(path) - len(behind)]
    return None if "/" in object_id else object_id
