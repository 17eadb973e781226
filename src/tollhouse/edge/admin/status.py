"""/api/v1/status and /api/v1/announcements: how models serve, and what everybody is told of incidents."""

from msgspec import Struct

from tollhouse.core.announcement import Announcement
from tollhouse.core.service_level import ServiceFigures
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import announcements, status
from tollhouse.services.given.announcements import AnnouncementText, ClosingText, NewAnnouncement


class ServiceFiguresObject(Struct, frozen=True, kw_only=True):
    """Null where too few calls say something. `your_success_percent`: of the account's own calls."""

    success_percent: float | None
    first_token_p50_ms: int | None
    first_token_p95_ms: int | None
    tokens_per_second: int | None
    your_success_percent: float | None


class ModelStatusObject(Struct, frozen=True, kw_only=True):
    model: str
    state: status.State
    hour: ServiceFiguresObject
    day: ServiceFiguresObject
    month: ServiceFiguresObject


class AnnouncementUpdateObject(Struct, frozen=True, kw_only=True):
    at: str | None
    text: str


class AnnouncementObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="announcement"):
    """`models`: none: it is about the platform as a whole. `closed_at`: null while it is open."""

    id: str
    title: str
    models: tuple[str, ...]
    updates: tuple[AnnouncementUpdateObject, ...]
    created_at: str | None
    changed_at: str | None
    closed_at: str | None


class OwnStatusObject(Struct, frozen=True, kw_only=True):
    """The account's own calls of the last hour: `refused` by code, for reasons of their own. `since`: how far back its
    calls were looked through, null where that is all of 30 days."""

    worked: int
    failed: int
    refused: dict[str, int]
    since: str | None


class StatusObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="status"):
    """`silent`: models of which nothing is said, for too few calls. `yours`: null where no account asks."""

    at: str | None
    models: tuple[ModelStatusObject, ...]
    silent: int
    incidents: tuple[AnnouncementObject, ...]
    yours: OwnStatusObject | None


@route("status.show", "GET /api/v1/status", ACCOUNT, "How models serve, beside how they serve the account")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> StatusObject:
    found, own = await status.show_to(context.services, request.actor)
    return StatusObject(
        at=written(found.at_ms),
        models=tuple(_model_object(one, own) for one in found.models),
        silent=found.silent,
        incidents=tuple(map(announcement_object, found.incidents)),
        yours=None if own is None else fill(OwnStatusObject, own, refused=dict(own.refused)),
    )


@route("announcements.list", "GET /api/v1/announcements", PLATFORM, "What everybody is told of incidents")
async def list_all(context: AdminContext, request: AdminRequest[NoParameters]) -> PageObject[AnnouncementObject]:
    found = await announcements.list_all(context.services, request.actor)
    return PageObject(data=tuple(map(announcement_object, found)))


@route("announcements.open", "POST /api/v1/announcements", PLATFORM, "Tell everybody of an incident", status=201)
async def begin(context: AdminContext, request: AdminRequest[NewAnnouncement]) -> AnnouncementObject:
    return announcement_object(await announcements.begin(context.services, request.actor, **request.given))


@route("announcements.write", "POST /api/v1/announcements/{id}/write", PLATFORM, "Say what is new of an incident")
async def write(context: AdminContext, request: AdminRequest[AnnouncementText]) -> AnnouncementObject:
    return announcement_object(await announcements.write(context.services, request.actor, request.id, **request.given))


@route("announcements.close", "POST /api/v1/announcements/{id}/close", PLATFORM, "Say that an incident is over")
async def close(context: AdminContext, request: AdminRequest[ClosingText]) -> AnnouncementObject:
    return announcement_object(await announcements.close(context.services, request.actor, request.id, **request.given))


def announcement_object(one: Announcement) -> AnnouncementObject:
    return fill(
        AnnouncementObject, one, updates=tuple(fill(AnnouncementUpdateObject, update) for update in one.updates)
    )


def _model_object(one: status.ModelStatus, own: status.OwnStatus | None) -> ModelStatusObject:
    yours = {} if own is None else own.success.get(one.model, {})
    windows = {name: _figures_object(found, yours.get(name)) for name, found in one.windows.items()}
    return ModelStatusObject(model=one.model, state=one.state, **windows)


def _figures_object(found: ServiceFigures, yours: int | None) -> ServiceFiguresObject:
    return ServiceFiguresObject(
        success_percent=_percent(found.success),
        first_token_p50_ms=found.first_p50_ms,
        first_token_p95_ms=found.first_p95_ms,
        tokens_per_second=found.tokens_per_second,
        your_success_percent=_percent(yours),
    )


def _percent(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10
