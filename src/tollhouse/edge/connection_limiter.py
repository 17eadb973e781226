"""How many connections there may be: of one client address, and in all.

One address that takes all it may leaves room for others. Where all places are taken, connections that wait for nothing
but their client (idle ones, and those in the middle of a head) make room for new ones: those of the address that has
the most, and of these the longest wait first. Whoever has few connections keeps them, however long they are idle.
"""

import resource
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from tollhouse.core.failure import Overloaded, RateLimited
from tollhouse.limits.addresses import network_of

_MADE_AT_ONCE: Final = 64  # places at most, and a quarter of those who wait: looking for them takes time


def places(wanted: int) -> int:
    """As many of the wanted connections as open files allow, when each may need one more to a provider."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed // 2)


class LimitedConnection(Protocol):
    """A connection, as the crowd sees it. `waits_since_ns`: None while a request runs."""

    @property
    def address(self) -> str | None: ...

    @property
    def waits_since_ns(self) -> int | None: ...

    def shutdown(self) -> None: ...


class ConnectionLimiter:
    """Belongs to one listener. `trusts`: whether an address is a proxy's, which brings the connections of many."""

    __slots__ = ("_by_address", "_connections_max", "_count", "_made", "_per_address_max", "_trusts")

    def __init__(
        self, connections_max: int, per_address_max: int, trusts: Callable[[str], bool] = lambda address: False
    ) -> None:
        self._connections_max = connections_max
        self._per_address_max = per_address_max
        self._trusts = trusts
        self._by_address: dict[str, int] = {}
        self._count = 0
        self._made = 0  # places of connections that are closing: who comes meanwhile need not look for more

    def enter(self, address: str | None, others: Iterable[LimitedConnection]) -> None:
        """Count a new connection; the caller of this counts it off by `leave`, also one that was refused.

        address: None for a socket file, which is nobody's. Raises RateLimited where the address has too many, and
        Overloaded where all have, and none waits.
        """
        self._count += 1
        network = None if address is None else network_of(address)
        if network is not None:
            mine = self._by_address[network] = self._by_address.get(network, 0) + 1
            if mine > self._per_address_max and address is not None and not self._trusts(address):
                raise RateLimited(
                    f"There are {self._per_address_max} connections from the address {network} already: use them again,"
                    " or close some.",
                    retry_after_ms=1_000,
                )
        if self._count > self._connections_max:
            if not self._made:
                self._made = self._make_room(others)
            if not self._made:
                raise Overloaded(
                    "This platform has as many connections as it can serve: try again.", retry_after_ms=1_000
                )
            self._made -= 1

    def leave(self, address: str | None) -> None:
        self._count -= 1
        if self._count <= self._connections_max:
            self._made = 0
        network = None if address is None else network_of(address)
        if network is not None:
            left = self._by_address[network] - 1
            if left:
                self._by_address[network] = left
            else:
                del self._by_address[network]

    def _make_room(self, others: Iterable[LimitedConnection]) -> int:
        """Close connections that wait; how many. Takes 3 ms where 10,000 do."""
        having: dict[str | None, int] = {None: 0}  # connections of each address, by its text: places take time to tell
        waiting = []
        for member in others:
            if (since := member.waits_since_ns) is None:
                continue
            address = member.address
            if address not in having:
                having[address] = self._by_address.get(network_of(address) or "", 0) if address else 0
            waiting.append((-having[address], since, id(member), member))
        waiting.sort()
        closing = waiting[: min(_MADE_AT_ONCE, -(-len(waiting) // 4))]
        for _, _, _, member in closing:
            member.shutdown()
        return len(closing)
