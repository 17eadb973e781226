"""/api/v1/projects"""

from msgspec import Struct

from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, ProjectObject, page_object, project_object
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, NoParameters, Paging, route
from tollhouse.services import projects


class NewProject(Struct, frozen=True, kw_only=True):
    name: str
    account: str | None = None  # id or unique name; absent: the caller's own, or the only one there is


class ProjectQuery(Paging, frozen=True, kw_only=True):
    account: str | None = None


@route("projects.list", "GET /api/v1/projects", ACCOUNT, "Projects, newest first")
async def list_all(context: AdminContext, request: AdminRequest[ProjectQuery]) -> PageObject[ProjectObject]:
    body = request.body
    found = await projects.list_page(
        context.services, request.actor, account=body.account, after=body.after, count=body.limit
    )
    return page_object(found, project_object)


@route("projects.create", "POST /api/v1/projects", ACCOUNT, "Make a project", status=201)
async def create(context: AdminContext, request: AdminRequest[NewProject]) -> ProjectObject:
    body = request.body
    return project_object(await projects.create(context.services, request.actor, name=body.name, account=body.account))


@route("projects.archive", "POST /api/v1/projects/{id}/archive", ACCOUNT, "Close a project")
async def archive(context: AdminContext, request: AdminRequest[NoParameters]) -> ProjectObject:
    return project_object(await projects.archive(context.services, request.actor, request.id))
