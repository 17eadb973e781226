"""What only the process that serves knows: for the pages and the control API, which show it to those who run it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tollhouse.core.examination import DoctorReport
from tollhouse.gateway.ports import GatewayContext
from tollhouse.routing.health import CircuitStatus
from tollhouse.routing.troubles import ProviderTrouble


@dataclass(frozen=True, slots=True)
class RunningPlatform:
    """`examine` runs the checks of `doctor`: in a thread, for some ask the network. `depths`: how much waits, by what
    it waits for. `free_bytes`: room on the disk of the data folder. `started_ms`: Unix milliseconds."""

    gateway: GatewayContext
    version: str
    started_ms: int
    depths: Callable[[], Mapping[str, int]]
    free_bytes: Callable[[], int]
    examine: Callable[[], DoctorReport] | None = None

    def circuits(self, now_ms: int) -> list[CircuitStatus]:
        """Those that remember something, of offers and of keys."""
        return self.gateway.health.snapshot(now_ms)

    def troubles(self, providers: Iterable[str]) -> list[ProviderTrouble]:
        """What these said of their failures."""
        return [one for name in providers for one in self.gateway.troubles.of(name)]
