"""The servers of a run: the canned provider, nginx as the reference, and the gateway; started and stopped here."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import cores

GATEWAY_COMMAND = "tollhouse demo --json --dir {dir} --port {port} --config {config}"
"""How the gateway starts. Once ready it prints one line of JSON with an `api_key`; a command that prints none is taken
to be ready when its port answers. Placeholders: {dir}, {port}, {config}, {upstream} (the canned provider's port)."""

_START_S = 120  # for one that valgrind runs: it is some 50 times slower
_SILENT_S = 3  # a command that has said nothing this long after its port answered will say nothing

_NGINX = """
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {dir};
    proxy_temp_path {dir};
    fastcgi_temp_path {dir};
    uwsgi_temp_path {dir};
    scgi_temp_path {dir};
    keepalive_requests 1000000;
    upstream provider {{
        server 127.0.0.1:{upstream};
        keepalive 1024;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            client_max_body_size 32m;
        }}
    }}
}}
"""

_PLATFORM = """
[providers.bench]
kind = "openai"
base_url = "http://127.0.0.1:{upstream}/v1"
api_keys = ["not-checked-by-the-canned-provider"]

[plans.default]
credit_limit_usd = "unlimited"
"""

_MODEL = """
[models."bench{kind}"]
offers = [{{ provider = "bench", model = "canned{kind}" }}]
context_tokens = 128000
max_output_tokens = 16384
price = {{ input = "2.50", output = "10.00" }}
"""


@dataclass(frozen=True)
class Contender:
    name: str
    pid: int
    port: int
    key: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def upstream(core: int) -> Iterator[int]:
    """The canned provider; gives its port."""
    port = free_port()
    with _running([sys.executable, "-m", "bench.upstream", str(port)], core) as process:
        _wait_for_port(port, process)
        yield port


@contextmanager
def nginx(core: int, upstream_port: int, folder: Path) -> Iterator[Contender]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(dir=folder, upstream=upstream_port, port=port), encoding="utf-8")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        raise SystemExit("nginx is not installed; make bench installs it")
    with _running([program, "-c", str(config), "-p", str(folder)], core) as process:
        _wait_for_port(port, process)
        yield Contender("nginx", process.pid, port, "")


@contextmanager
def gateway(
    core: int, upstream_port: int, folder: Path, command: str = GATEWAY_COMMAND, name: str = "gateway"
) -> Iterator[Contender]:
    port = free_port()
    folder = folder / name
    folder.mkdir()
    config = folder / "platform.toml"
    models = "".join(_MODEL.format(kind=kind) for kind in ("", "-paced", "-flood"))
    config.write_text(_PLATFORM.format(upstream=upstream_port) + models, encoding="utf-8")
    words = shlex.split(command.format(dir=folder / "data", port=port, config=config, upstream=upstream_port))
    program = Path(sys.executable).parent / words[0]
    words[0] = str(program) if program.exists() else words[0]
    with (folder / "gateway.log").open("wb") as log, _running(words, core, log=log.fileno()) as process:
        said = _first_json_line(process, port)
        yield Contender(name, process.pid, port, said.get("api_key", ""))


@contextmanager
def gateway_alone() -> Iterator[Contender]:
    """The gateway before the canned provider, without a reference; the caller moves to the provider's core."""
    measured, other = cores()
    os.sched_setaffinity(0, {other})
    with (
        tempfile.TemporaryDirectory(prefix="tollhouse-bench-") as name,
        upstream(other) as port,
        gateway(measured, port, Path(name)) as server,
    ):
        yield server


@contextmanager
def _running(command: list[str], core: int, log: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process on one core, ended with the block. `log` takes its errors; with it, its output is a pipe."""
    stdout = subprocess.PIPE if log is not None else None
    process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=stdout, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_json_line(process: subprocess.Popen[bytes], port: int) -> dict[str, str]:
    """What the gateway says when it is ready; its later output is read and dropped, so that it never blocks."""
    assert process.stdout is not None
    said: dict[str, str] = {}
    ready = threading.Event()
    output = process.stdout

    def read() -> None:
        for line in output:
            if line.startswith(b"{") and not ready.is_set():
                said.update(json.loads(line))
                ready.set()

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + _START_S
    while not ready.wait(0.05):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the gateway did not start (exit code {process.returncode}); its words: gateway.log")
        if _answers(port) and not ready.wait(_SILENT_S):
            break
    return said


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"nothing answers on port {port}: {process.args!r}")
        time.sleep(0.02)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
