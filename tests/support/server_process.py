"""A server in a process of its own: it prints a line when it is ready, and ends when it is told to."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any, Final

WAIT_SECONDS_MAX: Final = 60
TOLLHOUSE: Final = (sys.executable, "-m", "tollhouse")
QUIET: Final = {"TOLLHOUSE_LAME_DUCK_SECONDS": "0", "TOLLHOUSE_METRICS_ADDRESS": "none"}
"""Settings of most platforms of tests: they leave at once, and several stand beside each other."""


class ServerProcess:
    """A command that serves. log: where its stderr goes, added to what stands there; None: to a pipe for the test.

    `line` is what it printed first. With none the test fails, and shows the log.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path | None,
        *,
        environment: Mapping[str, str] = QUIET,
        folder: Path | None = None,
    ) -> None:
        self.process = self._start(command, log, {**os.environ, **environment}, folder)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        if not self.line and log is not None:
            self.end(SIGKILL)
            raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-5000:])

    @staticmethod
    def _start(
        command: Sequence[str], log: Path | None, environment: Mapping[str, str], folder: Path | None
    ) -> "subprocess.Popen[bytes]":
        if log is None:
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=folder
            )
        with log.open("ab") as stderr:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment, cwd=folder)

    @property
    def facts(self) -> Any:
        """The line as JSON."""
        return json.loads(self.line)

    @property
    def port(self) -> int:
        return int(self.facts["base_url"].removesuffix("/v1").rpartition(":")[2])

    def signal(self, number: Signals = SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        code = self.process.wait(WAIT_SECONDS_MAX)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def end(self, number: Signals = SIGTERM) -> int:
        if self.process.poll() is None:
            self.signal(number)
        return self.wait()


@contextmanager
def served(
    *words: str, log: Path, command: Sequence[str] = TOLLHOUSE, environment: Mapping[str, str] = QUIET
) -> Iterator[ServerProcess]:
    """`tollhouse serve` or `demo` with these words, on a free port and with facts as JSON, until the block ends."""
    server = ServerProcess([*command, *words, "--json", "--port", "0"], log, environment=environment)
    try:
        yield server
    finally:
        server.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
