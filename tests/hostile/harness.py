"""Where an attack takes place: one provider for all, a platform for each, and a verdict with its figures."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.hostile import watchdog
from tests.hostile.launcher import HERE_COMMAND, ROOT, AttackedPlatform, Launch
from tests.hostile.loop_stalls import stalls
from tests.hostile.neighbour import Neighbour, Spell

BEFORE_SECONDS: Final = 4.0
GROWTH_MAX: Final = 2.0  # how many times B's p99 beside an attack may be what it was before it
NOISE_MS: Final = 25.0  # what a shared machine does to a p99 by itself: below it nobody is blamed


@dataclass(frozen=True)
class Outcome:
    """held: each bound that the attack states was kept. figures: what was seen, as people read it."""

    held: bool
    figures: Mapping[str, object]

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.figures.items())


class Observations:
    """Collects figures; each `within` is a bound that must be kept."""

    def __init__(self) -> None:
        self.figures: dict[str, object] = {}
        self.broken: list[str] = []

    def note(self, name: str, value: object) -> None:
        self.figures[name] = value

    def within(self, name: str, value: float, most: float, unit: str = "") -> None:
        self.figures[name] = f"{value:g}{unit} (<= {most:g})"
        if value > most:
            self.broken.append(name)

    def must(self, name: str, holds: bool, value: object = "") -> None:
        self.figures[name] = value if value != "" else ("yes" if holds else "no")
        if not holds:
            self.broken.append(name)

    def beside(self, before: Spell, beside: Spell, growth: float = GROWTH_MAX) -> None:
        """B is answered, and its p99 grows to at most so many times what it was."""
        self.figures["B before"] = before
        self.figures["B beside"] = beside
        if beside.errors or beside.p99 > max(growth * before.p99, NOISE_MS):
            self.broken.append("B")

    def outcome(self) -> Outcome:
        return Outcome(not self.broken, {**self.figures, **({"BROKEN": self.broken} if self.broken else {})})


APART: Final = """
[providers.apart]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"

[models."apart-1"]
offers = [{{ provider = "apart", model = "apart" }}]
context_tokens = 128000
max_output_tokens = 16384
price = {{ input = "2.50", output = "10.00" }}
"""
"""A model for B alone: its provider is a process that has nothing else to do, so that B waits for the platform only."""


@dataclass
class AttackHarness:
    """What an attack gets. `platform(...)` starts one that ends with the scene."""

    folder: Path
    provider_port: int
    command: Path = HERE_COMMAND
    watch: bool = False
    ends: ExitStack = field(default_factory=ExitStack)
    _count: int = 0

    def platform(self, launch: Launch | None = None) -> AttackedPlatform:
        self._count += 1
        wanted = replace(launch or Launch(), command=self.command)
        apart = APART.format(port=self.ends.enter_context(provider()))
        wanted = replace(wanted, watch=self.watch or wanted.watch, more=wanted.more + apart)
        platform = AttackedPlatform(self.folder / f"platform-{self._count}", self.provider_port, wanted)
        self.ends.callback(platform.stop)
        return platform

    def neighbour(self, platform: AttackedPlatform, *, model: str = "apart-1", says: str = "good morning") -> Neighbour:
        account = platform.neighbour_account()
        return self.ends.enter_context(Neighbour(platform, account, model=model, says=says))


@dataclass(frozen=True)
class Attack:
    """id: as ATTACKS.md has it, or a word of our own. bound: what must hold, in words."""

    id: str
    bound: str
    play: Callable[[AttackHarness, Observations], None]
    timed: bool = True  # its bounds speak of time or memory: two tries, and only in the long tests


def play(attack: Attack, provider_port: int, command: Path = HERE_COMMAND, *, watch: bool = False) -> Outcome:
    """One attack on a platform of its own. Where time is judged the better of two tries counts."""
    outcome = _once(attack, provider_port, command, watch)
    return outcome if outcome.held or not attack.timed else _once(attack, provider_port, command, watch)


def _once(attack: Attack, provider_port: int, command: Path, watch: bool) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder, ExitStack() as ends:
        harness = AttackHarness(Path(folder), provider_port, command, watch, ends)
        seen = Observations()
        attack.play(harness, seen)
        if watch:
            slowest = stalls(Path(folder))
            worst = max((stall.cpu_ms for stall in slowest), default=0)
            seen.within("loop", worst, watchdog.BOUND_MS, " ms")
            if worst > watchdog.BOUND_MS:
                seen.note("where", "; ".join(str(stall) for stall in slowest[:3]))
        return seen.outcome()


@contextmanager
def provider() -> Iterator[int]:
    """The port of a scripted upstream in a process of its own."""
    words = [sys.executable, "-m", "tests.hostile.scripted_upstream"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
