"""A platform in a process of its own before a provider that plays scripts: one of each for a whole file of tests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.platform_process import PLATFORM, PlatformProcess
from tests.support.scripted_provider import ScriptedProvider

Start = Callable[..., PlatformProcess]


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(scope="module")
def start(provider: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a platform; `more` is configuration that is added, {port} in it the provider's port."""
    with ExitStack() as ends:

        def begin(
            more: str = "",
            *,
            lame_duck: float = 0,
            folder: Path | None = None,
            program: Sequence[str] = ("tollhouse",),
        ) -> PlatformProcess:
            config = (PLATFORM + more).replace("{port}", str(provider.port)).replace("{lame_duck}", str(lame_duck))
            platform = PlatformProcess(folder or tmp_path_factory.mktemp("platform"), config, program=program)
            ends.callback(platform.stop)
            return platform

        yield begin


@pytest.fixture(scope="module")
def platform(request: pytest.FixtureRequest, start: Start) -> Iterator[PlatformProcess]:
    """The file's platform; a file's own `MORE` is added to its configuration. No test may cause a defect in it."""
    platform = start(getattr(request.module, "MORE", ""))
    yield platform
    assert platform.defects() == []
