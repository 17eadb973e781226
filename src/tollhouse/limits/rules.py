"""Which limits a call has to pass: those of the account's plan, and the rules that people set beside them.

Of one place and kind one limit holds: the rule with an end that comes first, while it lasts; else the rule without an
end; else, on an account and for every model, the plan's. A limit raised until a date then falls back by itself.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.account import ApiKey, Identity
from tollhouse.core.catalogue import Plan
from tollhouse.core.limit import LimitKind, LimitLevel, Rule
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.discovery import limit_kinds
from tollhouse.limits.kind import LimitKindSpec

_REMEMBERED_MAX: Final = 10_000  # callers and models; beyond it everything is looked up anew

Object = tuple[LimitLevel, str]
"""What a limit stands on: its level and its id."""


class Slot(Struct, frozen=True):
    """One limit in force, and the rule that set it; None: the plan."""

    kind: LimitKind
    limit: Limit
    rule: Rule | None = None


class ApplicableLimits(Struct, frozen=True):
    """What a call has to pass, while it is before `until_ms` and the account has this plan. `by_kind`: only the kinds
    of which there is a limit, by their places in the order of kinds."""

    by_kind: tuple[tuple[int, tuple[Limit, ...]], ...]
    plan: Plan | None
    until_ms: int | None
    names: tuple[LimitKind, ...]

    def of(self, kind: LimitKind) -> tuple[Limit, ...]:
        """The limits of one kind."""
        return dict(self.by_kind).get(self.names.index(kind), ())


class Rules:
    """The stored rules, in memory; whoever changes them puts and removes them here too."""

    def __init__(self, rules: Iterable[Rule] = (), kinds: Sequence[LimitKindSpec] | None = None) -> None:
        """kinds: those that count, in their order; None: those that come with the platform. A rule of another kind is
        kept, and does not hold."""
        self.kinds = tuple(limit_kinds() if kinds is None else kinds)
        self.names: tuple[LimitKind, ...] = tuple(kind.name for kind in self.kinds)
        self._by_id: dict[str, Rule] = {}
        self._by_object: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._remembered: dict[tuple[str, str], ApplicableLimits] = {}
        for rule in rules:
            self.put(rule)

    def put(self, rule: Rule) -> None:
        """Add a rule, or replace the one with its id."""
        self.remove(rule.id)
        self._by_id[rule.id] = rule
        counter_key = rule.level, rule.object_id
        self._by_object[counter_key] = (*self._by_object.get(counter_key, ()), rule)

    def remove(self, rule_id: str) -> None:
        """Forget a rule; one that is not known is forgotten already."""
        self._remembered.clear()
        rule = self._by_id.pop(rule_id, None)
        if rule is not None:
            counter_key = rule.level, rule.object_id
            rest = tuple(other for other in self._by_object[counter_key] if other.id != rule_id)
            if rest:
                self._by_object[counter_key] = rest
            else:
                del self._by_object[counter_key]

    def of(self, identity: Identity, model: str, plan: Plan | None, now_ms: int) -> ApplicableLimits:
        """What a call of this caller to this model has to pass now."""
        counter_key = identity.key.id, model
        found = self._remembered.get(counter_key)
        if found is None or found.plan is not plan or (found.until_ms is not None and now_ms >= found.until_ms):
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[counter_key] = self._found(identity, model, plan, now_ms)
        return found

    def slots(self, objects: Sequence[Object], plan: Plan | None, now_ms: int, model: str | None = None) -> list[Slot]:
        """Every limit that holds on these objects. `plan`: of the account among them. `model`: only those that a call
        to it has to pass."""
        slots: dict[tuple[CounterKey, LimitKind], Slot] = {}
        for counter_key in objects:
            for rule in self._by_object.get(counter_key, ()):
                if rule.kind not in self.names:
                    continue
                if (rule.until_ms is None or now_ms < rule.until_ms) and _counts(rule, model):
                    at = CounterKey(rule.level, rule.object_id, rule.model or "")
                    before = slots.get((at, rule.kind))
                    if before is None or before.rule is None or _goes_first(rule) < _goes_first(before.rule):
                        slots[at, rule.kind] = Slot(rule.kind, Limit(at, rule.most), rule)
        for at in [CounterKey(level, object_id) for level, object_id in objects if level == "account"]:
            for kind in self.names:
                maximum = getattr(plan, kind, None) if plan is None or kind not in plan.limits else plan.limits[kind]
                if maximum is not None:
                    slots.setdefault((at, kind), Slot(kind, Limit(at, maximum)))
        return list(slots.values())

    def _found(self, identity: Identity, model: str, plan: Plan | None, now_ms: int) -> ApplicableLimits:
        slots = self.slots((*over(identity.key), ("model", model)), plan, now_ms, model)
        found = (tuple(slot.limit for slot in slots if slot.kind == name) for name in self.names)
        by_kind = tuple((place, limits) for place, limits in enumerate(found) if limits)
        ends = [slot.rule.until_ms for slot in slots if slot.rule is not None and slot.rule.until_ms is not None]
        return ApplicableLimits(by_kind, plan, min(ends, default=None), self.names)


def over(key: ApiKey) -> tuple[Object, ...]:
    """What a caller's limits stand on, from the key up."""
    return ("key", key.id), ("project", key.project_id), ("account", key.account_id)


def _counts(rule: Rule, model: str | None) -> bool:
    if rule.model is None or model is None:
        return True
    return model.startswith(rule.model[:-1]) if rule.model.endswith("*") else model == rule.model


def _goes_first(rule: Rule) -> tuple[bool, int, int]:
    """Sooner ends go before later ones, and those before none; of equals the newer one."""
    return rule.until_ms is None, rule.until_ms or 0, -rule.created_at_ms
