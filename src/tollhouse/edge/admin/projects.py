"""/api/v1/projects"""

from msgspec import Struct

from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.objects import Page, ProjectObject, page_object, project_object
from tollhouse.edge.admin.route import ACCOUNT, Asked, Nothing, Paging, Route
from tollhouse.office import projects


class NewProject(Struct, frozen=True, kw_only=True):
    name: str
    account: str | None = None  # id or unique name; absent: the caller's own, or the only one there is


class ProjectsAsked(Paging, frozen=True, kw_only=True):
    account: str | None = None


async def create(desk: Desk, asked: Asked[NewProject]) -> ProjectObject:
    given = asked.given
    return project_object(await projects.create(desk.office, asked.actor, name=given.name, account=given.account))


async def every(desk: Desk, asked: Asked[ProjectsAsked]) -> Page[ProjectObject]:
    given = asked.given
    found = await projects.list_page(
        desk.office, asked.actor, account=given.account, after=given.after, count=given.limit
    )
    return page_object(found, project_object)


async def archive(desk: Desk, asked: Asked[Nothing]) -> ProjectObject:
    return project_object(await projects.archive(desk.office, asked.actor, asked.id))


_PATH = "/api/v1/projects"
ROUTES = (
    Route("projects.list", "GET", _PATH, every, ACCOUNT, "Projects, newest first", Page[ProjectObject], ProjectsAsked),
    Route("projects.create", "POST", _PATH, create, ACCOUNT, "Make a project", ProjectObject, NewProject, status=201),
    Route("projects.archive", "POST", _PATH + "/{id}/archive", archive, ACCOUNT, "Close a project", ProjectObject),
)
