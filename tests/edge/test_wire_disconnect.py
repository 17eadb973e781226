"""A real process and real signals: first it only says no, then it closes its doors, and what runs may end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.edge.wire_client import RawClient, get, post
from tests.edge.wire_server import mirror
from tollhouse.edge.asgi import serving
from tollhouse.edge.sockets import ListenAddress, bind

LONG = 600.0


class Process:
    def __init__(self, path: Path, lame_duck_seconds: float, drain_seconds: float) -> None:
        self.path = str(path)
        command = [sys.executable, "-m", "tests.edge.draining_server", self.path]
        self.process = subprocess.Popen(
            [*command, str(lame_duck_seconds), str(drain_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self.port = int(self.out.readline())

    def signal(self, which: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(which)

    def until_it_drains(self) -> None:
        while self.control(b"/state") != b"draining":
            pass

    def control(self, path: bytes) -> bytes:
        with RawClient(self.path) as client:
            answer = client.send(get(path)).answer()
            assert answer is not None
            return answer.body

    def until_the_door_is_closed(self) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=20).close()
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                continue  # it was accepted by the system, not yet by the server

    def end(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=20)
        return self.process.returncode, said


@contextmanager
def process(folder: Path, lame_duck_seconds: float, drain_seconds: float) -> Iterator[Process]:
    found = Process(folder / "control.sock", lame_duck_seconds, drain_seconds)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()
        found.out.close()


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_after_the_first_signal_new_requests_get_503_on_every_connection(tmp_path: Path, which: signal.Signals) -> None:
    with process(tmp_path, LONG, LONG) as server, RawClient(server.port) as old, RawClient(server.port) as new:
        ready = old.send(get(b"/readyz")).answer()
        assert ready is not None
        assert (ready.status, ready.closes) == (200, False)
        server.signal(which)
        server.until_it_drains()
        ready = old.send(get(b"/readyz")).answer()
        assert ready is not None
        assert (ready.status, ready.closes) == (503, True)
        for client in (new, RawClient(server.port)):
            answer = client.send(post(b"a" * 1000, path=b"/v1/chat/completions")).answer()
            assert answer is not None
            assert (answer.status, answer.json()["error"]["code"], answer.closes) == (503, "overloaded", True)
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
            assert client.rest() == b""
            client.socket.close()
        with RawClient(server.port) as client:
            answer = client.send(post(b"{}", path=b"/v1/messages")).answer()
            assert answer is not None
            assert (answer.status, answer.json()["error"]["type"]) == (529, "overloaded_error")


def test_what_runs_ends_whole_and_then_the_process_ends_with_0(tmp_path: Path) -> None:
    """Also where the stream's head had promised to keep the connection."""
    with process(tmp_path, 0, LONG) as server, RawClient(server.port) as idle, RawClient(server.port) as stream:
        assert idle.send(get()).answer() is not None
        assert stream.send(get(b"/wait")).until(b"one\r\n") is not None
        with RawClient(server.path) as control:
            server.signal()
            server.until_the_door_is_closed()
            assert idle.rest() == b""
            assert control.rest() == b""
        server.signal(signal.SIGUSR1)
        assert stream.rest() == b"3\r\ntwo\r\n0\r\n\r\n"
        assert not stream.was_reset
        assert server.end() == (0, "stopped in order\n")
        assert not Path(server.path).exists()


def test_a_stream_goes_on_while_new_requests_are_refused(tmp_path: Path) -> None:
    with process(tmp_path, LONG, LONG) as server, RawClient(server.port) as stream:
        assert stream.send(get(b"/wait")).until(b"one\r\n") is not None
        server.signal()
        server.until_it_drains()
        server.signal(signal.SIGUSR1)
        assert stream.until(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"


def test_a_second_signal_cuts_off_what_runs(tmp_path: Path) -> None:
    with process(tmp_path, 0, LONG) as server, RawClient(server.port) as stream:
        assert stream.send(get(b"/wait")).until(b"one\r\n") is not None
        server.signal()
        server.until_the_door_is_closed()
        server.signal()
        assert stream.rest() == b""
        assert stream.was_reset
        assert server.end() == (0, "stopped in order\n")


def test_what_runs_longer_than_the_time_to_drain_is_cut_off(tmp_path: Path) -> None:
    with process(tmp_path, 0, 0.2) as server, RawClient(server.port) as stream:
        assert stream.send(get(b"/wait")).until(b"one\r\n") is not None
        server.signal()
        assert stream.rest() == b""
        assert stream.was_reset
        assert server.end() == (0, "stopped in order\n")


def test_a_second_signal_ends_the_lame_duck_at_once(tmp_path: Path) -> None:
    with process(tmp_path, LONG, LONG) as server:
        server.signal()
        server.until_it_drains()
        server.signal()
        assert server.end() == (0, "stopped in order\n")


def test_the_control_socket_is_this_users_alone_and_replaces_a_dead_one(tmp_path: Path) -> None:
    with process(tmp_path, 0, 0) as server:
        assert os.stat(server.path).st_mode & 0o777 == 0o600
        assert server.control(b"/state") == b"serving"
        server.process.kill()
        server.process.wait()
        assert Path(server.path).exists()
    with process(tmp_path, 0, 0) as server:
        assert server.control(b"/state") == b"serving"


def test_an_address_in_use_is_an_error_that_names_it(tmp_path: Path) -> None:
    with process(tmp_path, 0, 0) as server:
        second = subprocess.run(
            [sys.executable, "-m", "tests.edge.draining_server", server.path, "0", "0"],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            timeout=20,
        )
        assert second.returncode == 1
        assert f"another process listens on {server.path}" in second.stderr
        assert server.control(b"/state") == b"serving"


def test_a_host_name_is_served_on_each_of_its_addresses_on_one_port() -> None:
    found = asyncio.run(bind(ListenAddress(app=serving(mirror), host="localhost")))
    try:
        names = [each.getsockname() for each in found]
        expected = {info[4][0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
        assert "127.0.0.1" in {name[0] for name in names} <= expected
        assert len({name[1] for name in names}) == 1
        with pytest.raises(OSError, match=rf"cannot listen on .* port {names[0][1]}: .*in use"):
            asyncio.run(bind(ListenAddress(app=serving(mirror), host="localhost", port=names[0][1])))
    finally:
        for each in found:
            each.close()


def test_an_address_of_another_machine_cannot_be_had() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1 port 8080"):
        asyncio.run(bind(ListenAddress(app=serving(mirror), host="192.0.2.1", port=8080)))
