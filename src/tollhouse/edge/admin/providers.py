"""/api/v1/providers"""

from msgspec import Struct

from tollhouse.core.failure import PathNotFound
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.objects import Page, ProviderObject, provider_object
from tollhouse.edge.admin.provider_trial import ProviderTrial, trials
from tollhouse.edge.admin.route import PLATFORM, Asked, Nothing, Route
from tollhouse.office import reach


class WhichProvider(Struct, frozen=True, kw_only=True):
    provider: str | None = None  # absent: all


async def every(desk: Desk, asked: Asked[Nothing]) -> Page[ProviderObject]:
    found = desk.office.catalogue.providers.values()
    return Page(data=tuple(provider_object(one, dict(desk.health(one.id))) for one in found))


async def check(desk: Desk, asked: Asked[WhichProvider]) -> Page[ProviderTrial]:
    wanted, known = asked.given.provider, desk.office.catalogue.providers
    if wanted is not None and wanted not in known:
        raise PathNotFound(f"no provider {reach.shown(wanted)}")
    destinations = desk.destinations()
    found: list[ProviderTrial] = []
    for name in known:
        if wanted in (None, name):
            found += await trials(destinations[name]) if name in destinations else [_untried(name)]
    return Page(data=tuple(found))


def _untried(name: str) -> ProviderTrial:
    cure = "start the platform: `tollhouse serve`"
    return ProviderTrial(provider=name, key=0, url="", state="not_run", reason="no server runs to try it", cure=cure)


_PATH = "/api/v1/providers"
ROUTES = (
    Route("providers.list", "GET", _PATH, every, PLATFORM, "Providers and their health", Page[ProviderObject]),
    Route(
        "providers.check",
        "POST",
        _PATH + "/check",
        check,
        PLATFORM,
        "Ask providers for their models, with each key",
        Page[ProviderTrial],
        WhichProvider,
    ),
)
