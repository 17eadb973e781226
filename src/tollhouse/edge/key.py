"""`/v1/key`: who am I, what may I still spend. Answers also when the key is frozen or its account suspended."""

from tollhouse.access.models import permission
from tollhouse.billing.holds import SpendingCounter
from tollhouse.core.account import Account, Identity
from tollhouse.core.amount import format_usd
from tollhouse.edge.billing_page import tell
from tollhouse.edge.exchange import Exchange
from tollhouse.routing.resolve import callable_models
from tollhouse.services.context import ServiceContext


async def whoami(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
    now_ms = services.clock.now_ms()
    key, account, project = identity.key, identity.account, identity.project
    models = callable_models(services.catalogue, permission(services.catalogue, identity), now_ms)
    body = {
        "object": "key",
        "id": key.id,
        "name": key.name,
        "mode": key.mode,
        "state": key.state,
        "last4": identity.secret.last4,
        "scopes": key.scopes,
        "account": {"id": account.id, "name": account.name, "state": account.state},
        "project": {"id": project.id, "name": project.name},
        "created_at": key.created_at_ms // 1000,
        "expires_at": _seconds(key.expires_at_ms),
        "secret_valid_until": _seconds(identity.secret.valid_until_ms),
        "networks": key.networks,
        "tags": key.tags,
        "limits": await services.rate_limiter.status(identity, now_ms),
        "budgets": [_budget(counter) for counter in services.counters.standing(key, now_ms)],
        "balance": await _balance(services, account),
        "models": [model.id for model in models],
    }
    await tell(exchange, body)


def _budget(counter: SpendingCounter) -> dict[str, object]:
    """Money is decimal USD as text. `remaining_usd`: what further calls may cost, hence never below nothing."""
    return {
        "id": counter.id,
        "level": counter.level,
        "of_id": counter.object_id,
        "window": counter.window,
        "model": counter.model,
        "limit_usd": format_usd(counter.limit or 0),
        "used_usd": format_usd(counter.spent),
        "held_usd": format_usd(counter.held),
        "remaining_usd": format_usd(counter.left() or 0),
        "resets_at": _seconds(counter.resets_at_ms),
        "managed_by_operator": counter.system,
    }


async def _balance(services: ServiceContext, account: Account) -> dict[str, object]:
    """available = balance + credit limit - held; where credit is unlimited, so is what is available."""
    money = services.counters.money(account.id)
    if account.credit_limit is None or money.limit is None:
        balance = (await services.rows.read(lambda tables: tables.ledger.money(account.id))).balance
        credit_limit = available = "unlimited"
    else:
        balance = money.limit - account.credit_limit - money.spent
        credit_limit = format_usd(account.credit_limit)
        available = format_usd(money.limit - money.spent - money.held)
    return {
        "balance_usd": format_usd(balance),
        "credit_limit_usd": credit_limit,
        "held_usd": format_usd(money.held),
        "available_usd": available,
    }


def _seconds(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms // 1000
