"""Any tollhouse command as a running platform: a data folder, a provider and a neighbour, and what /proc says of it.

The command may be of another checkout, so that the same attack gives its figure before and after a change.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
HERE_COMMAND: Final = Path(sys.executable).with_name("tollhouse")
WAIT_SECONDS_MAX: Final = 120

CONFIG: Final = """
[server]
metrics_address = ""
lame_duck_seconds = 0
drain_seconds = 1

[outbound]
allow_networks = ["127.0.0.1/32"]

[providers.up]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
speaks = ["openai_chat", "openai_responses"]
first_byte_seconds = 30

[models."house-1"]
offers = [{{ provider = "up", model = "up-house" }}]
context_tokens = 128000
max_output_tokens = 16384
price = {{ input = "2.50", output = "10.00", per_search = "0" }}
"""


@dataclass(frozen=True)
class AttackReply:
    """status 0: no answer came, and `body` says why."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        try:
            return str(self.json["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return self.body[:60].decode(errors="replace")


@dataclass(frozen=True)
class TenantAccount:
    id: str
    key: str
    key_id: str


@dataclass
class Launch:
    """How a platform is started. slow_names: seconds that a name below `.slow.test` takes to be looked up.

    watch: the server runs on asyncio's own loop, and each callback is timed by its thread's CPU (watchdog.py).
    """

    command: Path = HERE_COMMAND
    more: str = ""
    config: str = CONFIG
    slow_names: int = 0
    watch: bool = False


class AttackedPlatform:
    """`tollhouse serve` in a folder of its own. The control socket makes accounts, as the CLI does."""

    def __init__(self, folder: Path, provider_port: int, launch: Launch) -> None:
        self.folder = folder
        self.launch = launch
        folder.mkdir(parents=True, exist_ok=True)
        config = launch.config.format(port=provider_port) + launch.more.replace("{port}", str(provider_port))
        (folder / "platform.toml").write_text(config, encoding="utf-8")
        self.watch_file = folder / "watch.jsonl"
        self._log = (folder / "stderr.log").open("wb")
        self.tollhouse("migrate")
        self.process = subprocess.Popen(
            [*self._server(), "serve", "--json", "--dir", str(folder), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=folder,
            env=self._environment(),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (folder / "stderr.log").read_text(errors="replace")[-2000:]
        self.port = int(json.loads(line)["base_url"].rsplit(":", 1)[1].removesuffix("/v1"))
        self.attacked_from(time.monotonic())

    def attacked_from(self, moment: float) -> None:
        """What the loop did before is no caller's doing. moment: seconds of the machine's monotonic clock."""
        self.watch_file.with_name("attacked").write_text(str(moment))

    def _server(self) -> list[str]:
        if not self.launch.watch and not self.launch.slow_names:
            return [str(self.launch.command)]
        return [str(self.launch.command.with_name("python")), "-m", "tests.hostile.watchdog"]

    def _environment(self) -> dict[str, str]:
        """The checkout's own source comes first, whatever its virtual environment was copied from."""
        places = [str(source)] if (source := self.launch.command.parents[2] / "src").is_dir() else []
        asked = {
            "PYTHONPATH": os.pathsep.join([*places, str(ROOT)]),
            "HOSTILE_WATCH": str(self.watch_file),
            "HOSTILE_SLOW_NAMES": str(self.launch.slow_names),
            "COLUMNS": "200",
        }
        return {**os.environ, **asked}

    # who is there

    def account(self, name: str, usd: str = "0", *, mode: str = "live", **limits: int) -> TenantAccount:
        """An account with a key. limits: of its key, as `requests_per_minute=1`."""
        made = self.manage("POST", "/accounts", {"name": name})
        if Decimal(usd):
            self.manage("POST", "/credits", {"account": made["id"], "amount_usd": usd})
        return self.key(str(made["id"]), name, mode=mode, **limits)

    def key(self, account: str, name: str, *, mode: str = "live", given: object = None, **limits: int) -> TenantAccount:
        more = given if isinstance(given, dict) else {}
        key = self.manage("POST", "/keys", {"name": name, "account": account, "mode": mode, **more})
        if limits:
            self.manage("POST", "/limits", {"key": key["id"], **limits})
        return TenantAccount(account, str(key["secret"]), str(key["id"]))

    def open_wide(self, account: TenantAccount) -> TenantAccount:
        """Only its money bounds it from now on."""
        wide = {"requests_per_minute": 10**6, "tokens_per_minute": 10**9, "parallel_requests": 1000}
        self.manage("POST", "/limits", {"account": account.id, **wide})
        return account

    def neighbour_account(self) -> TenantAccount:
        return self.open_wide(self.account("neighbour", "1000"))

    def balance(self, account: TenantAccount) -> Decimal:
        """USD, as the account's own key reads it when nothing is held any more."""
        for _ in range(200):
            money = self.ask(None, "/v1/key", key=account.key, method="GET").json["balance"]
            if not Decimal(str(money["held_usd"])):
                break
            pause(0.1)
        return Decimal(str(money["balance_usd"]))

    def receipt(self, reply: AttackReply) -> Any:
        return self.manage("GET", f"/requests/{reply.headers['x-request-id']}")

    # asking

    def ask(
        self,
        body: object,
        path: str = "/v1/chat/completions",
        *,
        key: str,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        seconds: float = WAIT_SECONDS_MAX,
    ) -> AttackReply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        return _exchange(connection, method, path, body, {"Authorization": f"Bearer {key}", **(headers or {})})

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """The control API as the operator has it, over the control socket. Anything but 2xx is an AssertionError."""
        reply = self.managed(method, path, body)
        assert 200 <= reply.status < 300, (method, path, reply.status, reply.body[:500])
        return reply.json

    def managed(self, method: str, path: str, body: object = None) -> AttackReply:
        connection = http.client.HTTPConnection("control", timeout=WAIT_SECONDS_MAX)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(WAIT_SECONDS_MAX)
        connection.sock.connect(str(self.folder / "tollhouse.sock"))
        return _exchange(connection, method, f"/api/v1{path}", body, {})

    def tollhouse(self, *words: str, check: bool = True) -> bytes:
        """A command typed beside the running server; what it printed."""
        done = subprocess.run(
            [str(self.launch.command), *words, "--dir", str(self.folder)],
            capture_output=True,
            timeout=WAIT_SECONDS_MAX,
            env=self._environment(),
        )
        assert not check or done.returncode == 0, done.stderr[-1000:]
        return done.stdout

    # what the kernel says

    def rss_mb(self) -> int:
        return self._status("VmRSS") // 1024

    def peak_mb(self) -> int:
        """The most that was resident since `forget_peak`."""
        return self._status("VmHWM") // 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_lines(self) -> list[dict[str, Any]]:
        lines = (self.folder / "stderr.log").read_bytes().splitlines()
        return [json.loads(line) if line.startswith(b"{") else {"line": repr(line)} for line in lines]

    def defects(self) -> list[dict[str, Any]]:
        """Lines of the log that no caller should ever cause."""
        return [line for line in self.log_lines() if line.get("level") in ("error", "critical") or "line" in line]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()  # an attack may have left it deaf
                self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: object, headers: Mapping[str, str]
) -> AttackReply:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    typed = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, path, data, {**typed, **headers})
        answer = connection.getresponse()
        return AttackReply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    except (OSError, http.client.HTTPException) as error:
        return AttackReply(0, {}, type(error).__name__.encode())
    finally:
        connection.close()


def chat(content: object = "hi", model: str = "house-1", **members: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": content}], **members}


def pause(seconds: float) -> None:
    """Let an attack go on for as long as it is meant to last."""
    threading.Event().wait(seconds)
