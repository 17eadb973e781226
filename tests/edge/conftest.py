"""One platform for all router tests of a process: each makes the keys it needs."""

from collections.abc import Iterator

import pytest

from tests.edge.odd_models import CONFIG
from tests.walks.house import House

BODY_BYTES_MAX = 1_000_000


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    bound = f"[server]\nmax_body_bytes = {BODY_BYTES_MAX}\n"
    running = House(tmp_path_factory.mktemp("edge") / "demo", bound + CONFIG)
    yield running
    running.close()
