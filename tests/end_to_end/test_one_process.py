"""Two servers on one database: the second is refused and told who serves; once the first is gone, it may."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.store import postgresql
from tests.store.conftest import database_url, postgresql_server
from tests.support.server_process import TOLLHOUSE, WAIT_SECONDS_MAX, ServerProcess, free_port

__all__ = ["database_url", "postgresql_server"]


class SecondServer:
    """`tollhouse serve` in a data folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        (folder / "platform.toml").write_text(
            f'[server]\ndatabase = "{url}"\nlisten = "127.0.0.1:{free_port()}"\nmetrics_address = ""\n'
            "lame_duck_seconds = 0\n"
        )
        self.folder = folder

    def type(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(self._command(*words), capture_output=True, text=True, timeout=WAIT_SECONDS_MAX)

    def start(self) -> str:
        """Its base URL."""
        self.server = ServerProcess(self._command("serve"), self.folder / "log", environment={})
        return str(self.server.facts["base_url"])

    def _command(self, *words: str) -> list[str]:
        return [*TOLLHOUSE, *words, "--json", "--dir", str(self.folder)]


def error(ran: "subprocess.CompletedProcess[str]") -> Any:
    assert ran.returncode == 1, ran
    return json.loads(ran.stderr.splitlines()[-1])["error"]


def test_the_second_server_is_refused_until_the_first_is_gone(tmp_path: Path, database_url: str) -> None:
    first, second = SecondServer(tmp_path / "first", database_url), SecondServer(tmp_path / "second", database_url)
    assert second.type("migrate").returncode == 0
    base_url = first.start()
    try:
        for command in (("serve",), ("accounts", "create", "a"), ("migrate",)):
            refused = error(second.type(*command))
            for fact in (f"process {first.server.process.pid} on {os.uname().nodename}", base_url, " UTC"):
                assert fact in refused["message"], command
            assert refused["code"] in ("database_in_use", "database")
        assert second.type("accounts", "list").returncode == 0, "who only looks may"
        same_folder = error(first.type("serve"))
        assert f"process {first.server.process.pid}" in same_folder["message"]
        assert base_url in same_folder["message"]
    finally:
        assert first.server.end(signal.SIGKILL) == -signal.SIGKILL
    assert second.start()
    assert second.server.end(signal.SIGTERM) == 0


def test_a_server_that_lost_the_database_to_another_leaves(
    tmp_path: Path, postgresql_server: postgresql.PostgresqlServer
) -> None:
    url = postgresql_server.database()
    first, second = SecondServer(tmp_path / "first", url), SecondServer(tmp_path / "second", url)
    first.start()
    first.server.signal(signal.SIGSTOP)
    postgresql_server.administer(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        f" WHERE application_name = 'tollhouse lock' AND datname = '{url.rpartition('?')[0].rpartition('/')[2]}'"
    )
    second.start()
    try:
        assert first.server.end(signal.SIGCONT) == 1
    finally:
        assert second.server.end(signal.SIGTERM) == 0


def test_several_processes_are_not_advised(tmp_path: Path) -> None:
    server = SecondServer(tmp_path / "data", "postgresql://u@h/d")
    text = (server.folder / "platform.toml").read_text()
    (server.folder / "platform.toml").write_text(f"{text}workers = 2\n")
    ran = server.type("serve")
    assert ran.returncode == 2
    assert "one process" in ran.stderr
    assert "several" not in ran.stderr
