"""What budgets and limits stand on, as a form offers it: the account, one of its projects, one of its keys."""

from typing import Final

from msgspec import Struct

from tollhouse.console.visit import Visit
from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.failure import BadRequest
from tollhouse.services import keys, projects

OFFERED_MAX: Final = 200
_LEVELS: Final = ("account", "project", "key")


class Objects(Struct, frozen=True, kw_only=True):
    """`keys` and `projects` that are in use, the newest first. `is_whole`: there are no others."""

    account: Account
    projects: tuple[Project, ...]
    keys: tuple[ApiKey, ...]
    is_whole: bool


async def of_account(visit: Visit, account: Account) -> Objects:
    """Two questions to the database."""
    services = visit.context.services
    owned = await projects.list_page(services, visit.actor, account=account.id, limit=OFFERED_MAX)
    made = await keys.list_page(services, visit.actor, account=account.id, limit=OFFERED_MAX)
    return Objects(
        account=account,
        projects=tuple(one for one in owned.records if one.state == "active"),
        keys=tuple(one for one in made.records if one.state != "revoked" and one.mode != "admin"),
        is_whole=owned.next is None and made.next is None,
    )


def named(text: str, account_id: str) -> dict[str, str]:
    """`account`, `project:ID` or `key:ID` as the services take it: the level with its reference. Raises BadRequest."""
    level, _, object_id = text.partition(":")
    if level not in _LEVELS or (level != "account" and not object_id):
        raise BadRequest("on: choose the account, a project or a key", param="on")
    return {level: object_id or account_id}


def name_of(visit: Visit, level: str, object_id: str) -> str:
    """What people call the object that something stands on; its id where it is gone."""
    directory = visit.context.services.directory
    known: Account | Project | ApiKey | None = None
    if level == "account":
        known = directory.accounts.get(object_id)
    elif level == "project":
        known = directory.projects.get(object_id)
    elif level == "key":
        known = directory.keys.get(object_id)
    return object_id if known is None else known.name


def chosen(visit: Visit, objects: Objects) -> tuple[str, str]:
    """What a form stands on, with its name where the form does not offer it: one of many keys, from its own page."""
    on = visit.given("on") or visit.asked("on") or "account"
    level, _, object_id = on.partition(":")
    offered = {one.id for one in objects.projects} | {one.id for one in objects.keys}
    directory = visit.context.services.directory
    known = directory.keys.get(object_id) or directory.projects.get(object_id)
    if level == "account" or object_id in offered or known is None or known.account_id != objects.account.id:
        return on, ""
    return on, known.name
