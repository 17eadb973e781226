"""/api/v1/providers"""

from collections.abc import Container
from typing import Any

from msgspec import Struct, field

from tollhouse.core.catalogue import Provider
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import PLATFORM, AdminRequest, NoParameters, route
from tollhouse.edge.admin.system import CircuitObject, TroubleObject, circuit_objects, trouble_objects
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.provider_trial import ProviderTrial, trials
from tollhouse.services import drains, offers, provider_calls
from tollhouse.services.given.providers import DrainFields, ProviderQuery
from tollhouse.services.offers import OfferRow


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


class OfferCallsObject(Struct, frozen=True, kw_only=True):
    """Tries at one offer among the last calls. `p95_ms`: to the first byte; null: none was answered."""

    attempts: int
    failed: int
    p95_ms: int | None
    last_failed: str | None
    last_error: str
    last_words: str
    last_request_id: str


class ProviderOfferObject(Struct, frozen=True, kw_only=True):
    """`model`: as callers name it, `asked_as`: as the provider does. `alone`: nobody else serves it. `state`: ok,
    troubled (it failed lately), half open (the next call is the test) or open (calls are kept away)."""

    model: str
    asked_as: str
    priority: int
    weight: int
    alone: bool
    state: str
    circuits: tuple[CircuitObject, ...]
    calls: OfferCallsObject | None


class DrainObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="provider_drain"):
    id: str
    since: str
    actor_id: str
    reason: str


class ResumedObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="provider_resumed"):
    id: str


class ShownProviderObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="provider"):
    """`offers`: what depends on it. `operations`: what it can be asked for; empty where no server runs. `looked_at`: of
    how many calls tries are, since `since`."""

    id: str
    kind: str
    base_url: str
    api_keys: int  # how many; never what
    managed_by: str
    speaks: tuple[str, ...]
    operations: tuple[str, ...]
    on_disconnect: str
    connect_seconds: int
    first_byte_seconds: int
    idle_seconds: int
    total_seconds: int
    state: str
    attempts: int
    failed: int
    offers: tuple[ProviderOfferObject, ...]
    troubles: tuple[TroubleObject, ...]
    drain: DrainObject | None  # it takes no new calls
    looked_at: int
    since: str | None


@route("providers.show", "GET /api/v1/providers/{id}", PLATFORM, "One provider: its health, and what depends on it")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> ShownProviderObject:
    services, running = context.services, context.running
    provider = offers.known(services, request.id)
    lately = await provider_calls.lately(services, request.actor)
    row = offers.provider(services, () if running is None else running.circuits(request.now_ms), lately, provider)
    destination = context.destinations().get(provider.id)
    alone = {one.id for one in row.alone}
    return fill(
        ShownProviderObject,
        provider,
        api_keys=len(provider.api_keys),
        speaks=provider.speaks if destination is None else tuple(destination.speaks),
        operations=() if destination is None else tuple(sorted(destination.operations)),
        state=row.state,
        attempts=row.attempts,
        failed=row.failed,
        offers=tuple(_offer(one, alone) for one in row.offers),
        troubles=() if running is None else trouble_objects(running.troubles([provider.id])),
        drain=None if (drain := services.drains.get(provider.id)) is None else fill(DrainObject, drain),
        looked_at=lately.looked_at,
        since=written(lately.since_ms),
    )


@route("providers.drain", "POST /api/v1/providers/{id}/drain", PLATFORM, "No new calls go to it; those under way end")
async def drain(context: AdminContext, request: AdminRequest[DrainFields]) -> DrainObject:
    return fill(DrainObject, await drains.begin(context.services, request.actor, request.id, request.body.reason))


@route("providers.resume", "POST /api/v1/providers/{id}/resume", PLATFORM, "New calls may go to a drained one again")
async def resume(context: AdminContext, request: AdminRequest[NoParameters]) -> ResumedObject:
    await drains.end(context.services, request.actor, request.id)
    return ResumedObject(id=request.id)


@route("providers.check", "POST /api/v1/providers/check", PLATFORM, "Ask providers for their models, with each key")
async def check(context: AdminContext, request: AdminRequest[ProviderQuery]) -> PageObject[ProviderTrial]:
    wanted, known = request.body.provider, context.services.catalogue.providers
    if wanted is not None:
        offers.known(context.services, wanted)
    destinations = context.destinations()
    found: list[ProviderTrial] = []
    for name in known:
        if wanted in (None, name):
            found += await _tried(context, destinations[name], request) if name in destinations else [_untried(name)]
    return PageObject(data=tuple(found))


async def _tried(
    context: AdminContext, destination: Destination, request: AdminRequest[ProviderQuery]
) -> list[ProviderTrial]:
    asked = offers.asked_of(context.services, destination.provider.id)
    return await trials(destination, request.now_ms, asked)


def _object(provider: Provider, state: dict[str, Any]) -> ProviderObject:
    return fill(ProviderObject, provider, api_keys=len(provider.api_keys), state=state)


def _offer(row: OfferRow, alone: Container[str]) -> ProviderOfferObject:
    calls = row.calls
    return ProviderOfferObject(
        model=row.model.id,
        asked_as=row.offer.model,
        priority=row.offer.priority,
        weight=row.offer.weight,
        alone=row.model.id in alone,
        state=row.state,
        circuits=circuit_objects(row.circuits),
        calls=None if calls is None else fill(OfferCallsObject, calls, last_request_id=calls.last_call_id),
    )


def _untried(name: str) -> ProviderTrial:
    cure = "start the platform: `tollhouse serve`"
    return ProviderTrial(provider=name, key=0, url="", state="not_run", reason="no server runs to try it", cure=cure)
