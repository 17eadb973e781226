"""Many forms of one kind on one platform: each form's own slowest callback and B's own worst wait."""

from collections.abc import Callable
from typing import Final

from tests.hostile.attacks.bodies import RSS_MAX_MB, attacked
from tests.hostile.harness import BEFORE_SECONDS, Observations
from tests.hostile.launcher import AttackedPlatform, pause
from tests.hostile.loop_stalls import worst_since
from tests.hostile.neighbour import Neighbour
from tests.hostile.watchdog import BOUND_MS

WAIT_MAX_MS: Final = 250  # what B may wait beside one form, on a machine that others use
SETTLE_SECONDS: Final = 0.5

Form = tuple[str, Callable[[], object]]


def played(platform: AttackedPlatform, b: Neighbour, seen: Observations, forms: list[Form]) -> None:
    """Each form in turn; what it answers is shown, with what it did to the loop and to B."""
    before = b.for_seconds(BEFORE_SECONDS)
    seen.note("B before", before)
    attacked(platform, b)
    for name, transaction in forms:
        begin = b.mark()
        told = transaction()
        pause(SETTLE_SECONDS)
        met = b.between(begin, max(b.mark(), begin + 1))
        stall = worst_since(platform.watch_file, begin)
        fine = met.errors == 0 and met.worst <= max(WAIT_MAX_MS, 3 * before.worst)
        fine = fine and (stall is None or stall.cpu_ms <= BOUND_MS)
        loop = f"; loop {stall}" if stall is not None else ""
        shown = f"{told}; B max {met.worst:.0f} ms, {met.errors}/{met.calls} errors{loop}; {platform.rss_mb()} MB"
        seen.must(name, fine and platform.process.poll() is None, shown)
        if platform.process.poll() is not None:
            break
    seen.within("peak", platform.peak_mb(), RSS_MAX_MB, " MB")
