"""What the actions of the control API have at hand."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tollhouse.edge.recent_requests import RecentRequests
from tollhouse.gateway.destination import Destinations
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.running import RunningPlatform
from tollhouse.outbound.mail_server import read_sender, read_smtp
from tollhouse.providers import kinds
from tollhouse.services.context import ServiceContext
from tollhouse.services.platform_file import ConfigEnvironment
from tollhouse.settings import Settings
from tollhouse.upstream import address


@dataclass(frozen=True, slots=True)
class AdminContext:
    """`environment`: where the references of a platform.toml lead. `destinations`: those in force at this moment.
    `recent`: the calls that ended last; None where no server runs. `gateway`: what a call would pass through, likewise;
    `at_rest` is then that platform as a server would find it at its start. `settings`: those that the server was
    started with. `running`: what only that server knows; None where none runs."""

    services: ServiceContext
    environment: ConfigEnvironment
    version: str
    destinations: Callable[[], Destinations]
    recent: RecentRequests | None = None
    gateway: GatewayContext | None = None
    at_rest: GatewayContext | None = None
    settings: Settings | None = None
    running: RunningPlatform | None = None


def config_environment(folder: Path) -> ConfigEnvironment:
    """Where the references of a platform.toml lead: this process's environment, files relative to the data folder."""
    return ConfigEnvironment(
        environment=os.environ,
        read_file=lambda path: (folder / path).read_text(encoding="utf-8"),
        kinds=kinds(),
        forbidden=_forbidden,
        read_smtp=read_smtp,
        read_sender=read_sender,
    )


def _forbidden(base_url: str, allow_networks: tuple[str, ...]) -> str | None:
    try:
        address.read_base_url(base_url.removesuffix("#"), allow_networks=allow_networks)
    except ValueError as error:
        return str(error)
    return None
