"""The calls that pages make and that are under way: how many an account may have, and when one of them is over."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tollhouse.core.failure import RateLimited

PER_ACCOUNT_MAX: Final = 8
TOGETHER_MAX: Final = 200


class PageCalls:
    """Beside the limits of its key, a call of a page takes one of the account's places here."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, str], asyncio.Event] = {}  # by account and request

    @contextmanager
    def under_way(self, account_id: str, request_id: str) -> Iterator[None]:
        """Raises RateLimited where too many are."""
        own = sum(account == account_id for account, _ in self._ends)
        if own >= PER_ACCOUNT_MAX or len(self._ends) >= TOGETHER_MAX:
            raise RateLimited(
                "too many calls of pages are under way: wait for one of them, or stop it", retry_after_ms=5_000
            )
        end = self._ends[account_id, request_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._ends[account_id, request_id]
            end.set()

    async def over(self, account_id: str, request_id: str, seconds_max: float) -> bool:
        """Wait until a call of the account is over and written down, if it is under way; so long at most. False: it is
        still under way."""
        end = self._ends.get((account_id, request_id))
        if end is None:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), seconds_max)
        return end.is_set()
