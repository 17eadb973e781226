"""One platform for all walks of a process: each makes the keys and accounts it needs."""

from collections.abc import Iterator

import pytest

from tests.walks.house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    running = House(tmp_path_factory.mktemp("walks") / "demo")
    yield running
    running.close()
