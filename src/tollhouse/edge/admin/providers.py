"""/api/v1/providers"""

from typing import Any

from msgspec import Struct, field

from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import PathNotFound
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import PLATFORM, AdminRequest, NoParameters, route
from tollhouse.gateway.provider_trial import ProviderTrial, trials
from tollhouse.services import reach
from tollhouse.services.given.providers import ProviderQuery


class ProviderObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="provider"):
    id: str
    kind: str
    base_url: str
    api_keys: int  # how many; never what
    managed_by: str
    speaks: tuple[str, ...]
    on_disconnect: str
    state: dict[str, Any] = field(default_factory=dict)


@route("providers.list", "GET /api/v1/providers", PLATFORM, "Providers and their health")
async def list_all(context: AdminContext, request: AdminRequest[NoParameters]) -> PageObject[ProviderObject]:
    found = context.services.catalogue.providers.values()
    gateway = context.gateway  # what it has seen of a provider, for people to read
    return PageObject(data=tuple(_object(one, dict(gateway.seen_of(one.id)) if gateway else {}) for one in found))


@route("providers.check", "POST /api/v1/providers/check", PLATFORM, "Ask providers for their models, with each key")
async def check(context: AdminContext, request: AdminRequest[ProviderQuery]) -> PageObject[ProviderTrial]:
    wanted, known = request.body.provider, context.services.catalogue.providers
    if wanted is not None and wanted not in known:
        raise PathNotFound(f"no provider {reach.shown(wanted)}")
    destinations = context.destinations()
    found: list[ProviderTrial] = []
    for name in known:
        if wanted in (None, name):
            found += await trials(destinations[name], request.now_ms) if name in destinations else [_untried(name)]
    return PageObject(data=tuple(found))


def _object(provider: Provider, state: dict[str, Any]) -> ProviderObject:
    return fill(ProviderObject, provider, api_keys=len(provider.api_keys), state=state)


def _untried(name: str) -> ProviderTrial:
    cure = "start the platform: `tollhouse serve`"
    return ProviderTrial(provider=name, key=0, url="", state="not_run", reason="no server runs to try it", cure=cure)
