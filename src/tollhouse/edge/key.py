"""`/v1/key`: who am I. The key itself is enough to ask, also when it may do nothing else."""

import msgspec

from tollhouse.access.judge import present_and_recognise
from tollhouse.access.models import permission
from tollhouse.core.operation import Dialect
from tollhouse.edge.exchange import JSON, Exchange
from tollhouse.gateway.ports import House
from tollhouse.routing.resolve import callable_models

_encode = msgspec.json.Encoder().encode


async def whoami(house: House, exchange: Exchange, dialect: Dialect, address: str, path: str, now_ms: int) -> None:
    identity = present_and_recognise(
        exchange.headers,
        exchange.scope["query_string"],
        gemini_query_allowed=False,
        find=house.keys.find,
        now_ms=now_ms,
    )
    key, account, project = identity.key, identity.account, identity.project
    models = callable_models(house.catalogue, permission(house.catalogue, identity), now_ms)
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
        "limits": house.limits.standing(identity, now_ms),
        "models": [model.id for model in models],
    }
    await exchange.whole(200, [JSON, (b"cache-control", b"no-store")], _encode(body))


def _seconds(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms // 1000
