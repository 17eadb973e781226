"""`/api/usage/token/` and `/api/status`: what clients of new-api and one-api ask for, to read only.

They count in units of quota, 500,000 to a US dollar.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tollhouse.billing.prices import divide_half_even
from tollhouse.core.account import Identity
from tollhouse.core.amount import NANO_PER_USD
from tollhouse.edge.billing_page import BillingHandler, tell
from tollhouse.edge.exchange import Exchange
from tollhouse.services import bills
from tollhouse.services.context import ServiceContext

QUOTA_PER_USD: Final = 500_000


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """What the platform says of itself to anyone. `address`: the one people reach it by; may be empty."""

    name: str = "tollhouse"
    version: str = ""
    address: str = ""


async def token(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
    """What is left under whatever binds the key. granted = used + available."""
    key, shown = identity.key, (await bills.subscription(services, identity)).shown
    used, available = quota(shown.used), quota(shown.left)
    data = {
        "object": "token_usage",
        "name": key.name,
        "total_granted": used + available,
        "total_used": used,
        "total_available": available,
        "unlimited_quota": shown.binds == "nothing",
        "model_limits": dict.fromkeys(key.models, True),
        "model_limits_enabled": bool(key.models),
        "expires_at": 0 if key.expires_at_ms is None else key.expires_at_ms // 1000,
    }
    await tell(exchange, {"code": True, "message": "ok", "data": data})


async def status(about: PlatformInfo, exchange: Exchange) -> None:
    """For anyone."""
    data = {
        "version": about.version,
        "system_name": about.name,
        "server_address": about.address,
        "quota_per_unit": QUOTA_PER_USD,
        "display_in_currency": True,
        "quota_display_type": "USD",
    }
    await tell(exchange, {"success": True, "message": "", "data": data})


def quota(amount: int) -> int:
    """Nano-USD in units of quota, rounded half-even."""
    return divide_half_even(amount, NANO_PER_USD // QUOTA_PER_USD)


PAGES: Final[Mapping[str, BillingHandler]] = {"new_api_token": token}
