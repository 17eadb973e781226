"""/api/v1/audit"""

from msgspec import field

from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import AuditObject, PageObject, audit_object, page_object
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, Paging, route
from tollhouse.services import audit


class AuditQuery(Paging, frozen=True, kw_only=True):
    account: str | None = None
    changed: str | None = field(default=None, name="object")  # the id of what was changed


@route("audit.list", "GET /api/v1/audit", ACCOUNT, "Changes, newest first")
async def list_all(context: AdminContext, request: AdminRequest[AuditQuery]) -> PageObject[AuditObject]:
    body = request.body
    found = await audit.list_page(
        context.services,
        request.actor,
        account=body.account,
        object_id=body.changed,
        after=body.after,
        count=body.limit,
    )
    return page_object(found, audit_object)
