"""A key that is made with its budget and its limits: with all of them, or not at all."""

from collections.abc import Mapping

from tollhouse.core.audit import Actor
from tollhouse.core.failure import Failure
from tollhouse.core.limit import LimitKind
from tollhouse.services import budgets, keys, limits
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.budgets import NewBudget
from tollhouse.services.keys import KeyToMake, NewSecret

_UNDONE = "its budget or its limits could not be set"


async def create(
    services: ServiceContext,
    actor: Actor,
    wanted: KeyToMake,
    budget: NewBudget | None,
    maximum: Mapping[LimitKind, int],
) -> NewSecret:
    """budget: on the key that is made, whatever it names. A key whose bounds are refused is revoked again before
    anybody has its secret. Raises what `keys.create`, `budgets.put` and `limits.put` raise."""
    made = await keys.create(
        services,
        actor,
        name=wanted.name,
        mode=wanted.mode,
        account=wanted.account,
        project=wanted.project,
        scopes=wanted.scopes,
        models=wanted.models,
        networks=wanted.networks,
        tags=wanted.tags,
        expires_at_ms=wanted.expires_at_ms,
    )
    try:
        if budget is not None:
            await budgets.put(
                services, actor, amount_usd=budget.amount_usd, window=budget.window, soft=budget.soft, key=made.key.id
            )
        if maximum:
            await limits.put(services, actor, maximum, key=made.key.id)
    except Failure:
        await keys.revoke(services, actor, made.key.id, _UNDONE)
        raise
    return made
