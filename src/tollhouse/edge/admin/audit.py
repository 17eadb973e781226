"""/api/v1/audit"""

from typing import Any

import msgspec
from msgspec import Struct

from tollhouse.core.audit import AuditRow
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, route
from tollhouse.services import audit
from tollhouse.services.audit_csv import as_csv
from tollhouse.services.given.audit import AuditQuery


class AuditObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="audit"):
    id: str
    time: str | None
    actor: dict[str, str | None]
    account_id: str | None
    action: str
    object_id: str
    before: dict[str, Any]
    after: dict[str, Any]


def _as_csv(query: AuditQuery, answer: PageObject[AuditObject]) -> str:
    return as_csv(msgspec.to_builtins(answer)["data"])


@route(
    "audit.list",
    "GET /api/v1/audit",
    ACCOUNT,
    "Changes, newest first; as CSV with Accept: text/csv",
    as_csv=_as_csv,
)
async def list_all(context: AdminContext, request: AdminRequest[AuditQuery]) -> PageObject[AuditObject]:
    return page_object(await audit.list_page(context.services, request.actor, **request.given), audit_object)


def audit_object(row: AuditRow) -> AuditObject:
    return fill(AuditObject, row, actor={"kind": row.actor_kind, "id": row.actor_id, "address": row.address})
