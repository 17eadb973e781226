"""What a route of the control API is: a handler with its path, and who may call it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar, get_args, get_type_hints

from msgspec import Struct, structs

from tollhouse.access.judge import ACCOUNT as ONLY_ACCOUNT
from tollhouse.access.judge import OPERATOR, OWN_DATA, Requirement
from tollhouse.core.audit import Actor
from tollhouse.edge.admin.moments import ago_ms, moment_ms

Who = Literal["operator", "account", "key", "public"]
"""operator: whoever may open the control socket. account: an admin key, for its own account. key: an API key, for its
own data. public: anyone, without a credential."""

_TIMES_TO_COME: Final = {"expires": ("expires", "expires_at_ms"), "until": ("until", "until_ms")}
_TIMES_PAST: Final = {
    "since": ("since", "since_ms"),
    "before": ("before", "until_ms"),
    "start": ("from", "from_ms"),
    "end": ("to", "to_ms"),
}
"""By the field: what it is called outside, and in an action."""

G = TypeVar("G", bound=Struct)


class NoParameters(Struct, frozen=True):
    """What a route takes that takes nothing."""


@dataclass(frozen=True, slots=True)
class AdminRequest(Generic[G]):
    """A request that may be answered: who asks, for which object, with what."""

    actor: Actor
    body: G
    id: str = ""  # of the path; empty where it names none
    own_key_id: str | None = None  # an API key asks: it sees this key's data only
    now_ms: int = 0
    file: bytes = b""  # a body that is no JSON
    may: Callable[[str], bool] = lambda action: True  # who asks: by the role of whoever is signed in

    @property
    def given(self) -> dict[str, Any]:
        """What it gives, for an action that takes it by name: there times are Unix milliseconds, and an API key that
        asks is the key that is asked about. Raises BadRequest."""
        fields = structs.asdict(self.body)
        for times, read in ((_TIMES_TO_COME, moment_ms), (_TIMES_PAST, ago_ms)):
            for name, (param, called) in times.items():
                if name in fields:
                    text = fields.pop(name)
                    fields[called] = None if text is None else read(text, param, self.now_ms)
        if "key" in fields:
            fields["key"] = self.own_key_id or fields["key"]
        return fields


Handler = Callable[[Any, AdminRequest[Any]], Awaitable[Struct]]
"""(context, request) -> what is answered. Raises the failures of core."""


@dataclass(frozen=True, slots=True)
class AdminRoute:
    name: str  # `keys.rotate`: what the CLI calls it by
    method: str
    path: str  # `/api/v1/keys/{id}/rotate`
    handler: Handler
    who: frozenset[Who]
    summary: str
    gives: type[Struct]
    takes: type[Struct] = NoParameters  # the query of a GET, the JSON body of anything else
    takes_file: bool = False  # the body is a file as it stands; `takes` is then the query
    takes_query: bool = False  # `takes` is the query, and there is no body: for the form of a page
    bytes_max: int | None = None  # of the body, where it is less than of any other
    status: int = 200
    as_csv: Callable[[Any, Any], str] | None = None  # (given, answer) as comma-separated values, for who wants them
    as_page: Callable[[Any, Any], str] | None = None  # likewise as HTML, for who comes with a browser

    @property
    def needs(self) -> Requirement:
        """What it asks of a key on the main listener. A public route asks for none at all."""
        if "key" in self.who:
            return OWN_DATA
        return ONLY_ACCOUNT if "account" in self.who else OPERATOR


PLATFORM: frozenset[Who] = frozenset(("operator",))
ACCOUNT: frozenset[Who] = frozenset(("operator", "account"))
OWN: frozenset[Who] = frozenset(("operator", "account", "key"))
PUBLIC: frozenset[Who] = frozenset(("operator", "account", "key", "public"))


def route(
    name: str,
    call: str,
    who: frozenset[Who],
    summary: str,
    *,
    status: int = 200,
    takes_file: bool = False,
    takes_query: bool = False,
    bytes_max: int | None = None,
    as_csv: Callable[[Any, Any], str] | None = None,
    as_page: Callable[[Any, Any], str] | None = None,
) -> Callable[[Handler], AdminRoute]:
    """Make a handler a route. `call`: its method and path. What it takes and gives, its signature says:
    `AdminRequest[NewKey]`, `-> KeyObject`."""
    method, path = call.split()

    def made(handler: Handler) -> AdminRoute:
        types = get_type_hints(handler)
        return AdminRoute(
            name=name,
            method=method,
            path=path,
            handler=handler,
            who=who,
            summary=summary,
            gives=types["return"],
            takes=get_args(types["request"])[0],
            takes_file=takes_file,
            takes_query=takes_query,
            bytes_max=bytes_max,
            status=status,
            as_csv=as_csv,
            as_page=as_page,
        )

    return made
