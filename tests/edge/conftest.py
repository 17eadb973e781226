"""One platform for all router tests of a process: each makes the keys it needs."""

from collections.abc import Iterator

import pytest

from tests.edge.odd_models import CONFIG
from tests.security.platform_process import DemoPlatform

BODY_BYTES_MAX = 1_000_000


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPlatform]:
    bound = f"[server]\nmax_body_bytes = {BODY_BYTES_MAX}\n"
    running = DemoPlatform(tmp_path_factory.mktemp("edge") / "demo", bound + CONFIG)
    yield running
    running.close()
