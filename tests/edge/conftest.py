"""One platform for all router tests of a process: each makes the keys it needs."""

from collections.abc import Iterator

import pytest

from tests.walks.house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    running = House(tmp_path_factory.mktemp("edge") / "demo")
    yield running
    running.close()
