"""How much work one caller may cause by calls that are refused.

A refused call is free, and it is no less work for this platform: its body was read, and perhaps decoded. So refused
calls have a limit of their own, by the bytes that they sent. A key that has used it up is refused before its body is
read, until a minute's worth flows off.
"""

from typing import Final

from tollhouse.core.account import ApiKey
from tollhouse.core.limit_status import spelled
from tollhouse.limits import bucket as buckets
from tollhouse.limits.bucket import RateBuckets
from tollhouse.limits.counter_key import CounterKey, Limit, refusal

KIB_OF_KEY: Final = 64 * 1024  # a minute: 64 MiB, or 4,096 calls without a large body
KIB_OF_ACCOUNT: Final = 4 * KIB_OF_KEY
KIB_OF_CALL: Final = 16  # what a refused call counts for at least: its head, its record, its answer

_WHAT: Final = "KiB of refused requests per minute"


class Refusals:
    """A bucket for each key and each account that was refused something in the last minute."""

    __slots__ = ("_buckets", "any")

    def __init__(self) -> None:
        self._buckets = RateBuckets()
        self.any = False  # whether anybody was refused anything in the last minute or two: `admit` need be asked

    def admit(self, key: ApiKey, now_ms: int) -> None:
        """Raises RateLimited for a key, or an account, whose refused calls have used up their limit."""
        for limit in _limits(key):
            bucket = self._buckets.at(limit, now_ms)
            if not buckets.fits(bucket, 1):
                wait_ms = buckets.wait_ms(bucket, 1) or 0
                used = limit.maximum - buckets.status(bucket).remaining
                when = f"there is room again in {spelled(wait_ms)}; mend what is refused before you send it again"
                raise refusal(limit, _WHAT, used, when, wait_ms, None)

    def count(self, key: ApiKey, body_bytes: int, now_ms: int) -> None:
        """A call was refused, or left, before a provider was asked. `body_bytes`: what came of its body."""
        self.any = True
        kib = max(KIB_OF_CALL, -(-body_bytes // 1024))
        for limit in _limits(key):
            buckets.take(self._buckets.at(limit, now_ms), kib)

    def sweep(self, now_ms: int) -> None:
        self._buckets.sweep(now_ms)
        self.any = len(self._buckets) > 0


def _limits(key: ApiKey) -> tuple[Limit, Limit]:
    return (
        Limit(CounterKey("key", key.id), KIB_OF_KEY),
        Limit(CounterKey("account", key.account_id), KIB_OF_ACCOUNT),
    )
