"""A platform in a process of its own before a provider that keeps its answers until it is told."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.platform_process import PLATFORM, PlatformProcess
from tests.support.scripted_provider import ScriptedProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(scope="module")
def platform(
    request: pytest.FixtureRequest, provider: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlatformProcess]:
    """Accounts have unlimited credit, so that budgets alone bind. A file's own `MORE` is added to the configuration."""
    config = (
        (PLATFORM + getattr(request.module, "MORE", ""))
        .replace("{port}", str(provider.port))
        .replace("{lame_duck}", "0")
    )
    platform = PlatformProcess(tmp_path_factory.mktemp("platform"), config)
    try:
        yield platform
        assert platform.defects() == []
        assert platform.manage("GET", "/ledger/verify")["flaws"] == []
    finally:
        platform.stop()
