"""/api/v1/limits"""

from typing import Literal

from msgspec import Struct

from tollhouse.core.limit import LimitKind, Rule
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import moment_ms, written
from tollhouse.edge.admin.objects import PageObject
from tollhouse.edge.admin.route import ACCOUNT, OWN, AdminRequest, NoParameters, route
from tollhouse.services import limits


class LimitObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="limit"):
    """`id`: of the rule that set it; null where the account's plan does. `of_id`: the account, project, key or model it
    stands on. `holds`: false for a rule that is over, or that another one with an end goes before; what is used is then
    not counted. `reset_ms`: until it is wholly free again if nobody calls; null for parallel requests, which are free
    when they end."""

    id: str | None
    name: LimitKind
    level: Literal["account", "project", "key", "model", "address"]
    of_id: str
    model: str | None
    limit: int
    used: int | None
    remaining: int | None
    reset_ms: int | None
    until: str | None
    note: str | None
    source: Literal["plan", "rule"]
    holds: bool


class NewLimits(Struct, frozen=True, kw_only=True):
    """On one of `account`, `project` and `key`, where `model` narrows it to the calls of one model (`prefix*`: of those
    that begin so); on `model` alone, whoever calls it."""

    account: str | None = None
    project: str | None = None
    key: str | None = None
    model: str | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    parallel_requests: int | None = None
    limits: dict[str, int] = {}  # by kind: also of kinds that have no field here
    until: str | None = None  # 30d, a date, or a time; absent: for good
    note: str = ""


class LimitQuery(Struct, frozen=True, kw_only=True):
    """Nothing: all that people set within the caller's reach, and what the plan sets for the caller's own account, or
    for the only one there is."""

    account: str | None = None
    project: str | None = None
    key: str | None = None
    model: str | None = None


@route("limits.show", "GET /api/v1/limits", OWN, "What limits calls, and what is used")
async def show(context: AdminContext, request: AdminRequest[LimitQuery]) -> PageObject[LimitObject]:
    """An API key sees what limits itself."""
    body = request.body
    if request.own_key_id is not None:
        body = LimitQuery(key=request.own_key_id, model=body.model)
    seen = await limits.show(
        context.services, request.actor, account=body.account, project=body.project, key=body.key, model=body.model
    )
    return PageObject(data=tuple(map(limit_object, seen)))


@route("limits.set", "POST /api/v1/limits", ACCOUNT, "Set limits", status=201)
async def put(context: AdminContext, request: AdminRequest[NewLimits]) -> PageObject[LimitObject]:
    body = request.body
    figures: dict[LimitKind, int | None] = {
        "requests_per_minute": body.requests_per_minute,
        "tokens_per_minute": body.tokens_per_minute,
        "parallel_requests": body.parallel_requests,
    }
    seen = await limits.put(
        context.services,
        request.actor,
        body.limits | {kind: figure for kind, figure in figures.items() if figure is not None},
        account=body.account,
        project=body.project,
        key=body.key,
        model=body.model,
        until_ms=None if body.until is None else moment_ms(body.until, "until", request.now_ms),
        note=body.note,
    )
    return PageObject(data=tuple(map(limit_object, seen)))


@route("limits.remove", "POST /api/v1/limits/{id}/remove", ACCOUNT, "Let what held before hold again")
async def remove(context: AdminContext, request: AdminRequest[NoParameters]) -> LimitObject:
    return limit_object(limits.LimitUsage(await limits.remove(context.services, request.actor, request.id), None))


def limit_object(seen: limits.LimitUsage) -> LimitObject:
    rule, shown = seen
    if shown is None:
        assert rule is not None, "what does not hold is a rule"
        return _at_rest(rule)
    return LimitObject(
        id=None if rule is None else rule.id,
        name=shown.name,
        level=shown.level,
        of_id=shown.id,
        model=shown.model,
        limit=shown.limit,
        used=shown.used,
        remaining=shown.remaining,
        reset_ms=shown.reset_ms,
        until=shown.until,
        note=shown.note or None,
        source=shown.source,
        holds=True,
    )


def _at_rest(rule: Rule) -> LimitObject:
    return LimitObject(
        id=rule.id,
        name=rule.kind,
        level=rule.level,
        of_id=rule.object_id,
        model=rule.model,
        limit=rule.most,
        used=None,
        remaining=None,
        reset_ms=None,
        until=written(rule.until_ms),
        note=rule.note or None,
        source="rule",
        holds=False,
    )
