"""How a page is declared: a function of a visit, with its path, and what one must be allowed to do to see it."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from tollhouse.console.visit import OF_PLATFORM, Visit
from tollhouse.core import route_table
from tollhouse.core.discovery import modules_of
from tollhouse.core.failure import MethodNotAllowed, PathNotFound
from tollhouse.core.phrase import Phrase

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
    retry_after_ms: int | None = None


@dataclass(slots=True)
class Elsewhere:
    """The browser is sent to another page of this site."""

    path: str
    cookies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Download:
    """A file that the browser keeps; `content` is text of comma-separated values."""

    name: str
    content: str


Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Emit = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class Text:
    """An answer for programs and for readers without a browser: `kind` is its media type, `seconds` is how long others
    may keep it."""

    kind: str
    content: str
    seconds: int = 300


@dataclass(slots=True)
class Events:
    """Server-sent events: `run` emits them until there are no more, or whoever reads has left. What it raises before it
    has emitted anything is answered as of any page."""

    run: Callable[[Receive, Emit], Awaitable[None]]


Answer = Shown | Elsewhere | Download | Text | Events
Handler = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """`may`: the action of `access.roles` that it shows or does; EVERYBODY, SIGNED_IN. without_factor: also for whoever
    has to set up a second factor first. waits: for a provider, so that it takes no place among the few that an account
    has for its pages. kept_ms: it is the same for everybody without a session, and kept so long."""

    method: str
    path: str
    handler: Handler
    may: str
    without_factor: bool = False
    waits: bool = False
    kept_ms: int = 0

    @property
    def of_platform(self) -> bool:
        """For those who run the platform alone, whatever members may do elsewhere."""
        return self.path.startswith(OF_PLATFORM)

    @property
    def of_account(self) -> bool:
        """It shows an account: who is of none looks at one first."""
        return not self.of_platform and self.may not in (EVERYBODY, SIGNED_IN)


def page(
    call: str, *, may: str, without_factor: bool = False, waits: bool = False, kept_ms: int = 0
) -> Callable[[Handler], ConsolePage]:
    """Make a function of a visit a page. call: its method and path, in which `{id}` stands for one segment."""
    method, path = call.split()

    def made(handler: Handler) -> ConsolePage:
        return ConsolePage(method, path, handler, may, without_factor, waits, kept_ms)

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
    found = route_table.find(pages, method, path)
    if isinstance(found, tuple):
        return found
    if found:
        allow = ", ".join(sorted({*found, *({"HEAD"} if "GET" in found else set())}))
        raise MethodNotAllowed(
            Phrase("this page takes %(allow)s, not %(method)s", allow=allow, method=method[:20]),
            headers=((b"allow", allow.encode()),),
        )
    raise PathNotFound(Phrase("there is no page %(path)s here", path=repr(path[:200])))
