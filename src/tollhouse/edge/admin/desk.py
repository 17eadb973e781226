"""What the deeds of the control API have at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tollhouse.gateway.destination import Destinations
from tollhouse.office.office import Office
from tollhouse.office.platform_file import Surroundings

State = Mapping[str, Any]


def nothing_known(provider_id: str) -> State:
    return {}


@dataclass(frozen=True, slots=True)
class Desk:
    """`around`: where the references of a platform.toml lead. `destinations`: those in force at this moment.
    `health`: what the gateway has seen of a provider, for people to read."""

    office: Office
    around: Surroundings
    version: str
    destinations: Callable[[], Destinations]
    health: Callable[[str], State] = nothing_known
