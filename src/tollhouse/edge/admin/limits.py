"""/api/v1/limits"""

from typing import Literal

from msgspec import Struct

from tollhouse.core.limit import LimitKind, Rule
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import moment_ms, written
from tollhouse.edge.admin.objects import Page
from tollhouse.edge.admin.route import ACCOUNT, OWN, Asked, Nothing, Route
from tollhouse.office import limits


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
    until: str | None = None  # 30d, a date, or a time; absent: for good
    note: str = ""


class LimitsAsked(Struct, frozen=True, kw_only=True):
    """Nothing: all that people set within the caller's reach, and what the plan sets for the caller's own account, or
    for the only one there is."""

    account: str | None = None
    project: str | None = None
    key: str | None = None
    model: str | None = None


async def put(desk: Desk, asked: Asked[NewLimits]) -> Page[LimitObject]:
    given = asked.given
    figures: dict[LimitKind, int | None] = {
        "requests_per_minute": given.requests_per_minute,
        "tokens_per_minute": given.tokens_per_minute,
        "parallel_requests": given.parallel_requests,
    }
    seen = await limits.put(
        desk.office,
        asked.actor,
        {kind: figure for kind, figure in figures.items() if figure is not None},
        account=given.account,
        project=given.project,
        key=given.key,
        model=given.model,
        until_ms=None if given.until is None else moment_ms(given.until, "until", asked.now_ms),
        note=given.note,
    )
    return Page(data=tuple(map(limit_object, seen)))


async def show(desk: Desk, asked: Asked[LimitsAsked]) -> Page[LimitObject]:
    """An API key sees what limits itself."""
    given = asked.given
    if asked.own_key_id is not None:
        given = LimitsAsked(key=asked.own_key_id, model=given.model)
    seen = await limits.show(
        desk.office, asked.actor, account=given.account, project=given.project, key=given.key, model=given.model
    )
    return Page(data=tuple(map(limit_object, seen)))


async def remove(desk: Desk, asked: Asked[Nothing]) -> LimitObject:
    return limit_object(limits.Seen(await limits.remove(desk.office, asked.actor, asked.id), None))


def limit_object(seen: limits.Seen) -> LimitObject:
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


_PATH = "/api/v1/limits"
_ONE = _PATH + "/{id}"
ROUTES = (
    Route(
        "limits.show", "GET", _PATH, show, OWN, "What limits calls, and what is used", Page[LimitObject], LimitsAsked
    ),
    Route("limits.set", "POST", _PATH, put, ACCOUNT, "Set limits", Page[LimitObject], NewLimits, status=201),
    Route("limits.remove", "POST", _ONE + "/remove", remove, ACCOUNT, "Let what held before hold again", LimitObject),
)
