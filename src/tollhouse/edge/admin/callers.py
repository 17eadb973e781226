"""Who asks the control API, and whether they may: the one place where that is decided, before anything else is read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tollhouse.access.credentials import CARRIERS
from tollhouse.access.judge import Find, present_and_judge
from tollhouse.access.roles import may
from tollhouse.core.audit import Actor
from tollhouse.core.failure import ScopeMissing
from tollhouse.edge.admin.route import AdminRoute, Who
from tollhouse.services.sessions import Visitor, actor_of

Scope = Any


@dataclass(frozen=True, slots=True)
class Caller:
    """`who` is the strongest thing they are; an account's admin key may not do what the operator may. `may`: what
    they may besides what they ask for, which decides on some fields of answers."""

    who: Who
    actor: Actor
    own_key_id: str | None = None
    may: Callable[[str], bool] = lambda action: True


Callers = Callable[[AdminRoute, Scope, int], Awaitable[Caller]]
"""(route, request, now in ms) -> who asks. Raises KeyRefused, NotPermitted."""
VisitorOf = Callable[[Scope], Awaitable[Visitor | None]]
"""Who is signed in to the console by the session that a request carries; None: it carries none that stands."""


async def on_the_socket(route: AdminRoute, scope: Scope, now_ms: int) -> Caller:
    """The control socket: who may open it (file mode 0600) is the operator."""
    return Caller("operator", Actor(kind="operator", id="control socket"))


async def nobody(scope: Scope) -> Visitor | None:
    """Where there is no console."""
    return None


def on_the_listener(
    find: Find,
    address_of: Callable[[Scope], str],
    admit: Callable[[str, int], None] = lambda address, now_ms: None,
    visitor_of: VisitorOf = nobody,
) -> Callers:
    """The main listener: an admin key acts for its own account, an API key sees its own data, and whoever is signed in
    to the console may what their role may. A key goes before a session.

    `address_of` gives the caller's address, forwarded headers judged. `admit` counts a call from an address, now in
    ms, and raises RateLimited.
    """

    async def caller(route: AdminRoute, scope: Scope, now_ms: int) -> Caller:
        address = address_of(scope)
        if "public" in route.who:
            return Caller("public", Actor(kind="public", id="", address=address))
        admit(address, now_ms)
        if not any(name in CARRIERS for name, _ in scope["headers"]):
            visitor = await visitor_of(scope)
            if visitor is not None:
                return _signed_in(route, visitor, address)
        key = present_and_judge(
            scope["headers"],
            scope["query_string"],
            key_in_query=False,
            find=find,
            now_ms=now_ms,
            address=address,
            needs=route.needs,
        ).key
        if key.mode == "admin":
            found = Caller("account", Actor(kind="admin_key", id=key.id, account_id=key.account_id, address=address))
        else:
            actor = Actor(kind="api_key", id=key.id, account_id=key.account_id, address=address)
            found = Caller("key", actor, own_key_id=key.id)
        return found

    return caller


def _signed_in(route: AdminRoute, visitor: Visitor, address: str) -> Caller:
    person = visitor.person
    if not may(person, route.name):
        raise ScopeMissing(f"your role, {person.role}, does not include {route.name}")
    who: Who = "operator" if person.account_id is None else "account"
    if who not in route.who:
        raise ScopeMissing(f"{route.name} is for those who run the platform")
    return Caller(who, actor_of(person, visitor.session, address), may=partial(may, person))
