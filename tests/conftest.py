"""For all tests: a property holds or not, however long an example takes on a busy machine; where tests write; when
garbage is collected; and that a module of tests is compiled once, whoever runs it."""

import atexit
import gc
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.memory_disk import write_in_memory

gc.disable()  # until all is collected: what comes till then stays
atexit.register(gc.freeze)
write_in_memory()
settings.register_profile("house", deadline=None, derandomize=True)  # whether a change may land is no matter of luck
settings.register_profile("chance", deadline=None, print_blob=True)
settings.load_profile("house")
FOLDER = Path(__file__).parent


@pytest.hookimpl(optionalhook=True)  # make mutants runs without xdist
def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: a third of a run is waiting for servers that start and end."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Of a run of everything each worker compiles a share of the modules, and finds the others compiled: in a fresh
    checkout each would compile all of them at the same time. A module that cannot be imported is told by its tests."""
    worker: dict[str, object] = getattr(session.config, "workerinput", {})
    if worker and session.config.args == session.config.getini("testpaths"):
        number, workers = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
        for file in sorted(FOLDER.rglob("test_*.py"))[number::workers]:
            with suppress(Exception):
                import_module(".".join(file.relative_to(FOLDER.parent).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What stays to the end is looked at no more, and the rest less often: a tenth of a run was the collector's."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
