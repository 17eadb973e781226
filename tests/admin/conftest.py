from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.harness import AdminHarness, at_work


@pytest.fixture
def admin_harness(tmp_path: Path) -> Iterator[AdminHarness]:
    with at_work(tmp_path) as working:
        yield working
