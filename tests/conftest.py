"""For all tests: a property holds or not, however long an example takes on a busy machine; where tests write; when
garbage is collected."""

import gc
import os

import pytest
from hypothesis import settings

from tests.support.memory_disk import write_in_memory

write_in_memory()
settings.register_profile("house", deadline=None, derandomize=True)  # whether a change may land is no matter of luck
settings.register_profile("chance", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.hookimpl(optionalhook=True)  # make mutants runs without xdist
def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: a third of a run is waiting for servers that start and end."""
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What stays to the end is looked at no more, and the rest less often: a tenth of a run was the collector's."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
