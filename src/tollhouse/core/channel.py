"""What the platform has to know of an alert channel to bound it and to choose it: the part of its declaration that the
pure rules, the rows and the services read. What sends stands in `outbound/`, one file a channel."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

Channel = str
"""The name of an alert channel, as rows hold it; `none` where a notice has nobody to go to."""


class ChannelBounds(Struct, frozen=True, kw_only=True):
    """`schemes`: of the URLs that are its addresses; none: mail addresses. `signed`: each budget signs what it sends
    there with a secret of its own. `per_day`: deliveries that one account may cause in a day of UTC. `in_all`, `each`:
    deliveries under way at once, in all and of one account. `fold_mark`: tells the hourly notice of what was folded on
    this channel from those of others; it stands in rows, so it never changes, and no two channels have the same."""

    name: Channel
    schemes: tuple[str, ...] = ()
    signed: bool = False
    per_day: int
    in_all: int
    each: int
    fold_mark: int


class Channels:
    """The channels of this platform. Immutable. Raises ValueError for two that cannot be told apart."""

    __slots__ = ("by_name", "by_scheme")

    def __init__(self, channels: Iterable[ChannelBounds] = ()) -> None:
        by_name: dict[Channel, ChannelBounds] = {}
        by_scheme: dict[str, ChannelBounds] = {}
        for one in channels:
            if one.name in by_name or by_scheme.keys() & set(one.schemes):
                raise ValueError(f"two alert channels have the name or a scheme of {one.name}")
            if any(one.fold_mark == other.fold_mark for other in by_name.values()):
                raise ValueError(f"two alert channels have the fold_mark of {one.name}")
            by_name[one.name] = one
            by_scheme.update((scheme, one) for scheme in one.schemes)
        self.by_name: Mapping[Channel, ChannelBounds] = MappingProxyType(by_name)
        self.by_scheme: Mapping[str, ChannelBounds] = MappingProxyType(by_scheme)

    def of(self, url: str) -> ChannelBounds | None:
        """The channel that a URL names by its scheme; None: no channel of this platform takes it."""
        scheme, separator, _ = url.partition("://")
        return self.by_scheme.get(scheme) if separator else None


NO_CHANNELS: Final = Channels()
"""Nothing leaves: for a database that is opened to look at it, and for tests of other things."""
