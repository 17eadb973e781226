"""The operator's budgets above a budget that an owner wants: more than they let through would promise too much."""

from collections.abc import Mapping
from typing import Final

from tollhouse.billing.budgets import Budget, matches
from tollhouse.core.account import ApiKey, Project
from tollhouse.core.audit import Actor
from tollhouse.services import fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.budgets import NewBudget
from tollhouse.store.tables import SqlRepositories

_LENGTH: Final[Mapping[str, int]] = {"day": 0, "week": 1, "month": 2, "total": 3}


async def lowest(services: ServiceContext, actor: Actor, wanted: NewBudget) -> Budget | None:
    """The operator's budget of the least amount that counts all that the wanted one would count, in a window as long or
    longer; None: there is none. Raises BadRequest, PathNotFound."""
    target = reach.target(services, actor, wanted.account, wanted.project, wanted.key)
    keys, projects = services.directory.keys, services.directory.projects
    above = _above(target, keys.get(target.object_id), projects.get(target.object_id))

    def question(tables: SqlRepositories) -> list[Budget]:
        return [one for level, object_id in above for one in tables.budgets.on(level, object_id) if one.system]

    model = None if wanted.model is None else reach.model(services, actor, wanted.model)
    found = [one for one in await services.rows.read(question) if _includes(one, wanted.window, model)]
    return min(found, key=lambda one: one.amount, default=None)


def _above(target: reach.Target, key: ApiKey | None, project: Project | None) -> list[tuple[str, str]]:
    """What the calls of an object count in, from it up."""
    above = [("account", target.account_id)]
    if key is not None:
        return [("key", key.id), ("project", key.project_id), *above]
    return above if project is None else [("project", project.id), *above]


def _includes(ceiling: Budget, window: str, model: str | None) -> bool:
    """model: by its id, or a pattern; None: all."""
    if _LENGTH[ceiling.kind] < _LENGTH.get(window, len(_LENGTH)):
        return False
    if ceiling.model is None or ceiling.model == model:
        return True
    return model is not None and not model.endswith("*") and matches(ceiling.model, model)


def is_above(wanted: NewBudget, ceiling: Budget) -> bool:
    """Raises BadRequest where the amount is none."""
    return fields.amount(wanted.amount_usd, "amount_usd", zero=True) > ceiling.amount
