"""/api/v1/system and /api/v1/incidents: how the installation stands, and what went wrong at providers."""

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from tollhouse.core.examination import DoctorReport
from tollhouse.core.failure import Overloaded
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import fill
from tollhouse.edge.admin.route import PLATFORM, AdminRequest, NoParameters, route
from tollhouse.routing.health import CircuitStatus
from tollhouse.routing.troubles import ProviderTrouble
from tollhouse.services import incidents, offers, system


class SystemObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="system"):
    """`generation`: of the configuration in force, `applied_at`: since when. `waiting`: how much, by what it waits for:
    `deliveries` are notices that are to leave. `oldest_call_at`: of the records of calls. What only a server knows is
    null where none runs."""

    version: str
    generation: int
    applied_at: str | None
    started_at: str | None
    database_bytes: int
    free_bytes: int | None
    waiting: dict[str, int]
    sessions: int
    retention_days: int
    oldest_call_at: str | None
    deleted_calls: int


class CircuitObject(Struct, frozen=True, kw_only=True):
    """What is remembered of an offer, or of a key there. `key` counts from 1; null: of the offer as such. `failures`:
    of the last 20 tries. `accounts`: how many it is kept away from by what they met themselves."""

    provider: str
    model: str
    key: int | None
    state: str
    cause: str
    until: str | None
    failures: int
    accounts: int


class TroubleObject(Struct, frozen=True, kw_only=True):
    """What a provider said of its failures, `failures` in a row."""

    provider: str
    model: str
    words: str
    since: str | None
    last: str | None
    failures: int


class IncidentObject(Struct, frozen=True, kw_only=True):
    """Failures of one offer with one error. `failed`: calls that ended with it; the others were served elsewhere."""

    provider: str
    model: str
    error: str
    first: str | None
    last: str | None
    tries: int
    failed: int
    accounts: int
    words: str
    last_request_id: str


class IncidentsObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="incidents"):
    """`circuits` and `troubles`: what keeps calls away now, remembered since `started_at`; empty where no server runs.
    `data`: what went wrong since `since`, the last one first, by `looked_at` records of calls."""

    circuits: tuple[CircuitObject, ...]
    troubles: tuple[TroubleObject, ...]
    started_at: str | None
    data: tuple[IncidentObject, ...]
    looked_at: int
    since: str | None


@route("system.show", "GET /api/v1/system", PLATFORM, "How the installation stands, and what waits in it")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> SystemObject:
    found, running = await system.show(context.services, request.actor), context.running
    depths = {} if running is None else running.depths()
    return SystemObject(
        version=context.version,
        generation=found.generation,
        applied_at=written(found.applied_ms),
        started_at=None if running is None else written(running.started_ms),
        database_bytes=found.database_bytes,
        free_bytes=None if running is None else await asyncio.to_thread(running.free_bytes),
        waiting={"deliveries": found.deliveries, **depths},
        sessions=found.sessions,
        retention_days=found.retention_days,
        oldest_call_at=written(found.oldest_ms),
        deleted_calls=found.retention.deleted,
    )


@route("system.examine", "POST /api/v1/system/examine", PLATFORM, "Run the checks of `doctor` in the server")
async def examine(context: AdminContext, request: AdminRequest[NoParameters]) -> DoctorReport:
    running = context.running
    if running is None or running.examine is None:
        raise Overloaded("no server runs here: `tollhouse doctor` runs the same checks without one")
    return await asyncio.to_thread(running.examine)


@route("incidents.list", "GET /api/v1/incidents", PLATFORM, "What keeps calls away from providers, and what went wrong")
async def list_incidents(context: AdminContext, request: AdminRequest[NoParameters]) -> IncidentsObject:
    services, running = context.services, context.running
    lately = await incidents.lately(services, request.actor)
    return IncidentsObject(
        circuits=() if running is None else circuit_objects(offers.keep_away(running.circuits(request.now_ms))),
        troubles=() if running is None else trouble_objects(running.troubles(services.catalogue.providers)),
        started_at=None if running is None else written(running.started_ms),
        data=tuple(fill(IncidentObject, one, last_request_id=one.last_call_id) for one in lately.incidents),
        looked_at=lately.looked_at,
        since=written(lately.since_ms),
    )


def circuit_objects(found: Iterable[CircuitStatus]) -> tuple[CircuitObject, ...]:
    return tuple(fill(CircuitObject, one, key=None if one.slot is None else one.slot + 1) for one in found)


def trouble_objects(found: Iterable[ProviderTrouble]) -> tuple[TroubleObject, ...]:
    return tuple(fill(TroubleObject, one) for one in found)
