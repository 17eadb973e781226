"""One platform for all walks of a process: each makes the keys and accounts it needs."""

from collections.abc import Iterator

import pytest

from tests.security.platform_process import DemoPlatform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPlatform]:
    running = DemoPlatform(tmp_path_factory.mktemp("walks") / "demo")
    yield running
    running.close()
