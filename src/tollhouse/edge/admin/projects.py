"""/api/v1/projects"""

from typing import Literal

from tollhouse.core.account import Project, ProjectFields
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, NoParameters, route
from tollhouse.services import projects
from tollhouse.services.given.projects import NewProject, ProjectQuery


class ProjectObject(ProjectFields, frozen=True, tag_field="object", tag="project"):
    id: str
    account_id: str
    state: Literal["active", "archived"]
    created_at: str | None


@route("projects.list", "GET /api/v1/projects", ACCOUNT, "Projects, newest first")
async def list_all(context: AdminContext, request: AdminRequest[ProjectQuery]) -> PageObject[ProjectObject]:
    return page_object(await projects.list_page(context.services, request.actor, **request.given), project_object)


@route("projects.create", "POST /api/v1/projects", ACCOUNT, "Make a project", status=201)
async def create(context: AdminContext, request: AdminRequest[NewProject]) -> ProjectObject:
    return project_object(await projects.create(context.services, request.actor, **request.given))


@route("projects.archive", "POST /api/v1/projects/{id}/archive", ACCOUNT, "Close a project")
async def archive(context: AdminContext, request: AdminRequest[NoParameters]) -> ProjectObject:
    return project_object(await projects.archive(context.services, request.actor, request.id))


def project_object(project: Project) -> ProjectObject:
    return fill(ProjectObject, project)
