from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.desk_at_work import Desks, at_work


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with at_work(tmp_path) as working:
        yield working
