"""/console/: what is left, what was spent, what went wrong, what changed. Before the first call: how to make it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.console import snippets
from tollhouse.console.objects import name_of
from tollhouse.console.route import SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.audit import AuditRow
from tollhouse.core.failure_words import FailureWords, words_of
from tollhouse.services import audit, models
from tollhouse.services import overview as at_a_glance
from tollhouse.services.recent_calls import FailureCount

_CHANGES: Final = 6
_CHANGES_READ: Final = 40
_FAILURES: Final = 6
_NO_CHANGE: Final = "session."  # signing in and out


class FailureRow(Struct, frozen=True):
    failure: FailureCount
    words: FailureWords | None


@page("GET /console/", may=SIGNED_IN)
async def overview(visit: Visit) -> Answer:
    services, account = visit.context.services, visit.account
    if account is None:
        return Elsewhere("/console/platform/accounts")
    found = await at_a_glance.show(services, visit.actor)
    return Shown(
        "overview.html",
        {
            "account": account,
            "money": found.money,
            "available": found.available,
            "lasts_until_ms": found.lasts_until_ms,
            "today": found.today,
            "month": found.month,
            "days": found.days,
            "models": found.models,
            "budgets": found.budgets,
            "budget_name": lambda one: name_of(visit, one.level, one.object_id),
            "recent": found.recent,
            "failures": [FailureRow(one, words_of(one.code, one.status)) for one in found.recent.failures[:_FAILURES]],
            "changes": await _changes(visit),
            "object_name": lambda object_id: _name(visit, object_id),
            "is_new": found.is_new,
            "clients": _first_call(visit, account) if found.is_new else [],
        },
    )


async def _changes(visit: Visit) -> Sequence[AuditRow]:
    if not visit.may("audit.list"):
        return ()
    found = await audit.list_page(visit.context.services, visit.actor, limit=_CHANGES_READ)
    return [row for row in found.records if not row.action.startswith(_NO_CHANGE)][:_CHANGES]


def _name(visit: Visit, object_id: str) -> str:
    """Of what a change is about, where it has a name; what else it is, its id says."""
    levels = {"key": "key", "proj": "project", "acc": "account"}
    level = levels.get(object_id.partition("_")[0])
    return "" if level is None else name_of(visit, level, object_id)


def _first_call(visit: Visit, account: Account) -> list[snippets.Client]:
    """What to paste, with a place for the key."""
    model = models.for_first_call(visit.context.services, account)
    name = "MODEL" if model is None else model.id
    code = (one for one in snippets.served()["chat"] if one.group == "code")
    return [snippets.filled(one, visit.base_url, "YOUR_KEY", name) for one in code]
