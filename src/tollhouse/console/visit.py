"""One request of a browser: who asks, for which page, with what."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from msgspec import structs

from tollhouse.access.browsers import browser_of
from tollhouse.access.roles import ACTING, lacks_factor, may
from tollhouse.access.sessions import csrf_token
from tollhouse.console.context import ConsoleContext, Scope
from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.links import site
from tollhouse.core.phrase import Phrase
from tollhouse.core.session import Session
from tollhouse.routing.health import CircuitStatus
from tollhouse.services.sessions import Visitor, actor_of

FIELDS_MAX: Final = 200
_NEW_MS: Final = 60_000
NOBODY: Final = Actor(kind="public", id="")
OF_PLATFORM: Final = "/console/platform/"
"""Below it lie the pages of those who run the platform; all others are of an account, or of whoever signs in."""

OWN: Final = "/console/settings"
"""Below it lies what whoever signs in sets for themselves, wherever they look."""


@dataclass(slots=True)
class Visit:
    """`form` and `query` hold every value of a name; `id` is the one in the path. `secret`: of the session's cookie."""

    context: ConsoleContext
    scope: Scope
    now_ms: int
    request_id: str
    address: str
    visitor: Visitor | None = None
    secret: str = ""
    id: str = ""
    query: dict[str, list[str]] = field(default_factory=dict)
    form: dict[str, list[str]] = field(default_factory=dict)
    language: str = "en"
    tickets_waiting: int = 0  # for those who run the platform, where they may see them

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.scope["headers"])

    @property
    def actor(self) -> Actor:
        """Who acts, for the services. Who looks at an account reaches nothing but it."""
        if self.visitor is None:
            return NOBODY
        actor = actor_of(self.visitor.person, self.visitor.session, self.address)
        return actor if self.acting is None else structs.replace(actor, account_id=self.acting.id)

    @property
    def looked_at(self) -> Account | None:
        """The account that somebody of the platform looks at, until they end it."""
        if self.visitor is None or self.visitor.person.account_id is not None:
            return None
        return self.context.services.directory.accounts.get(self.visitor.session.looks_at or "")

    @property
    def acting(self) -> Account | None:
        """The same, on the account's pages."""
        return None if self.path.startswith((OF_PLATFORM, OWN)) else self.looked_at

    @property
    def is_of_platform(self) -> bool:
        """Somebody who runs the platform asks."""
        return self.visitor is not None and self.visitor.person.account_id is None

    @property
    def account(self) -> Account | None:
        """Whose pages these are; None: the platform's."""
        if self.visitor is None or self.visitor.person.account_id is None:
            return self.acting
        return self.context.services.directory.accounts.get(self.visitor.person.account_id)

    @property
    def shown_account(self) -> Account:
        """The same, on a page of an account: nobody comes to one without (`ConsolePage.of_account`)."""
        account = self.account
        assert account is not None
        return account

    @property
    def circuits(self) -> list[CircuitStatus]:
        """What the server remembers of offers and keys; nothing where none runs."""
        running = self.context.running
        return [] if running is None else running.circuits(self.now_ms)

    @property
    def csrf(self) -> str:
        return csrf_token(self.secret) if self.secret else ""

    @property
    def zone(self) -> str:
        return "UTC" if self.account is None else self.account.zone

    @property
    def lacks_factor(self) -> bool:
        """They have to set up a second factor before anything else."""
        return self.visitor is not None and lacks_factor(self.visitor.person)

    @property
    def theme(self) -> str:
        return "system" if self.visitor is None else self.visitor.person.theme

    @property
    def before(self) -> Session | None:
        """The session that has just begun, where it tells of a sign-in before it."""
        if self.visitor is None or self.visitor.session.before_at_ms is None:
            return None
        is_new = self.now_ms - self.visitor.session.created_at_ms < _NEW_MS
        return self.visitor.session if is_new else None

    @property
    def browser(self) -> str:
        """Which known browser asks."""
        return browser_of(self.headers.get(b"user-agent", b""))

    @property
    def is_secure(self) -> bool:
        return self.scope.get("scheme") == "https"

    @property
    def is_fragment(self) -> bool:
        """htmx asks for a part of the page."""
        return b"hx-request" in self.headers

    def may(self, action: str) -> bool:
        return self.visitor is not None and may(self.visitor.person, action) and (not self.acting or action in ACTING)

    def given(self, name: str) -> str:
        """The value of a field of the form, without blanks around it; empty where none came."""
        return self.form.get(name, [""])[0].strip()

    def typed(self, name: str) -> str:
        """Likewise, with the blanks: of a password each sign counts."""
        return self.form.get(name, [""])[0]

    def asked(self, name: str) -> str:
        """Likewise of the query."""
        return self.query.get(name, [""])[0].strip()

    @property
    def here(self) -> str:
        """The address of this page on this site."""
        query = self.scope["query_string"].decode("latin-1")
        return f"{quote(self.path)}{f'?{query}' if query else ''}"

    @property
    def base_url(self) -> str:
        """Where people reach this platform: as configured, else as this browser did, else as the listener is told."""
        settings = self.context.settings
        if settings.platform.public_url:
            return site(settings.platform.public_url)
        host = self.headers.get(b"host", b"").decode("latin-1")
        url = f"{self.scope.get('scheme', 'http')}://{host}"
        if not host or urlsplit(url).netloc != host or "@" in host:
            return f"http://{settings.server.listen}"
        return url


def read_pairs(text: bytes) -> dict[str, list[str]]:
    """A query, or a form as browsers send it. Raises BadRequest for too many fields."""
    try:
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise BadRequest(Phrase("this form has more than %(most)s fields", most=FIELDS_MAX)) from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return found
