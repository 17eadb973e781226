"""`/v1/dashboard/billing/*`: the bill as tools read it that were written for the original's old billing pages.

They compute `hard_limit_usd - total_usage / 100` and call it the balance. Money is a JSON number with a point, rounded
to six decimals; nothing that they compute with is null.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from tollhouse.billing.grants import Grant
from tollhouse.billing.subscription import cents_number, usd_number
from tollhouse.core.account import Identity
from tollhouse.core.failure import BadRequest
from tollhouse.edge.billing_page import BillingHandler, number, tell
from tollhouse.edge.exchange import Exchange
from tollhouse.services import bills
from tollhouse.services.context import ServiceContext

_FIELDS_MAX: Final = 50


async def subscription(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
    standing = await bills.subscription(services, identity)
    shown, plan = standing.shown, identity.account.plan
    body = {
        "object": "billing_subscription",
        "has_payment_method": True,
        "canceled": standing.canceled,
        "canceled_at": None if standing.canceled_at_ms is None else standing.canceled_at_ms // 1000,
        "delinquent": None,
        "access_until": _seconds(identity.key.expires_at_ms),
        "soft_limit_usd": _usd(shown.soft),
        "hard_limit_usd": _usd(shown.hard),
        "system_hard_limit_usd": _usd(shown.system_hard),
        "plan": {"title": plan, "id": plan},
        "account_name": identity.account.name,
        "tollhouse": {
            "scope": shown.scope,
            "limit_usd": _usd(shown.limit),
            "used_usd": _usd(shown.used),
            "held_usd": _usd(shown.held),
            "remaining_usd": _usd(shown.left),
            "window": shown.window,
            "resets_at": _seconds(shown.resets_at_ms),
        },
    }
    await tell(exchange, body)


async def usage(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
    # Tools add parameters of their own against caches; of a date that is given twice the last one counts.
    try:
        asked = dict(parse_qsl(exchange.query.decode("latin-1"), max_num_fields=_FIELDS_MAX))
    except ValueError:
        raise BadRequest(f"The query of this request has more than {_FIELDS_MAX} parameters.") from None
    bill = await bills.spent(services, identity, asked.get("start_date"), asked.get("end_date"))
    body = {
        "object": "list",
        "total_usage": _cents(bill.total),
        "daily_costs": [
            {
                "timestamp": day.start_ms // 1000,
                "line_items": [{"name": model, "cost": _cents(day.by_model[model])} for model in sorted(day.by_model)],
            }
            for day in bill.days
        ],
    }
    await tell(exchange, body)


async def credit_grants(services: ServiceContext, exchange: Exchange, identity: Identity) -> None:
    summed, found = await bills.credits_of(services, identity)
    body = {
        "object": "credit_summary",
        "total_granted": _usd(summed.granted),
        "total_used": _usd(summed.used),
        "total_available": _usd(summed.available),
        "grants": {"object": "list", "data": [_grant(one) for one in found]},
    }
    await tell(exchange, body)


def _grant(grant: Grant) -> Mapping[str, object]:
    return {
        "object": "credit_grant",
        "id": grant.id,
        "grant_amount": _usd(grant.amount),
        "used_amount": _usd(grant.used),
        "effective_at": _seconds(grant.effective_at_ms),
        "expires_at": _seconds(grant.expires_at_ms),
    }


def _usd(amount: int) -> msgspec.Raw:
    return number(usd_number(amount))


def _cents(amount: int) -> msgspec.Raw:
    return number(cents_number(amount))


def _seconds(time_ms: int | None) -> int:
    """Unix seconds; 0 for never."""
    return 0 if time_ms is None else time_ms // 1000


PAGES: Final[Mapping[str, BillingHandler]] = {
    "billing_subscription": subscription,
    "billing_usage": usage,
    "billing_credit_grants": credit_grants,
}
