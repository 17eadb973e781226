"""Incidents as those who run the platform tell everybody of them: opened, written to, closed."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from tollhouse.core.announcement import (
    MODELS_MAX,
    OPEN_MAX,
    TEXT_MAX,
    TITLE_MAX,
    UPDATES_MAX,
    Announcement,
    AnnouncementUpdate,
)
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.spelling import nearest
from tollhouse.services import audit, fields, maxima, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.announcements import AnnouncementText, ClosingText, NewAnnouncement
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

TOLD_MS: Final = 30 * DAY_MS
"""Closed ones are told so long."""
TOLD_MAX: Final = 50
CLOSED: Final = "It is over."


@WithFieldsOf(NewAnnouncement)
async def begin(services: ServiceContext, actor: Actor, given: NewAnnouncement) -> Announcement:
    """Tell everybody of an incident. Raises BadRequest, ScopeMissing, Conflict where too many are open."""
    reach.require_operator(actor, "tell everybody of an incident")
    now_ms = services.moment_ms()
    one = Announcement(
        id=services.new_id("ann"),
        title=_text(" ".join(given.title.split()), "title", TITLE_MAX),
        models=_models(services, given.models),
        updates=(AnnouncementUpdate(now_ms, _text(given.text, "text", TEXT_MAX)),),
        created_at_ms=now_ms,
        changed_at_ms=now_ms,
    )
    row = audit.entry(services, actor, "announcement.open", one.id, after={"title": one.title, "models": one.models})

    def transaction(tables: SqlRepositories) -> Announcement:
        maxima.require_room(tables.announcements.open_ones(), OPEN_MAX, "open incidents", "close some")
        tables.announcements.add(one)
        tables.audit.add(row)
        return one

    return await services.rows.change(transaction)


@WithFieldsOf(AnnouncementText)
async def write(services: ServiceContext, actor: Actor, reference: str, given: AnnouncementText) -> Announcement:
    """Say what is new. Raises BadRequest, ScopeMissing, PathNotFound, Conflict for a closed one."""
    text = _text(given.text, "text", TEXT_MAX)

    def turn(one: Announcement, now_ms: int) -> Announcement:
        maxima.require_room(len(one.updates), UPDATES_MAX - 1, "updates of an incident", "close it, and open another")
        return structs.replace(one, updates=(*one.updates, AnnouncementUpdate(now_ms, text)), changed_at_ms=now_ms)

    return await _change(services, actor, reference, "announcement.write", turn)


@WithFieldsOf(ClosingText)
async def close(services: ServiceContext, actor: Actor, reference: str, given: ClosingText) -> Announcement:
    """Say that it is over. Raises BadRequest, ScopeMissing, PathNotFound, Conflict for a closed one."""
    text = _text(given.text or CLOSED, "text", TEXT_MAX)

    def turn(one: Announcement, now_ms: int) -> Announcement:
        updates = (*one.updates, AnnouncementUpdate(now_ms, text))
        return structs.replace(one, updates=updates, changed_at_ms=now_ms, closed_at_ms=now_ms)

    return await _change(services, actor, reference, "announcement.close", turn)


async def told(services: ServiceContext) -> Sequence[Announcement]:
    """What everybody is told now: open ones, and those that were closed in the last 30 days; the newest first."""
    from_ms = services.clock.now_ms() - TOLD_MS
    return await services.rows.read(lambda tables: tables.announcements.told_since(from_ms, TOLD_MAX))


async def list_all(services: ServiceContext, actor: Actor) -> Sequence[Announcement]:
    """The same, for those who write it. Raises ScopeMissing."""
    reach.require_operator(actor, "see this list")
    return await told(services)


async def _change(
    services: ServiceContext,
    actor: Actor,
    reference: str,
    action: str,
    turn: Callable[[Announcement, int], Announcement],
) -> Announcement:
    reach.require_operator(actor, "tell everybody of an incident")
    row, now_ms = audit.entry(services, actor, action, reference[:200]), services.moment_ms()

    def transaction(tables: SqlRepositories) -> Announcement:
        before = tables.announcements.get(reference)
        if before is None:
            raise PathNotFound(Phrase("no incident %(incident)s", incident=reach.shown(reference)))
        if before.closed_at_ms is not None:
            raise Conflict(Phrase("%(incident)s is closed: open another one", incident=before.id))
        after = turn(before, now_ms)
        tables.announcements.save(after)
        tables.audit.add(structs.replace(row, object_id=after.id, after={"text": after.updates[-1].text}))
        return after

    return await services.rows.change(transaction)


def _models(services: ServiceContext, named: Sequence[str]) -> tuple[str, ...]:
    known = services.catalogue.models
    if len(named) > MODELS_MAX:
        raise BadRequest(Phrase("models: name %(most)s at most, or none", most=MODELS_MAX), param="models")
    for model in named:
        if model not in known:
            near = nearest(model[:60], known) if known else "-"
            raise BadRequest(
                Phrase(
                    "models: %(given)s is unknown; the nearest known one is %(known)s",
                    given=repr(model[:60]),
                    known=near,
                ),
                param="models",
            )
    return tuple(dict.fromkeys(named))


def _text(text: str, param: str, most: int) -> str:
    """Lines of text, without control characters and without a key of anybody. Raises BadRequest."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    if not text.strip():
        raise BadRequest(Phrase("%(param)s: this is empty", param=param), param=param)
    if sum(map(len, lines)) + len(lines) - 1 > most:
        raise BadRequest(Phrase("%(param)s: at most %(most)s characters", param=param, most=most), param=param)
    if not all(line.isprintable() for line in lines):
        raise BadRequest(Phrase("%(param)s: this holds a character that does not print", param=param), param=param)
    return fields.without_key("\n".join(lines), param)
