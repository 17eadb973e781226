"""/console/platform/audit: who changed what, in all accounts and on the platform."""

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.audit import AuditRow
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.services import audit
from tollhouse.services.pages import Page


@page("GET /console/platform/audit", may="audit.list")
async def listing(visit: Visit) -> Answer:
    asked = {name: visit.asked(name) for name in ("account", "object")}
    found: Page[AuditRow] = Page(())
    trouble = None
    try:
        found = await audit.list_page(
            visit.context.services,
            visit.actor,
            account=asked["account"] or None,
            object_id=asked["object"] or None,
            after=visit.asked("after") or None,
        )
    except (BadRequest, PathNotFound) as failure:
        trouble = failure
    return Shown(
        "platform_audit.html",
        {"changes": found.records, "next": found.next, "asked": asked, "trouble": trouble},
        200 if trouble is None else trouble.status,
    )
