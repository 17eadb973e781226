"""/api/v1/limits"""

from typing import Annotated, Literal

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help, KeyReference, ProjectReference
from tollhouse.core.limit import LimitKind
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill
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

    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("only calls to this model (or gpt-4*); alone: the model, whoever calls it")] = (
        None
    )
    requests_per_minute: Annotated[int | None, Help("calls a minute")] = None
    tokens_per_minute: Annotated[int | None, Help("tokens in and out a minute")] = None
    parallel_requests: Annotated[int | None, Help("calls at the same time")] = None
    limits: dict[str, int] = {}  # by kind: also of kinds that have no field here
    until: Annotated[str | None, Help("30d, a date, or a time: then what held before holds again")] = None
    note: Annotated[str, Help("why, for whoever reads the limit")] = ""


class LimitQuery(Struct, frozen=True, kw_only=True):
    """Nothing: all that people set within the caller's reach, and what the plan sets for the caller's own account, or
    for the only one there is."""

    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("only what a call to this model has to pass; alone: the model's own")] = None


@route("limits.show", "GET /api/v1/limits", OWN, "What limits calls, and what is used")
async def show(context: AdminContext, request: AdminRequest[LimitQuery]) -> PageObject[LimitObject]:
    """An API key sees what limits itself."""
    given = request.given
    if request.own_key_id is not None:
        given = {"key": request.own_key_id, "model": request.body.model}
    return PageObject(data=tuple(map(limit_object, await limits.show(context.services, request.actor, **given))))


@route("limits.set", "POST /api/v1/limits", ACCOUNT, "Set limits", status=201)
async def put(context: AdminContext, request: AdminRequest[NewLimits]) -> PageObject[LimitObject]:
    body, given = request.body, request.given
    figures: dict[LimitKind, int | None] = {
        "requests_per_minute": body.requests_per_minute,
        "tokens_per_minute": body.tokens_per_minute,
        "parallel_requests": body.parallel_requests,
    }
    named = given.pop("limits") | {kind: figure for kind, figure in figures.items() if figure is not None}
    place = {name: value for name, value in given.items() if name not in figures}
    seen = await limits.put(context.services, request.actor, named, **place)
    return PageObject(data=tuple(map(limit_object, seen)))


@route("limits.remove", "POST /api/v1/limits/{id}/remove", ACCOUNT, "Let what held before hold again")
async def remove(context: AdminContext, request: AdminRequest[NoParameters]) -> LimitObject:
    return limit_object(limits.LimitUsage(await limits.remove(context.services, request.actor, request.id), None))


def limit_object(seen: limits.LimitUsage) -> LimitObject:
    rule, shown = seen
    if shown is not None:
        rule_id = None if rule is None else rule.id
        return fill(LimitObject, shown, id=rule_id, of_id=shown.id, note=shown.note or None, holds=True)
    assert rule is not None, "what does not hold is a rule"
    return fill(
        LimitObject,
        rule,
        name=rule.kind,
        of_id=rule.object_id,
        limit=rule.most,
        used=None,
        remaining=None,
        reset_ms=None,
        note=rule.note or None,
        source="rule",
        holds=False,
    )
