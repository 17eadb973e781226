"""Work that must not hold up the event loop, as a port: `threads.py` has what does it, `app.py` hands it out."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    """Runs work of many accounts in few threads, and is fair among the accounts."""

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        """Run `work` in a thread and return what it returns. Raises what it raises; Overloaded if this account already
        has as much work waiting as one account may."""
        ...
