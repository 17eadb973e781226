"""Who asks the control API, and whether he may: the one place where that is decided, before anything else is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tollhouse.access.judge import Find, present_and_judge
from tollhouse.core.audit import Actor
from tollhouse.edge.admin.route import AdminRoute, Who

Scope = Any


@dataclass(frozen=True, slots=True)
class Caller:
    """`who` is the strongest thing he is; an account's admin key may not do what the operator may."""

    who: Who
    actor: Actor
    own_key_id: str | None = None


Callers = Callable[[AdminRoute, Scope, int], Caller]
"""(route, request, now in ms) -> who asks. Raises KeyRefused, NotPermitted."""


def on_the_socket(route: AdminRoute, scope: Scope, now_ms: int) -> Caller:
    """The control socket: who may open it (file mode 0600) is the operator."""
    return Caller("operator", Actor(kind="operator", id="control socket"))


def on_the_listener(
    find: Find, address_of: Callable[[Scope], str], admit: Callable[[str, int], None] = lambda address, now_ms: None
) -> Callers:
    """The main listener: an admin key acts for its own account, an API key sees its own data.

    `address_of` gives the caller's address, forwarded headers judged. `admit` counts a call from an address, now in
    ms, and raises RateLimited.
    """

    def caller(route: AdminRoute, scope: Scope, now_ms: int) -> Caller:
        address = address_of(scope)
        if "public" in route.who:
            return Caller("public", Actor(kind="public", id="", address=address))
        admit(address, now_ms)
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
