"""Where one can go from any page: what the role of whoever looks lets them see."""

from msgspec import Struct

from tollhouse.console.visit import Visit


class MenuEntry(Struct, frozen=True):
    path: str
    words: str
    may: str
    is_here: bool = False


ACCOUNT = (
    MenuEntry("/console/", "Overview", "usage.report"),
    MenuEntry("/console/usage", "Usage", "usage.report"),
    MenuEntry("/console/requests", "Requests", "requests.list"),
    MenuEntry("/console/keys", "API keys", "keys.list"),
    MenuEntry("/console/budgets", "Budgets and limits", "budgets.list"),
)


def menu(visit: Visit) -> list[MenuEntry]:
    if visit.visitor is None:
        return []
    return [
        MenuEntry(one.path, one.words, one.may, _is_here(one.path, visit.path)) for one in ACCOUNT if visit.may(one.may)
    ]


def _is_here(path: str, now: str) -> bool:
    return now == path or (path != "/console/" and now.startswith(f"{path}/"))
