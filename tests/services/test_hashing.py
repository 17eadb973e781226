"""Passwords are hashed few at once, and whoever would wait too long is told so at once."""

import asyncio

import pytest

from tollhouse.core.failure import Overloaded
from tollhouse.services.hashing import AT_ONCE, NOBODY, WAITING_MAX, PasswordHashing


def test_queue_is_bounded_and_goes_on() -> None:
    async def scenario() -> None:
        hashing = PasswordHashing()
        tasks = [asyncio.create_task(hashing.is_right(NOBODY, "x")) for _ in range(AT_ONCE + WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as caught:
            await hashing.is_right(NOBODY, "x")
        assert caught.value.retry_after_ms
        for task in tasks[AT_ONCE:]:
            task.cancel()  # who waits and leaves frees a place
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await hashing.is_right(await hashing.hash("a b c"), "a b c")

    asyncio.run(scenario())
