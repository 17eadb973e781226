"""The gate: which limits a call has to pass, and passing them all or none.

Today's limits are those of the account's plan: calls in flight and calls per minute.
"""

from collections.abc import Callable
from typing import Final

from tollhouse.core.account import Account, Identity
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import RateLimited
from tollhouse.core.usage import Usage
from tollhouse.core.wire import Headers
from tollhouse.limits.level import Limit
from tollhouse.limits.parallel import Parallel
from tollhouse.limits.requests import RequestRate
from tollhouse.limits.standing import request_headers, tightest

NOWHERE: Final[tuple[Limit, ...]] = ()


class Gate:
    """See `gateway.ports.Limits`. `catalogue` gives the configuration in force, `contact` who can raise a limit."""

    def __init__(self, catalogue: Callable[[], Catalogue], contact: str = "") -> None:
        self._catalogue = catalogue
        self._contact = contact
        self._parallel = Parallel()
        self._rate = RequestRate()

    def admit(self, identity: Identity, model: Model, tokens: int, now_ms: int) -> "Pass":
        account = identity.account
        parallel, rate = self._limits(account)
        if parallel:
            self._parallel.admit(parallel, self._contact)
        if rate:
            try:
                self._rate.admit(rate, now_ms, self._contact)
            except RateLimited:
                self._parallel.release(parallel)
                raise
        return Pass(self._parallel, self._rate, parallel, rate)

    def standing(self, identity: Identity, now_ms: int) -> list[dict[str, object]]:
        parallel, rate = self._limits(identity.account)
        shown: list[dict[str, object]] = []
        for limit in parallel:
            used = self._parallel.used(limit.level, limit.id)
            shown.append(_shown("parallel_requests", limit, used, max(0, limit.most - used)))
        for limit, standing in zip(rate, self._rate.standings(rate, now_ms), strict=True):
            used = standing.limit - standing.remaining
            shown.append(_shown("requests_per_minute", limit, used, standing.remaining))
        return shown

    def forget_idle(self, now_ms: int) -> None:
        """For a timer: drop what nobody used for a minute."""
        self._rate.forget_idle(now_ms)

    def _limits(self, account: Account) -> tuple[tuple[Limit, ...], tuple[Limit, ...]]:
        plan = self._catalogue().plans.get(account.plan)
        if plan is None:
            return NOWHERE, NOWHERE
        parallel, rate = plan.parallel_requests, plan.requests_per_minute
        return (
            (Limit("account", account.id, parallel),) if parallel is not None else NOWHERE,
            (Limit("account", account.id, rate),) if rate is not None else NOWHERE,
        )


class Pass:
    """See `gateway.ports.Admission`."""

    __slots__ = ("_in_flight", "_parallel", "_per_minute", "_rate")

    def __init__(
        self, parallel: Parallel, rate: RequestRate, in_flight: tuple[Limit, ...], per_minute: tuple[Limit, ...]
    ) -> None:
        self._parallel = parallel
        self._rate = rate
        self._in_flight = in_flight
        self._per_minute = per_minute

    def headers(self, now_ms: int) -> Headers:
        standing = tightest(self._rate.standings(self._per_minute, now_ms)) if self._per_minute else None
        return [] if standing is None else list(request_headers(standing))

    def release(self, used: Usage, now_ms: int) -> None:
        if self._in_flight:
            self._parallel.release(self._in_flight)


def _shown(name: str, limit: Limit, used: int, remaining: int) -> dict[str, object]:
    return {
        "name": name,
        "level": limit.level,
        "id": limit.id,
        "limit": limit.most,
        "used": used,
        "remaining": remaining,
    }
