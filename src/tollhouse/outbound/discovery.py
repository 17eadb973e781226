"""Finding the alert channels: every module of a package that holds a `CHANNEL`."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tollhouse.core.channel import Channel, Channels
from tollhouse.core.discovery import declared
from tollhouse.outbound.channel import AlertChannel

HERE = __name__.rpartition(".")[0]


def alert_channels(*packages: str) -> Mapping[Channel, AlertChannel]:
    """The channels in packages named by their dotted names, in the order of the channels' names; none named: those that
    come with the platform. Raises ValueError for two that cannot be told apart."""
    found = sorted(declared(packages or (HERE,), "CHANNEL", AlertChannel), key=lambda channel: channel.bounds.name)
    bounds_of(found)
    return MappingProxyType({channel.bounds.name: channel for channel in found})


def platform_channels() -> Channels:
    """What is to be known of the channels that come with the platform."""
    return bounds_of(alert_channels().values())


def bounds_of(channels: Iterable[AlertChannel]) -> Channels:
    """What the services and the store have to know of these channels. Raises ValueError as `Channels` does."""
    return Channels(channel.bounds for channel in channels)
