"""A real platform in a process of its own, started as a user starts it: `tollhouse demo`."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from openai import OpenAI

Connect = Callable[..., OpenAI]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Demo:
    """A running `tollhouse demo`; `facts` is the line it prints when it is ready."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "tollhouse", "demo", "--json", "--port", str(free_port())]
        self.log = (folder.parent / f"{folder.name}.log").open("wb")
        quiet = {
            **os.environ,
            "TOLLHOUSE_METRICS_ADDRESS": "none",
        }  # several start at once, and would want the same port
        self.process = subprocess.Popen(
            [*command, "--dir", str(folder), *options], stdout=subprocess.PIPE, stderr=self.log, env=quiet
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, Path(self.log.name).read_text()
        self.facts: dict[str, str] = json.loads(line)

    @property
    def base_url(self) -> str:
        return self.facts["base_url"].removesuffix("/v1")

    def stop(self) -> int:
        self.process.terminate()
        self.process.terminate()
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return code


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    running.process.kill()
    running.stop()


@pytest.fixture(scope="module")
def connect(demo: Demo) -> Iterator[Connect]:
    """Makes clients of the demo; they are closed at the end, for one that is left to the garbage leaves its sockets."""
    with ExitStack() as clients:

        def connected(api_key: str, admin_api_key: str | None = None, max_retries: int = 0) -> OpenAI:
            return clients.enter_context(
                OpenAI(
                    base_url=demo.base_url + "/v1",
                    api_key=api_key,
                    admin_api_key=admin_api_key,
                    max_retries=max_retries,
                )
            )

        yield connected
