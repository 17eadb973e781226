"""Limits that people set beside those of the plan: how much, of what, for whom, until when. In force at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.limit import LimitFields, LimitKind, LimitLevel, Rule
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.limits.rate_limiter import LimitView
from tollhouse.limits.rules import Object, over
from tollhouse.services import audit, fields, maxima, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.limits import LimitQuery, NewLimitFields
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

_MOST = 10**12


class LimitUsage(NamedTuple):
    """A limit that holds, as it stands, with the rule that set it (None: the plan's); or a rule that does not hold now,
    because it is over or because another with an end goes before it."""

    rule: Rule | None
    shown: LimitView | None


class LimitsToSet(NewLimitFields, frozen=True):
    maximum: Mapping[LimitKind, int]
    until_ms: int | None = None


@WithFieldsOf(LimitsToSet)
async def put(services: ServiceContext, actor: Actor, given: LimitsToSet) -> tuple[LimitUsage, ...]:
    """Set limits, as `put_and` does."""
    return await put_and(services, actor, given)


async def put_and(
    services: ServiceContext,
    actor: Actor,
    given: LimitsToSet,
    also: Callable[[SqlRepositories], None] | None = None,
) -> tuple[LimitUsage, ...]:
    """Set a limit of each kind named. It replaces the one of the same place, kind and model: one with an end another
    with an end, so that what holds without one comes back by itself.

    On an account, a project or a key `model` narrows it to the calls of one model; alone, it limits that model whoever
    calls. A limit on a whole account stands in for the plan's, so only the operator sets it, and those on a model.
    also: what is to be written in the same transaction.

    Raises BadRequest, PathNotFound, ScopeMissing.
    """
    place = _settable(services, actor, given)
    rules = _rules(services, place, given)
    rows = [audit.entry(services, actor, "limit.set", rule.id, account_id=place.account_id) for rule in rules]

    def transaction(tables: SqlRepositories) -> list[Rule]:
        gone = []
        for rule, row in zip(rules, rows, strict=True):
            there = tables.limits.on(rule.level, rule.object_id)
            standing = [one for one in there if _replaces(rule, one)]
            maxima.require_room(
                len(there) - len(standing),
                maxima.LIMITS_MAX,
                Phrase("limits on this %(level)s", level=Phrase(rule.level)),
                "remove those not in use",
            )
            for one in standing:
                tables.limits.remove(one.id)
            gone += standing
            tables.limits.add(rule)
            tables.audit.add(audit.changed(row, standing[-1] if standing else None, rule))
        if also is not None:
            also(tables)
        return gone

    def follow(gone: list[Rule]) -> None:
        for rule in gone:
            services.rules.remove(rule.id)
        for rule in rules:
            services.rules.put(rule)

    await services.rows.change(transaction, follow)
    holding = {one.rule.id: one for one in _holding(services, place, place.model) if one.rule is not None}
    return tuple(holding.get(rule.id, LimitUsage(rule, None)) for rule in rules)


def _settable(services: ServiceContext, actor: Actor, given: LimitsToSet) -> "_LimitTarget":
    """Raises BadRequest, PathNotFound, ScopeMissing."""
    named = None if given.model is None else reach.model(services, actor, given.model)
    place = _place(services, actor, given.account, given.project, given.key, named)
    if place.level == "model" and place.object_id.endswith("*"):
        message = Phrase(
            "model: a pattern such as gpt-4* limits the calls of an account, a project or a key: name one of them"
        )
        raise BadRequest(message, param="model")
    if place.level in ("account", "model"):
        reach.require_operator(
            actor,
            translatable("set the limits of a model")
            if place.level == "model"
            else translatable("set the limits of an account"),
        )
    return place


@WithFieldsOf(LimitQuery)
async def show(services: ServiceContext, actor: Actor, given: LimitQuery) -> tuple[LimitUsage, ...]:
    """Every limit that holds over an object, those of the project and the account above it included, with what is used
    of each; then the rules on the object itself that do not hold now.

    model: only what a call to it has to pass, and its own limits; alone, those of the model itself. Nothing named: all
    that stand within the actor's reach. Raises BadRequest, PathNotFound.
    """
    account, project, key, model = given.account, given.project, given.key, given.model
    if account is project is key is None:
        if model is None:
            return await _everywhere(services, actor)
        account = actor.account_id
    named = None if model is None else services.catalogue.ids_by_alias.get(model, model)
    place = _place(services, actor, account, project, key, named)
    rules = await services.rows.read(lambda tables: tables.limits.on(place.level, place.object_id))
    if place.level == "model" and not rules:
        reach.model(services, actor, place.object_id)  # limits of a model that is sold no more are shown
    return _with_those_at_rest(_holding(services, place, place.model), rules)


async def _everywhere(services: ServiceContext, actor: Actor) -> tuple[LimitUsage, ...]:
    """Every rule there is, and what the plan sets for the actor's own account, or for the only one: of thousands, the
    plans say it shorter. Raises PathNotFound."""
    account_id = actor.account_id
    if account_id is None:
        accounts = list(services.directory.accounts.values())
        rules = await services.rows.read(lambda tables: tables.limits.list_all())
    else:
        accounts = [reach.account(services, actor, account_id)]
        rules = await services.rows.read(lambda tables: tables.limits.within(account_id))
    rules.sort(key=_by_place)
    whole: list[Object] = [("account", accounts[0].id)] if len(accounts) == 1 else []
    now_ms = services.clock.now_ms()
    holding = []
    for place in dict.fromkeys([*whole, *((rule.level, rule.object_id) for rule in rules)]):
        plan = services.rate_limiter.plan(accounts[0]) if place in whole else None
        slots = services.rules.slots((place,), plan, now_ms)
        holding += [LimitUsage(slot.rule, services.rate_limiter.shown(slot, now_ms)) for slot in slots]
    return _with_those_at_rest(holding, rules)


async def remove(services: ServiceContext, actor: Actor, rule_id: str) -> Rule:
    """What held before holds again. Raises PathNotFound, ScopeMissing for a limit of an account."""
    row = audit.entry(services, actor, "limit.remove", rule_id)

    def transaction(tables: SqlRepositories) -> Rule:
        rule = tables.limits.get(rule_id)
        owner = None if rule is None else _owner(services, rule)
        if rule is None or actor.account_id not in (None, owner):
            raise PathNotFound(Phrase("no limit %(limit)s", limit=reach.shown(rule_id)))
        if rule.level == "account":
            reach.require_operator(actor, "remove the limits of an account")
        tables.limits.remove(rule_id)
        tables.audit.add(structs.replace(row, before=structs.asdict(rule), account_id=owner))
        return rule

    return await services.rows.change(transaction, lambda rule: services.rules.remove(rule.id))


class _LimitTarget(NamedTuple):
    """What a limit stands on. `over`: all that limits its calls, from it up; `account_id` None: a model's."""

    level: LimitLevel
    object_id: str
    account_id: str | None
    model: str | None
    over: tuple[Object, ...]


def _place(
    services: ServiceContext, actor: Actor, account: str | None, project: str | None, key: str | None, model: str | None
) -> _LimitTarget:
    """`model`: by its id, or a pattern. Raises BadRequest, PathNotFound."""
    if account is project is key is None and model is not None:
        return _LimitTarget("model", model, None, None, (("model", model),))
    target = reach.target(services, actor, account, project, key)
    above: tuple[Object, ...] = (("account", target.account_id),)
    if target.level == "key":
        above = over(services.directory.keys[target.object_id])
    elif target.level == "project":
        above = ("project", target.object_id), *above
    return _LimitTarget(target.level, target.object_id, target.account_id, model, above)


def _holding(services: ServiceContext, place: _LimitTarget, model: str | None) -> list[LimitUsage]:
    """What holds now, as it stands."""
    now_ms = services.clock.now_ms()
    account: Account | None = None if place.account_id is None else services.directory.accounts[place.account_id]
    plan = None if account is None else services.rate_limiter.plan(account)
    objects = place.over if model is None else (*place.over, ("model", model))
    slots = services.rules.slots(objects, plan, now_ms, model)
    return [LimitUsage(slot.rule, services.rate_limiter.shown(slot, now_ms)) for slot in slots]


def _with_those_at_rest(holding: Sequence[LimitUsage], rules: Iterable[Rule]) -> tuple[LimitUsage, ...]:
    """What holds, and behind it the rules that do not hold now."""
    known = {one.rule.id for one in holding if one.rule is not None}
    return (*holding, *(LimitUsage(rule, None) for rule in rules if rule.id not in known))


def _rules(services: ServiceContext, place: _LimitTarget, given: LimitsToSet) -> tuple[Rule, ...]:
    """Raises BadRequest."""
    _check(given.maximum, services.rules.names)
    now_ms = services.clock.now_ms()
    if given.until_ms is not None and not now_ms < given.until_ms:
        raise BadRequest("until: this is not in the future", param="until")
    kept = fields.kept(LimitFields, given, model=place.model, note=fields.note(given.note))
    return tuple(
        Rule(
            id=services.new_id("lim"),
            level=place.level,
            object_id=place.object_id,
            kind=kind,
            most=figure,
            until_ms=given.until_ms,
            created_at_ms=now_ms,
            **kept,
        )
        for kind, figure in given.maximum.items()
    )


def _check(maximum: Mapping[LimitKind, int], kinds: Sequence[LimitKind]) -> None:
    if not maximum:
        raise BadRequest(Phrase("limits: name at least one of %(known)s", known=", ".join(kinds)), param="limits")
    for kind, figure in maximum.items():
        if kind not in kinds:
            raise BadRequest(
                Phrase(
                    "limits: %(given)s is no kind of limit; there are %(known)s",
                    given=repr(kind[:40]),
                    known=", ".join(kinds),
                ),
                param="limits",
            )
        if type(figure) is not int or not 0 <= figure <= _MOST:
            raise BadRequest(
                Phrase("%(param)s: write a whole number from 0 to %(most)s", param=kind, most=_MOST), param=kind
            )


def _replaces(new: Rule, old: Rule) -> bool:
    return (new.kind, new.model, new.until_ms is None) == (old.kind, old.model, old.until_ms is None)


def _by_place(rule: Rule) -> tuple[str, str, int, str]:
    return rule.level, rule.object_id, rule.created_at_ms, rule.id


def _owner(services: ServiceContext, rule: Rule) -> str | None:
    """The account of what a rule stands on; None: a model, which is nobody's."""
    if rule.level == "account":
        return rule.object_id
    if rule.level == "project":
        return services.directory.projects[rule.object_id].account_id
    return None if rule.level == "model" else services.directory.keys[rule.object_id].account_id
