"""Hashing passwords, in threads: each takes 19 MiB and a core for some 40 ms, so few run at once, and few may wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tollhouse.access.passwords import LENGTH_MAX
from tollhouse.core.failure import Overloaded

AT_ONCE: Final = 2
WAITING_MAX: Final = 50
"""The last of them waits for about a second."""

# argon2id with OWASP's least memory: several sign-ins at once must not double the server's.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Of no password. Whoever has no account is compared with it, so that the answer takes as long; a test compares costs.
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class PasswordHashing:
    """A queue for the work. Both actions raise Overloaded where too many wait already.

    nobody: a hash of no password, as dear as those of the hasher."""

    def __init__(self, hasher: PasswordHasher = HASHER, nobody: str = NOBODY) -> None:
        self._hasher = hasher
        self.nobody = nobody
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        async with self._place():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, kept: str, password: str) -> bool:
        async with self._place():
            return await asyncio.to_thread(_verify, self._hasher, kept, password[: LENGTH_MAX + 1])

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_MAX:
            raise Overloaded(
                "so many people sign in at this moment that yours was not looked at: try again in a few seconds",
                retry_after_ms=3_000,
            )
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()


def _verify(hasher: PasswordHasher, kept: str, password: str) -> bool:
    try:
        return hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
