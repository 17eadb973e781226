"""What the deeds of the control API have at hand."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tollhouse.edge.recent import Recent
from tollhouse.gateway.destination import Destinations
from tollhouse.gateway.ports import House
from tollhouse.office.office import Office
from tollhouse.office.platform_file import Surroundings
from tollhouse.outbound.mail_server import read_sender, read_smtp
from tollhouse.providers import kinds
from tollhouse.settings import Settings
from tollhouse.upstream import address

State = Mapping[str, Any]


def nothing_known(provider_id: str) -> State:
    return {}


@dataclass(frozen=True, slots=True)
class Desk:
    """`around`: where the references of a platform.toml lead. `destinations`: those in force at this moment.
    `health`: what the gateway has seen of a provider, for people to read. `recent`: the calls that ended last; None
    where no server runs. `house`: what a call would pass through, likewise; `at_rest` is then that house as
    a server would find it at its start. `settings`: those that the server was started with."""

    office: Office
    around: Surroundings
    version: str
    destinations: Callable[[], Destinations]
    health: Callable[[str], State] = nothing_known
    recent: Recent | None = None
    house: House | None = None
    at_rest: House | None = None
    settings: Settings | None = None


def surroundings(folder: Path) -> Surroundings:
    """Where the references of a platform.toml lead: this process's environment, files relative to the data folder."""
    return Surroundings(
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
