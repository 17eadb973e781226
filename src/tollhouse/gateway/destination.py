"""Where attempts go: a provider with everything about it that does not change between calls, made once.

A changed configuration makes new destinations; a call that holds an old one finishes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from msgspec import structs

from tollhouse.core.catalogue import Provider, TextFormat
from tollhouse.core.failure import BadRequest, Failure, UpstreamRefusedKey
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Deadlines, Headers, Upstream, UpstreamRequest, UpstreamRoute
from tollhouse.providers import Kind
from tollhouse.providers.credentials import Credential, RefreshingToken
from tollhouse.providers.kind import UpstreamTarget

TARGETS_MAX = 1_024
"""Endpoints that are kept. The names of test-mode calls are any."""
KEY_CHARACTERS_MIN = 4
PART_CHARACTERS_MIN = 8
"""Shorter keys (`x`), and shorter parts of a key (`ID:SECRET`) and values of a provider's headers, are words that may
stand anywhere."""


@dataclass(slots=True, frozen=True)
class Destination:
    """`tokens`: one a key, of a kind whose credentials end. `speaks` and `operations` follow from kind and provider.
    `_targets`: endpoints that were asked for: each is found once."""

    provider: Provider
    kind: Kind
    upstream: Upstream  # the network, or the simulator
    route: UpstreamRoute
    path: str  # what the base URL adds in front of the kind's own paths
    keys: tuple[str, ...]  # the secrets themselves: kept in memory only
    deadlines: Deadlines
    secrets: tuple[str, ...] = ()  # what no message of the provider may tell: its keys, the values of its headers
    tokens: tuple[RefreshingToken, ...] = ()
    _targets: dict[tuple[Operation, str, str, bool], UpstreamTarget] = field(default_factory=dict, compare=False)
    speaks: tuple[TextFormat, ...] = field(init=False)
    operations: frozenset[Operation] = field(init=False)  # what it can be asked for

    def __post_init__(self) -> None:
        speaks = self.kind.spoken_by(self.provider)
        object.__setattr__(self, "speaks", speaks)
        object.__setattr__(self, "operations", self.kind.operations(speaks))

    def target(self, operation: Operation, wire: str, model: str, stream: bool) -> UpstreamTarget:
        """The endpoint for a call that was asked in the format `wire`: one that speaks it, if there is one. Its path
        begins with that of the base URL.

        Raises BadRequest where the kind has no endpoint for it; routing leaves out before what `operations` does not
        name.
        """
        asked = operation, wire, model, stream
        if (known := self._targets.get(asked)) is not None:
            return known
        choose, best = self.kind.target, wire
        if wire not in self.speaks and not self.provider.speaks and self.kind.translated_to is not None:
            best = self.kind.translated_to(model) or wire
        target = choose(operation, model, stream, (best,)) if best in self.speaks else None
        target = target or choose(operation, model, stream, self.speaks)
        if target is None:
            raise BadRequest(f"This model does not serve {operation}.", param="model")
        if len(self._targets) >= TARGETS_MAX:
            self._targets.clear()
        self._targets[asked] = found = structs.replace(target, path=self.path + target.path)
        return found

    def headers(self, slot: int, asked: Headers) -> Headers:
        """The head of a call with one of the keys; `asked` are the caller's headers, of which few pass."""
        return self.kind.make_headers(self.keys[slot] if self.keys else "", self.provider, asked)

    async def sign(self, slot: int, call: UpstreamRequest, now_ms: int) -> str:
        """Replace the headers of `call` by those that sign it, for a kind that does; gives the token that was used.
        Raises the Failure of a token that cannot be got. Suspends only while one is got."""
        if self.kind.sign is None:
            return ""
        token = await self.tokens[slot].get(now_ms) if self.tokens else ""
        call.headers = await self.kind.sign(Credential(self.keys[slot] if self.keys else "", token), call, now_ms)
        return token

    def refused(self, slot: int, failure: Failure, began_ms: int) -> None:
        """An attempt that began then failed. Where the credentials were refused, their token is not used again."""
        if self.tokens and isinstance(failure, UpstreamRefusedKey):
            self.tokens[slot].refused(began_ms)


def deadlines_of(provider: Provider) -> Deadlines:
    seconds = provider.connect_seconds, provider.first_byte_seconds, provider.idle_seconds, provider.total_seconds
    return Deadlines(*(each * 1_000 for each in seconds))


def hidden(keys: tuple[str, ...], headers: Mapping[str, str]) -> tuple[str, ...]:
    """What no message of a provider may tell: longest first, for one may hold another."""
    parts = [part for value in headers.values() for part in (value, *value.split())]
    parts += [part for key in keys for part in key.partition(":")]
    values = {part for part in parts if len(part) >= PART_CHARACTERS_MIN}
    return tuple(sorted(values.union(key for key in keys if len(key) >= KEY_CHARACTERS_MIN), key=len, reverse=True))


Destinations = dict[str, Destination]
"""By provider id."""


def with_tokens_of(before: Destinations, now: Destinations) -> Destinations:
    """The new destinations, those of unchanged providers with the tokens that they had: a change of the configuration
    makes nobody ask for tokens anew."""

    def kept(new: Destination) -> Destination:
        old = before.get(new.provider.id)
        same = old is not None and (old.provider, old.keys) == (new.provider, new.keys)
        return replace(new, tokens=old.tokens) if old is not None and same and new.tokens else new

    return {name: kept(new) for name, new in now.items()}
