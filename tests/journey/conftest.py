"""A platform in a process of its own before a provider that plays scripts: one of each for a whole file of tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journey.platform_process import PLATFORM, Platform
from tests.journey.scripted_provider import Provider

Start = Callable[..., Platform]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def start(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a platform; `more` is configuration that is added, {port} in it the provider's port."""
    with ExitStack() as ends:

        def begin(more: str = "", *, lame_duck: float = 0, folder: Path | None = None) -> Platform:
            config = (PLATFORM + more).replace("{port}", str(provider.port)).replace("{lame_duck}", str(lame_duck))
            platform = Platform(folder or tmp_path_factory.mktemp("platform"), config)
            ends.callback(platform.stop)
            return platform

        yield begin


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest, start: Start) -> Iterator[Platform]:
    """The file's platform; a file's own `MORE` is added to its configuration. No test may cause a defect in it."""
    platform = start(getattr(request.module, "MORE", ""))
    yield platform
    assert platform.defects() == []
