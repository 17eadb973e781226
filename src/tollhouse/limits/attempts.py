"""How often a minute something may be tried that must not be guessed, such as a redeem code.

Each attempt counts, right or wrong, on whoever makes it and on the address he makes it from.
"""

from typing import Final

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import spelled
from tollhouse.core.phrase import Phrase
from tollhouse.limits.addresses import network_of
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.requests import RequestRate

PER_MINUTE: Final = 10


class Attempts:
    """`what`: what is tried, as "attempts to redeem a code"."""

    __slots__ = ("_rate", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._rate = RequestRate(f"{what} per minute")

    def admit(self, account_id: str | None, address: str | None, now_ms: int) -> None:
        """Count an attempt, on whichever of the two is known. Raises RateLimited; then it is counted nowhere."""
        limits = [] if account_id is None else [Limit(CounterKey("account", account_id), PER_MINUTE)]
        network = None if address is None else network_of(address)
        if network is not None:
            limits.append(Limit(CounterKey("address", network), PER_MINUTE))
        try:
            self._rate.take(self._rate.check(limits, 1, now_ms))
        except RateLimited as refused:
            refused.phrase = Phrase(
                "The limit of %(most)s %(what)s per minute is reached; there is room again in %(wait)s.",
                most=PER_MINUTE,
                what=Phrase(self._what),
                wait=spelled(refused.retry_after_ms or 0),
            )
            raise

    def sweep(self, now_ms: int) -> None:
        self._rate.sweep(now_ms)
