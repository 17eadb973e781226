"""Which models a key may call: the one predicate behind routing and behind every list of models."""

from collections.abc import Callable
from functools import lru_cache, partial

from tollhouse.core.account import Account, Identity
from tollhouse.core.catalogue import Catalogue, Model

_DEFAULT_GROUPS = ("default",)


def permission(catalogue: Catalogue, identity: Identity) -> Callable[[Model], bool]:
    """The predicate of one caller, for `routing.resolve`."""
    return partial(may_call, identity.key.models, groups_of(catalogue, identity.account))


def may_call(patterns: tuple[str, ...], groups: tuple[str, ...], model: Model) -> bool:
    """Whether a key with these allowed models, in an account with these groups, may call a model."""
    return in_groups(groups, model) and (not patterns or matches(patterns, model))


def matches(patterns: tuple[str, ...], model: Model) -> bool:
    """Whether any of the patterns allows a model: exact ids, or `prefix*`.

    An alias counts only where it is written out: a prefix that also caught aliases would let a key reach a model of
    another name as soon as the operator adds an alias.
    """
    exact, prefixes = _sorted(patterns)
    return model.id in exact or model.id.startswith(prefixes) or not exact.isdisjoint(model.aliases)


@lru_cache(maxsize=4_096)
def _sorted(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Patterns as they are, and the prefixes among them: a key may have hundreds, and there may be thousands of models
    to be judged by each."""
    return frozenset(patterns), tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))


def in_groups(groups: tuple[str, ...], model: Model) -> bool:
    for group in model.groups:  # noqa: SIM110 - once a call: a generator costs three times the loop
        if group in groups:
            return True
    return False


def open_groups(catalogue: Catalogue) -> tuple[str, ...]:
    """The groups of models that are open to everybody: those of the plan of an account for which nobody chose one."""
    plan = catalogue.plans.get("default")
    return _DEFAULT_GROUPS if plan is None else plan.groups


def groups_of(catalogue: Catalogue, account: Account) -> tuple[str, ...]:
    """The groups of models that are open to an account: its plan's (`default` where the plan is gone), and its own."""
    plan = catalogue.plans.get(account.plan)
    groups = _DEFAULT_GROUPS if plan is None else plan.groups
    return groups + account.groups if account.groups else groups
