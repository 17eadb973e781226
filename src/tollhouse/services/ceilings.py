"""The operator's budgets above a budget that an owner wants: more than they let through would promise too much."""

from collections.abc import Mapping
from typing import Final

from tollhouse.billing.budgets import Budget, matches
from tollhouse.core.account import ApiKey, Project
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

_LENGTH: Final[Mapping[str, int]] = {"day": 0, "week": 1, "month": 2, "total": 3}
_ABOVE: Final[Mapping[str, str]] = {
    "day": translatable(
        "amount_usd: this is above the %(amount)s USD a day that the operator has set: choose that or less"
    ),
    "week": translatable(
        "amount_usd: this is above the %(amount)s USD a week that the operator has set: choose that or less"
    ),
    "month": translatable(
        "amount_usd: this is above the %(amount)s USD a month that the operator has set: choose that or less"
    ),
    "total": translatable(
        "amount_usd: this is above the %(amount)s USD in all that the operator has set: choose that or less"
    ),
}


def require_within(services: ServiceContext, tables: SqlRepositories, wanted: Budget) -> None:
    """Within a transaction: an owner sets no budget of more than the operator's let them spend. Raises BadRequest."""
    ceiling = lowest(services, tables, wanted)
    if ceiling is not None and wanted.amount > ceiling.amount:
        raise BadRequest(Phrase(_ABOVE[ceiling.kind], amount=format_usd(ceiling.amount)), param="amount_usd")


def lowest(services: ServiceContext, tables: SqlRepositories, wanted: Budget) -> Budget | None:
    """The operator's budget of the least amount that counts all that the wanted one would count, in a window as long or
    longer; None: there is none."""
    keys, projects = services.directory.keys, services.directory.projects
    above = _above(wanted, keys.get(wanted.object_id), projects.get(wanted.object_id))
    standing = (one for level, object_id in above for one in tables.budgets.on(level, object_id) if one.system)
    return min((one for one in standing if _includes(one, wanted)), key=lambda one: one.amount, default=None)


def _above(wanted: Budget, key: ApiKey | None, project: Project | None) -> list[tuple[str, str]]:
    """What the calls of an object count in, from it up."""
    above = [("account", wanted.account_id)]
    if key is not None:
        return [("key", key.id), ("project", key.project_id), *above]
    return above if project is None else [("project", project.id), *above]


def _includes(ceiling: Budget, wanted: Budget) -> bool:
    if _LENGTH[ceiling.kind] < _LENGTH[wanted.kind]:
        return False
    if ceiling.model is None or ceiling.model == wanted.model:
        return True
    return wanted.model is not None and not wanted.model.endswith("*") and matches(ceiling.model, wanted.model)
