"""The platform and the model side by side: everything is done to both, and after each step both must say the same.

`non_charges` is what people do, `traffic` what calls go through, `inspection` the comparison, `moves` what may happen
next.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.gateway.fakes import FakeCallerConnection
from tests.money.fakes import Loop, ManualClock, Mood, Stall
from tests.money.platform_under_test import PlatformUnderTest
from tests.money.products import SHOP, Product, catalogue
from tests.money.reference_model import ReferenceCall, ReferenceModel

T = TypeVar("T")

BEGINS_MS = 1_792_831_500_000  # 2026-10-24 08:45 UTC, a Saturday: Europe's clocks go back next night


@dataclass
class Key:
    id: str
    account: str
    project: str
    secret: str
    mode: str


@dataclass(eq=False)
class Live:
    """A call as both sides know it. `offers`: what the providers that are still to be tried do when a caller leaves;
    the first is the one at work."""

    call: ReferenceCall
    client: FakeCallerConnection
    mark: str
    offers: list[str]
    task: "asyncio.Task[None]"
    words: int = 0
    speaking: bool = False  # the provider's head came, and the role
    heard: bool = False  # something went on to the caller
    finishing: bool = False  # its finish reason has passed
    reported: dict[str, int] | None = None
    waits_since_ms: int | None = None  # a caller who left is waited for since then
    ending: str = ""  # how it ended
    whole: bool = False  # the caller may have got all of it


@dataclass
class Checker:
    """`live`: under way. `stalled`: ended, and kept up on the way to the ledger or back. `late`: streamed, and not
    written down for want of a database. `over`: all others."""

    folder: Path
    seed: int
    steps: int = 0
    products: dict[str, Product] = field(default_factory=lambda: dict(SHOP))
    accounts: list[str] = field(default_factory=list)
    projects: list[tuple[str, str]] = field(default_factory=list)  # (account, id)
    keys: list[Key] = field(default_factory=list)
    codes: list[tuple[str, int, bool]] = field(default_factory=list)  # (text, amount, redeemed)
    live: list[Live] = field(default_factory=list)
    stalled: list[Live] = field(default_factory=list)
    late: list[Live] = field(default_factory=list)
    over: list[Live] = field(default_factory=list)
    named: int = 0
    latest_ms: int = BEGINS_MS  # that the clock on the wall has ever shown
    seen: Counter[str] = field(default_factory=Counter)  # what a run has covered
    tolerated: dict[object, int] = field(default_factory=dict)  # what people's actions have left broken, by counter
    by_people: bool = False  # the last step was an action
    one_fails: bool = False  # the next commit of a call does, and those after it go well

    def __post_init__(self) -> None:
        self.books = ReferenceModel()
        self.clock = ManualClock(BEGINS_MS)
        self.loop = Loop(self.clock)
        self.platform_under_test = PlatformUnderTest(
            self.folder, self.clock, self.loop, catalogue(self.products), self.seed
        )
        self._open()

    def run(self, done: Coroutine[Any, Any, T]) -> T:
        """Do it, and let everything happen that follows by itself."""

        async def whole() -> T:
            answer = await done
            await self.platform_under_test.quiet()
            return answer

        return self.loop.run_until_complete(whole())

    def settle_down(self) -> None:
        self.run(asyncio.sleep(0))

    def name(self, kind: str) -> str:
        self.named += 1
        return f"{kind} {self.named}"

    @property
    def now_ms(self) -> int:
        return self.clock.wall_ms

    @property
    def mood(self) -> Mood:
        return self.platform_under_test.disk.mood

    @property
    def stall(self) -> Stall:
        return self.platform_under_test.vault.stall

    @property
    def calm(self) -> bool:
        """Nothing is in flight."""
        return not (self.live or self.stalled or self.late)

    def crash(self) -> None:
        """The process is killed, and started again in its folder."""
        for live in (*self.live, *self.stalled, *self.late):
            live.ending = live.ending or "killed"
            live.whole = False
            self.over.append(live)
        self.live, self.stalled, self.late = [], [], []
        self.run(self._kill())
        self.books.crash()
        self._open()
        self.tolerated = {}
        self.by_people = True

    def _open(self) -> None:
        """The platform puts its platform.toml in force whenever it is opened."""
        self.run(self.platform_under_test.open())
        self.books.put_prices({model: product.price for model, product in self.products.items()}, self.now_ms)
        self.books.end_grants(self.now_ms)

    async def _kill(self) -> None:
        await self.platform_under_test.kill()

    def end(self) -> None:
        """Let go of everything that stands on the outside."""
        self.run(self._kill())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
