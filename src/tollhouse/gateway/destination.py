"""Where attempts go: a provider with everything about it that does not change between calls, made once.

A changed configuration makes new destinations; a call that holds an old one finishes with it.
"""

from dataclasses import dataclass

from tollhouse.core.catalogue import Provider
from tollhouse.core.operation import Operation
from tollhouse.core.wire import Deadlines, Headers, Route, Upstream
from tollhouse.providers import Kind

SECRET_CHARACTERS_MIN = 8
"""Shorter values of a provider's headers are words that may stand anywhere."""


@dataclass(slots=True, frozen=True)
class Destination:
    provider: Provider
    kind: Kind
    upstream: Upstream  # the network, or the simulator
    route: Route
    path: str  # what the base URL adds in front of the kind's own paths
    keys: tuple[str, ...]  # the secrets themselves: kept in memory only
    deadlines: Deadlines
    secrets: tuple[str, ...] = ()  # what no message of the provider may tell: its keys, the values of its headers

    def target(self, operation: Operation) -> bytes:
        return (self.path + self.kind.target(operation)).encode()

    def headers(self, slot: int, asked: Headers) -> Headers:
        """The head of a call with one of the keys; `asked` are the caller's headers, of which few pass."""
        return self.kind.headers(self.keys[slot] if self.keys else "", self.provider, asked)


Destinations = dict[str, Destination]
"""By provider id."""
