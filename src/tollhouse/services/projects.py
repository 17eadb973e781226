"""Projects: an account's keys in groups. An archived project stops its keys, and its name is free again."""

from msgspec import structs

from tollhouse.core.account import Project, ProjectFields
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Conflict, PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, fields, maxima, reach
from tollhouse.services.accounts import DEFAULT_PROJECT
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.projects import NewProject, ProjectQuery
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories


@WithFieldsOf(NewProject)
async def create(services: ServiceContext, actor: Actor, given: NewProject) -> Project:
    """Raises BadRequest, PathNotFound, and Conflict where an active project of the account has the name."""
    owner = reach.account_or_own(services, actor, given.account)
    maxima.require_room(
        services.directory.projects_in_use(owner.id),
        maxima.PROJECTS_MAX,
        "active projects in this account",
        "archive those not in use",
    )
    project = Project(
        id=services.new_id("proj"),
        account_id=owner.id,
        created_at_ms=services.clock.now_ms(),
        **fields.kept(ProjectFields, given, name=fields.name(given.name)),
    )
    row = audit.entry(services, actor, "project.create", project.id, account_id=owner.id)

    def transaction(tables: SqlRepositories) -> Project:
        if (taken := tables.projects.active_named(owner.id, project.name)) is not None:
            raise Conflict(
                Phrase("the account has an active project of this name already: %(project)s", project=taken.id),
                param="name",
            )
        tables.projects.add(project)
        tables.audit.add(audit.changed(row, None, project))
        return project

    return await services.rows.change(transaction, services.directory.put_project)


@WithFieldsOf(ProjectQuery)
async def list_page(services: ServiceContext, actor: Actor, given: ProjectQuery) -> Page[Project]:
    account_id = reach.narrowed(services, actor, given.account)
    return await read_page(services, given, lambda tables: tables.projects.page, account_id=account_id)


async def archive(services: ServiceContext, actor: Actor, reference: str) -> Project:
    """Stop the project's keys from the next request on. Archiving twice changes nothing.

    Raises PathNotFound, BadRequest, and Conflict for the project `default`.
    """
    project_id = reach.project(services, actor, reference).id

    row = audit.entry(services, actor, "project.archive", project_id)

    def transaction(tables: SqlRepositories) -> Project:
        before = tables.projects.get(project_id)
        if before is None:
            raise PathNotFound(Phrase("no project %(project)s", project=project_id))
        if before.name == DEFAULT_PROJECT:
            raise Conflict(
                Phrase(
                    "%(project)s: every account keeps its project `%(default)s`",
                    project=project_id,
                    default=DEFAULT_PROJECT,
                )
            )
        project = structs.replace(before, state="archived")
        if project != before:
            tables.projects.save(project)
            tables.audit.add(audit.changed(structs.replace(row, account_id=project.account_id), before, project))
        return project

    return await services.rows.change(transaction, services.directory.put_project)
