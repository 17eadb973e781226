"""Finding the alert channels: every module of a package that holds a `CHANNEL`."""

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from tollhouse.core.channel import Channel, Channels
from tollhouse.outbound.channel import AlertChannel

HERE = __name__.rpartition(".")[0]


def alert_channels(*packages: str) -> Mapping[Channel, AlertChannel]:
    """The channels in packages named by their dotted names, in the order of the channels' names; none named: those that
    come with the platform. Raises ValueError for two that cannot be told apart."""
    found: list[AlertChannel] = []
    for package in packages or (HERE,):
        for entry in pkgutil.iter_modules(import_module(package).__path__):
            channel = getattr(import_module(f"{package}.{entry.name}"), "CHANNEL", None)
            if isinstance(channel, AlertChannel):
                found.append(channel)
    found.sort(key=lambda channel: channel.bounds.name)
    bounds_of(found)
    return MappingProxyType({channel.bounds.name: channel for channel in found})


def platform_channels() -> Channels:
    """What is to be known of the channels that come with the platform."""
    return bounds_of(alert_channels().values())


def bounds_of(channels: Iterable[AlertChannel]) -> Channels:
    """What the services and the store have to know of these channels. Raises ValueError as `Channels` does."""
    return Channels(channel.bounds for channel in channels)
