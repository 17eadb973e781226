"""/console/projects: an account's keys in groups: what each spends; make one, archive one."""

from tollhouse.console.months import month_start_ms
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.failure import BadRequest, Conflict, Failure, RateLimited
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import keys, projects, reach, usage
from tollhouse.services.accounts import DEFAULT_PROJECT

_SHOWN = 200


@page("GET /console/projects", may="projects.list")
async def listing(visit: Visit) -> Answer:
    return await _listing(visit, visit.shown_account)


@page("POST /console/projects", may="projects.create")
async def create(visit: Visit) -> Answer:
    account = visit.shown_account
    try:
        await projects.create(visit.context.services, visit.actor, name=visit.given("name"), account=account.id)
    except (BadRequest, Conflict, RateLimited) as trouble:
        return await _listing(visit, account, trouble)
    return Elsewhere("/console/projects")


@page("GET /console/projects/{id}/archive", may="projects.archive")
async def ask_to_archive(visit: Visit) -> Answer:
    """What stops when it is archived."""
    return await _archiving(visit)


@page("POST /console/projects/{id}/archive", may="projects.archive")
async def archive(visit: Visit) -> Answer:
    try:
        await projects.archive(visit.context.services, visit.actor, visit.id)
    except (Conflict, RateLimited) as trouble:
        return await _archiving(visit, trouble)
    return Elsewhere("/console/projects")


async def _listing(visit: Visit, account: Account, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    found = await projects.list_page(
        services, visit.actor, account=account.id, limit=_SHOWN, after=visit.asked("after") or None
    )
    sums = await usage.report(
        services, visit.actor, by="project", from_ms=month_start_ms(visit.now_ms), account=account.id, mode="live"
    )
    return Shown(
        "projects.html",
        {
            "projects": found.records,
            "next": found.next,
            "used": {one.group: one for one in sums},
            "default": DEFAULT_PROJECT,
            "given": visit.given,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


async def _archiving(visit: Visit, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    project = reach.project(services, visit.actor, visit.id)
    made = await keys.list_page(services, visit.actor, project=project.id, limit=_SHOWN)
    sums = await usage.report(
        services, visit.actor, by="key", from_ms=visit.now_ms - DAY_MS, to_ms=visit.now_ms + 1, project=project.id
    )
    return Shown(
        "project_archive.html",
        {
            "project": project,
            "keys": [one for one in made.records if one.state != "revoked"],
            "is_whole": made.next is None,
            "used": {one.group: one for one in sums},
            "calls": sum(one.calls for one in sums),
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )
