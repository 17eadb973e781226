"""The platform as its users meet it: a process of its own, its base URL, its keys, its log and its database."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.store.harness import on_disk
from tests.support.server_process import TOLLHOUSE, ServerProcess, free_port
from tollhouse.billing.charges import total
from tollhouse.billing.prices import Price, read_rates
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.tables import SqlRepositories

WAIT_SECONDS_MAX = 30

T = TypeVar("T")

PLATFORM_1: Final[Mapping[str, str]] = {"input": "2.50", "cache_read": "1.25", "output": "10.00"}

PLATFORM = """
[server]
lame_duck_seconds = {lame_duck}
metrics_address = "127.0.0.1:{metrics_port}"

[platform]
show_provider = true

[plans.default]
credit_limit_usd = "unlimited"

[providers.up]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
speaks = ["openai_chat", "openai_responses"]

[models."house-1"]
offers = [{ provider = "up", model = "up-house" }]
context_tokens = 128000
price = { input = "2.50", cache_read = "1.25", output = "10.00" }
"""


@dataclass(frozen=True)
class PlatformReply:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes
    broken: bool = False  # the body has no end: the connection closed before the last chunk

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def id(self) -> str:
        return self.headers["x-request-id"]


class PlatformProcess:
    """`tollhouse demo` with a configuration; its log is read as it is written."""

    def __init__(
        self, folder: Path, config: str, *, command: str = "demo", program: Sequence[str] = ("tollhouse",)
    ) -> None:
        """program: the module that is run, and what it wants to be told before the command."""
        self.folder = folder
        self.config = folder.with_suffix(".toml")
        self.metrics_port = free_port()
        self.config.write_text(config.replace("{metrics_port}", str(self.metrics_port)), encoding="utf-8")
        self._news = threading.Condition()
        self._lines: list[dict[str, Any]] = []
        self._program = [sys.executable, "-m", *program]
        self._open(command)

    def _open(self, command: str) -> None:
        options = ["--json", "--dir", str(self.folder), "--port", "0"]
        if command == "demo":
            options += ["--config", str(self.config)]
        self._server = ServerProcess([*self._program, command, *options], None, environment={})
        self.process = self._server.process
        self._reading = threading.Thread(target=self._read_log, args=(self.process,), daemon=True)
        self._reading.start()
        assert self._server.line, "\n".join(str(entry.get("line", entry)) for entry in self._log_to_its_end())
        self.port = self._server.port
        if command == "demo":
            self.facts = self._server.facts

    def _log_to_its_end(self) -> list[dict[str, Any]]:
        self._reading.join(WAIT_SECONDS_MAX)
        return self.log

    def _read_log(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"event": "not a log line", "line": line.decode(errors="replace")}
            with self._news:
                self._lines.append(entry)
                self._news.notify_all()
        process.stderr.close()

    @property
    def key(self) -> str:
        return str(self.facts["api_key"])

    @property
    def log(self) -> list[dict[str, Any]]:
        with self._news:
            return list(self._lines)

    def logged(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line of the log for which it holds, as soon as it is there."""

        def found() -> dict[str, Any] | None:
            return next((line for line in self._lines if holds(line)), None)

        with self._news:
            line = self._news.wait_for(found, WAIT_SECONDS_MAX)
        assert line is not None, self._lines[-5:]
        return line

    def defects(self) -> list[dict[str, Any]]:
        """What no caller should ever cause; a provider's trouble is the provider's. That many refusals were left out of
        the log is told once a minute, so it stands there or not."""
        lines = [line for line in self.log if line.get("event") not in ("provider_trouble", "left_out")]
        return [line for line in lines if line.get("level") not in ("info", None) or "line" in line]

    # asking

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS_MAX)

    def ask(
        self,
        body: object = None,
        path: str = "/v1/chat/completions",
        *,
        method: str = "POST",
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> PlatformReply:
        """One request on a connection of its own. key: "" sends none."""
        connection = self.connect()
        try:
            connection.request(method, path, *self.written(body, key, headers))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            try:
                return PlatformReply(answer.status, headers, answer.read())
            except http.client.IncompleteRead as cut:
                return PlatformReply(answer.status, headers, cut.partial, broken=True)
        finally:
            connection.close()

    def written(self, body: object, key: str | None, headers: dict[str, str] | None) -> tuple[bytes, dict[str, str]]:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        signed = {} if key == "" else {"Authorization": f"Bearer {key or self.key}"}
        typed = {"Content-Type": "application/json"} if body is not None else {}
        return data, {**signed, **typed, **(headers or {})}

    def raw(self, key: str | None = None, **members: Any) -> bytes:
        """A chat request as its bytes."""
        data, headers = self.written(chat(**members), key, None)
        lines = [f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": str(len(data))}.items()]
        return f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n{''.join(lines)}\r\n".encode() + data

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """The control API, as the operator may use it: over the control socket."""
        connection = http.client.HTTPConnection("control", timeout=WAIT_SECONDS_MAX)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(str(self.folder / "tollhouse.sock"))
            connection.request(method, f"/api/v1{path}", *self.written(body, "", None))
            answer = connection.getresponse()
            data = answer.read()
            assert answer.status < 300, data
            return json.loads(data)
        finally:
            connection.close()

    def metrics(self) -> str:
        """The figures of `/metrics`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=WAIT_SECONDS_MAX)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def tollhouse(self, *words: str, fails: bool = False) -> Any:
        """A command typed beside the running server; its JSON. fails: it may end with an exit code of its own."""
        done = subprocess.run(
            [*TOLLHOUSE, *words, "--json", "--dir", str(self.folder)],
            capture_output=True,
            check=not fails,
            timeout=WAIT_SECONDS_MAX,
        )
        return json.loads(done.stdout)

    # what was written down

    def record(self, request_id: str) -> UsageRecord:
        """What was written down about a call, in the database of the running server."""
        found = self.read(lambda tables: tables.requests.get(request_id))
        assert found is not None, request_id
        return found

    def read(self, question: Callable[[SqlRepositories], T]) -> T:
        return on_disk(f"sqlite:///{self.folder}/tollhouse.db", question)

    def rss_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    # its end

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self._server.wait()
        self._reading.join(WAIT_SECONDS_MAX)
        return code

    def stop(self) -> int:
        if self.process.poll() is None:
            self.signal()
            self.signal()
        return self.wait()

    def again(self) -> None:
        """Start it anew in the same folder; it must have ended."""
        self._open("demo")


def chat(model: str = "house-1", **members: Any) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **members}


def charge_nusd(record: UsageRecord, price: Mapping[str, str] = PLATFORM_1) -> int:
    """What the usage that was written down costs at a price."""
    row = Price(id="price_1", model=record.model, effective_from_ms=0, tiers=(read_rates(price),))
    return total(row, record.usage)


def events(body: bytes) -> list[Any]:
    """The data of each event; `[DONE]` as text. A stream that is cut within an event is refused."""
    assert body.endswith(b"\n\n"), body[-80:]
    datas = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    return ["[DONE]" if data == b"[DONE]" else json.loads(data) for data in datas]


def text_of(body: bytes) -> str:
    """What a chat stream said in its first choice."""
    chunks = [one for one in events(body) if one != "[DONE]" and one.get("choices")]
    return "".join(chunk["choices"][0].get("delta", {}).get("content") or "" for chunk in chunks)
