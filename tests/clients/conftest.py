"""A real platform in a process of its own, started as a user starts it: `tollhouse demo`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from openai import OpenAI

from tests.clients.platform_with_upstreams import Platform, platform_with_upstreams
from tests.support.server_process import ServerProcess, served

Connect = Callable[..., OpenAI]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("demo")
    with served("demo", "--dir", str(folder), log=folder.with_suffix(".log")) as running:
        yield running


@pytest.fixture(scope="module")
def connect(demo: ServerProcess) -> Iterator[Connect]:
    """Makes clients of the demo; they are closed at the end, for one that is left to the garbage leaves its sockets."""
    with ExitStack() as clients:

        def connected(api_key: str, admin_api_key: str | None = None, max_retries: int = 0) -> OpenAI:
            return clients.enter_context(
                OpenAI(
                    base_url=demo.facts["base_url"] + "/v1",
                    api_key=api_key,
                    admin_api_key=admin_api_key,
                    max_retries=max_retries,
                )
            )

        yield connected


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform before one upstream of each shape."""
    with platform_with_upstreams(tmp_path_factory.mktemp("platform")) as running:
        yield running
