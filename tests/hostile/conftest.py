"""One scripted upstream for all attacks of a worker."""

from collections.abc import Iterator

import pytest

from tests.hostile.harness import provider


@pytest.fixture(scope="session")
def upstream_port() -> Iterator[int]:
    with provider() as port:
        yield port
