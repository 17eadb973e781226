"""Where one can go from any page: what the role of whoever looks lets them see."""

from msgspec import Struct

from tollhouse.access.roles import ACTING, may
from tollhouse.console.visit import Visit


class MenuEntry(Struct, frozen=True):
    path: str
    words: str
    may: str
    is_here: bool = False


ACCOUNT = (
    MenuEntry("/console/", "Overview", "usage.list"),
    MenuEntry("/console/usage", "Usage", "usage.list"),
    MenuEntry("/console/requests", "Requests", "requests.list"),
    MenuEntry("/console/keys", "API keys", "keys.list"),
    MenuEntry("/console/models", "Models", "models.list"),
    MenuEntry("/console/playground", "Playground", "playground.call"),
    MenuEntry("/console/budgets", "Budgets and limits", "budgets.list"),
    MenuEntry("/console/billing", "Billing", "credits.show"),
    MenuEntry("/console/members", "Members", "people.list"),
    MenuEntry("/console/projects", "Projects", "projects.list"),
    MenuEntry("/console/audit", "Audit", "audit.list"),
)


PLATFORM = (
    MenuEntry("/console/platform/accounts", "Accounts", "accounts.list"),
    MenuEntry("/console/platform/providers", "Providers", "providers.list"),
    MenuEntry("/console/platform/models", "Models", "models.list"),
    MenuEntry("/console/platform/prices", "Prices", "prices.list"),
    MenuEntry("/console/platform/requests", "All requests", "requests.list"),
    MenuEntry("/console/platform/people", "People", "people.list"),
    MenuEntry("/console/platform/incidents", "Incidents", "incidents.list"),
    MenuEntry("/console/platform/audit", "Audit", "audit.list"),
    MenuEntry("/console/platform/system", "System", "system.show"),
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
    return MenuEntry(one.path, one.words, one.may, _is_here(one.path, visit.path))


def _is_here(path: str, now: str) -> bool:
    return now == path or (path != "/console/" and now.startswith(f"{path}/"))
