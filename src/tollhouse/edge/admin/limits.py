"""/api/v1/limits"""

from typing import Literal

from msgspec import structs

from tollhouse.core.limit import LimitFields, LimitKind
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import ACCOUNT, OWN, AdminRequest, NoParameters, route
from tollhouse.services import limits
from tollhouse.services.given.limits import LimitQuery, NewLimits


class LimitObject(LimitFields, frozen=True, tag_field="object", tag="limit"):
    """`id`: of the rule that set it; null where the account's plan does. `of_id`: the account, project, key or model it
    stands on. `holds`: false for a rule that is over, or that another one with an end goes before; what is used is then
    not counted. `reset_ms`: until it is wholly free again if nobody calls; null for parallel requests, which are free
    when they end."""

    id: str | None
    name: LimitKind
    level: Literal["account", "project", "key", "model", "address"]
    of_id: str
    limit: int
    used: int | None
    remaining: int | None
    reset_ms: int | None
    until: str | None
    note: str | None  # type: ignore[assignment]
    source: Literal["plan", "rule"]
    holds: bool


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
    said = structs.asdict(fill(LimitFields, rule or LimitFields()))
    said["note"] = said["note"] or None
    if shown is not None:
        rule_id = None if rule is None else rule.id
        return fill(LimitObject, shown, id=rule_id, of_id=shown.id, holds=True, **said)
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
        source="rule",
        holds=False,
        **said,
    )
