"""A platform in a process of its own before a provider that keeps its answers until it is told."""

from collections.abc import Iterator

import pytest

from tests.journey.platform_process import PLATFORM, Platform
from tests.journey.scripted_provider import Provider


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def house(
    request: pytest.FixtureRequest, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """Accounts have unlimited credit, so that budgets alone bind. A file's own `MORE` is added to the configuration."""
    config = (
        (PLATFORM + getattr(request.module, "MORE", ""))
        .replace("{port}", str(provider.port))
        .replace("{lame_duck}", "0")
    )
    platform = Platform(tmp_path_factory.mktemp("platform"), config)
    try:
        yield platform
        assert platform.defects() == []
        assert platform.manage("GET", "/ledger/verify")["flaws"] == []
    finally:
        platform.stop()
