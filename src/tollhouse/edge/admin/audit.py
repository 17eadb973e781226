"""/api/v1/audit"""

from msgspec import field

from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.objects import AuditObject, Page, audit_object, page_object
from tollhouse.edge.admin.route import ACCOUNT, Asked, Paging, Route
from tollhouse.office import audit


class AuditAsked(Paging, frozen=True, kw_only=True):
    account: str | None = None
    changed: str | None = field(default=None, name="object")  # the id of what was changed


async def every(desk: Desk, asked: Asked[AuditAsked]) -> Page[AuditObject]:
    given = asked.given
    found = await audit.list_page(
        desk.office,
        asked.actor,
        account=given.account,
        object_id=given.changed,
        after=given.after,
        count=given.limit,
    )
    return page_object(found, audit_object)


ROUTES = (
    Route("audit.list", "GET", "/api/v1/audit", every, ACCOUNT, "Changes, newest first", Page[AuditObject], AuditAsked),
)
