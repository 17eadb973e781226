"""Where one can go from any page: what the role of whoever looks lets them see."""

from msgspec import Struct

from tollhouse.access.roles import ACTING, may
from tollhouse.console.visit import Visit


class MenuEntry(Struct, frozen=True):
    """`key`: the letter that leads there behind a `g`; each stands for one page. `count`: of what waits there."""

    path: str
    words: str
    may: str
    key: str
    is_here: bool = False
    count: int = 0


ACCOUNT = (
    MenuEntry("/console/", "Overview", "usage.list", "o"),
    MenuEntry("/console/usage", "Usage", "usage.list", "u"),
    MenuEntry("/console/requests", "Requests", "requests.list", "r"),
    MenuEntry("/console/keys", "API keys", "keys.list", "k"),
    MenuEntry("/console/models", "Models", "models.list", "m"),
    MenuEntry("/console/playground", "Playground", "playground.call", "p"),
    MenuEntry("/console/budgets", "Budgets and limits", "budgets.list", "b"),
    MenuEntry("/console/billing", "Billing", "credits.show", "l"),
    MenuEntry("/console/members", "Members", "people.list", "e"),
    MenuEntry("/console/projects", "Projects", "projects.list", "j"),
    MenuEntry("/console/audit", "Audit", "audit.list", "a"),
    MenuEntry("/console/support/tickets", "Support", "tickets.list", "f"),
)


PLATFORM_TICKETS = "/console/platform/tickets"
PLATFORM = (
    MenuEntry("/console/platform/accounts", "Accounts", "accounts.list", "c"),
    MenuEntry("/console/platform/providers", "Providers", "providers.list", "v"),
    MenuEntry("/console/platform/models", "Models", "models.list", "d"),
    MenuEntry("/console/platform/prices", "Prices", "prices.list", "i"),
    MenuEntry("/console/platform/requests", "All requests", "requests.list", "q"),
    MenuEntry(PLATFORM_TICKETS, "Tickets", "tickets.list", "x"),
    MenuEntry("/console/platform/people", "People", "people.list", "w"),
    MenuEntry("/console/platform/incidents", "Incidents", "incidents.list", "n"),
    MenuEntry("/console/platform/audit", "Audit", "audit.list", "t"),
    MenuEntry("/console/platform/system", "System", "system.show", "y"),
)


class MenuGroup(Struct, frozen=True):
    """`title`: words, empty where there is one group alone. `account`: the name of whom its pages show."""

    entries: tuple[MenuEntry, ...]
    title: str = ""
    account: str = ""


def menu(visit: Visit) -> list[MenuGroup]:
    """The pages of the account, for its members; the platform's for its people, and those of the account they look
    at."""
    if visit.visitor is None:
        return []
    if not visit.is_of_platform:
        return [MenuGroup(_allowed(visit, ACCOUNT))]
    role, looked_at = visit.visitor.person, visit.looked_at
    own = tuple(_entry(visit, one) for one in PLATFORM if may(role, one.may))
    if looked_at is None:
        return [MenuGroup(own)]
    seen = tuple(_entry(visit, one) for one in ACCOUNT if one.may in ACTING and may(role, one.may))
    return [MenuGroup(own, "Platform"), MenuGroup(seen, account=looked_at.name)]


def _allowed(visit: Visit, entries: tuple[MenuEntry, ...]) -> tuple[MenuEntry, ...]:
    return tuple(_entry(visit, one) for one in entries if visit.may(one.may))


def _entry(visit: Visit, one: MenuEntry) -> MenuEntry:
    count = visit.tickets_waiting if one.path == PLATFORM_TICKETS else 0
    return MenuEntry(one.path, one.words, one.may, one.key, _is_here(one.path, visit.path), count)


def _is_here(path: str, now: str) -> bool:
    return now == path or (path != "/console/" and now.startswith(f"{path}/"))
