"""Where attempts go: a provider with everything about it that does not change between calls, made once.

A changed configuration makes new destinations; a call that holds an old one finishes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tollhouse.core.catalogue import Provider
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Deadlines, Headers, Upstream, UpstreamRoute
from tollhouse.providers import Kind

KEY_CHARACTERS_MIN = 4
HEADER_CHARACTERS_MIN = 8
"""Shorter keys (`x`), and shorter values of a provider's headers, are words that may stand anywhere."""


@dataclass(slots=True, frozen=True)
class Destination:
    provider: Provider
    kind: Kind
    upstream: Upstream  # the network, or the simulator
    route: UpstreamRoute
    path: str  # what the base URL adds in front of the kind's own paths
    keys: tuple[str, ...]  # the secrets themselves: kept in memory only
    deadlines: Deadlines
    secrets: tuple[str, ...] = ()  # what no message of the provider may tell: its keys, the values of its headers

    def target(self, operation: Operation) -> bytes:
        return (self.path + self.kind.target(operation)).encode()

    def headers(self, slot: int, asked: Headers) -> Headers:
        """The head of a call with one of the keys; `asked` are the caller's headers, of which few pass."""
        return self.kind.headers(self.keys[slot] if self.keys else "", self.provider, asked)


def hidden(keys: tuple[str, ...], headers: Mapping[str, str]) -> tuple[str, ...]:
    """What no message of a provider may tell: longest first, for one may hold another."""
    values = {
        part for value in headers.values() for part in (value, *value.split()) if len(part) >= HEADER_CHARACTERS_MIN
    }
    return tuple(sorted(values.union(key for key in keys if len(key) >= KEY_CHARACTERS_MIN), key=len, reverse=True))


Destinations = dict[str, Destination]
"""By provider id."""
