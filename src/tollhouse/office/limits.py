"""Limits that people set beside those of the plan: how much, of what, for whom, until when. In force at once."""

from collections.abc import Mapping

from msgspec import structs

from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.limit import LimitKind, Rule
from tollhouse.limits.rules import KINDS
from tollhouse.office import audit, fields, reach
from tollhouse.office.office import Office
from tollhouse.office.ports import Tables

_MOST = 10**12


async def put(
    office: Office,
    actor: Actor,
    most: Mapping[LimitKind, int],
    *,
    account: str | None = None,
    project: str | None = None,
    key: str | None = None,
    model: str | None = None,
    until_ms: int | None = None,
    note: str = "",
) -> tuple[Rule, ...]:
    """Set a limit of each kind named. It replaces the one of the same place, kind and model: one with an end another
    with an end, so that what holds without one comes back by itself.

    A limit on a whole account stands in for the plan's, so only the operator sets it.
    Raises BadRequest, PathNotFound, ScopeMissing.
    """
    target = reach.target(office, actor, account, project, key)
    if target.level == "account":
        reach.require_operator(actor, "set the limits of an account")
    _check(most)
    now_ms = office.clock.now_ms()
    if until_ms is not None and not now_ms < until_ms:
        raise BadRequest("until: this is not in the future", param="until")
    rules = tuple(
        Rule(
            id=office.new_id("lim"),
            level=target.level,
            object_id=target.object_id,
            kind=kind,
            most=figure,
            model=fields.pattern(model),
            until_ms=until_ms,
            note=fields.name(note, "note") if note.strip() else "",
            created_at_ms=now_ms,
        )
        for kind, figure in most.items()
    )
    rows = [audit.entry(office, actor, "limit.set", rule.id, account_id=target.account_id) for rule in rules]

    def deed(tables: Tables) -> list[Rule]:
        gone = []
        for rule, row in zip(rules, rows, strict=True):
            standing = [one for one in tables.limits.on(rule.level, rule.object_id) if _replaces(rule, one)]
            for one in standing:
                tables.limits.remove(one.id)
            gone += standing
            tables.limits.add(rule)
            tables.audit.add(audit.changed(row, standing[-1] if standing else None, rule))
        return gone

    def follow(gone: list[Rule]) -> None:
        for rule in gone:
            office.rules.remove(rule.id)
        for rule in rules:
            office.rules.put(rule)

    await office.rows.change(deed, follow)
    return rules


async def show(
    office: Office, actor: Actor, *, account: str | None = None, project: str | None = None, key: str | None = None
) -> tuple[Rule, ...]:
    """The rules on an object, those that are over included. What holds beside them is the plan's.

    Raises BadRequest, PathNotFound.
    """
    target = reach.target(office, actor, account, project, key)
    return tuple(await office.rows.read(lambda tables: tables.limits.on(target.level, target.object_id)))


async def remove(office: Office, actor: Actor, rule_id: str) -> Rule:
    """What held before holds again. Raises PathNotFound, ScopeMissing for a limit of an account."""
    row = audit.entry(office, actor, "limit.remove", rule_id)

    def deed(tables: Tables) -> Rule:
        rule = tables.limits.get(rule_id)
        owner = None if rule is None else _owner(office, rule)
        if rule is None or actor.account_id not in (None, owner):
            raise PathNotFound(f"no limit {reach.shown(rule_id)}")
        if rule.level == "account":
            reach.require_operator(actor, "remove the limits of an account")
        tables.limits.remove(rule_id)
        tables.audit.add(structs.replace(audit.changed(row, rule, rule), account_id=owner))
        return rule

    return await office.rows.change(deed, lambda rule: office.rules.remove(rule.id))


def _check(most: Mapping[LimitKind, int]) -> None:
    if not most:
        raise BadRequest(f"limits: name at least one of {', '.join(KINDS)}", param="limits")
    for kind, figure in most.items():
        if kind not in KINDS:
            raise BadRequest(f"limits: there are {', '.join(KINDS)}", param="limits")
        if type(figure) is not int or not 0 <= figure <= _MOST:
            raise BadRequest(f"{kind}: write a whole number from 0 to {_MOST}", param=kind)


def _replaces(new: Rule, old: Rule) -> bool:
    return (new.kind, new.model, new.until_ms is None) == (old.kind, old.model, old.until_ms is None)


def _owner(office: Office, rule: Rule) -> str | None:
    """The account of what a rule stands on."""
    if rule.level == "account":
        return rule.object_id
    if rule.level == "project":
        projects = office.directory.projects_called(rule.object_id, None)
        return projects[0].account_id if projects else None
    keys = office.directory.keys_called(rule.object_id)
    return keys[0].account_id if keys else None
