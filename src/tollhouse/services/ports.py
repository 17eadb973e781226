"""What the services need of the world outside, as ports: `store` and `outbound` have the real ones, tests have others.

The rows that an action works on are no port: they are the families of `store`, good for one transaction, in the thread
that runs it.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from tollhouse.core.channel import Channel
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.store.readers import DEADLINE_MS
from tollhouse.store.tables import SqlRepositories

T = TypeVar("T")


class Transactions(Protocol):
    async def change(self, transaction: Callable[[SqlRepositories], T], after: Callable[[T], None] | None = None) -> T:
        """Run `action` in one transaction; return its answer once it is durable. `action` may run twice, so it changes
        nothing but rows; `after` is called with the answer on the event loop, in the order of the commits, also if the
        caller was cancelled. Raises what `action` raises, Conflict, Overloaded."""
        ...

    async def read(self, question: Callable[[SqlRepositories], T], deadline_ms: int = DEADLINE_MS) -> T:
        """Ask in one transaction that cannot write and sees one state. Raises Overloaded, and what `question`
        raises."""
        ...


class DeliveryPort(Protocol):
    """What leaves the platform for people. Nothing here raises: what went wrong is an answer."""

    async def deliver(self, channel: Channel, outgoing: Outgoing) -> DeliveryResult:
        """One try on a channel that `channels` of the services names."""
        ...

    def refuses(self, url: str) -> str | None:
        """Why nothing can be sent to the address of a webhook or a chat service, as far as its text tells."""
        ...
