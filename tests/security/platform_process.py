"""A whole platform in a process of its own, `tollhouse demo`, and how to speak with it: HTTP, and as its operator."""

import json
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.edge.wire_client import PATIENCE_SECONDS, RawClient, WireAnswer
from tests.support.server_process import QUIET, TOLLHOUSE, ServerProcess, free_port
from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.control import call
from tollhouse.edge.paths import find

JSON = {"Content-Type": "application/json"}
BOUNDARY = "a-boundary"
ABSOLUTE = re.compile(rb"\Ahttps?://[^/]*", re.IGNORECASE)
STATUS_OF_ANTHROPIC = {402: 429, 529: 503}
CODES_OF_ANTHROPIC = {
    (400, "invalid_request_error"): "invalid_request_error",
    (401, "authentication_error"): "invalid_api_key",
    (402, "billing_error"): "insufficient_quota",
    (403, "permission_error"): "permission_error",
    (404, "not_found_error"): "model_not_found",
    (405, "invalid_request_error"): "method_not_allowed",
    (408, "invalid_request_error"): "request_timeout",
    (409, "conflict_error"): "conflict",
    (413, "request_too_large"): "request_too_large",
    (415, "invalid_request_error"): "invalid_request_error",
    (426, "invalid_request_error"): "upgrade_required",
    (429, "rate_limit_error"): "rate_limit_exceeded",
    (431, "invalid_request_error"): "headers_too_large",
    (500, "api_error"): "server_error",
    (502, "api_error"): "upstream_error",
    (503, "api_error"): "model_not_priced",
    (504, "timeout_error"): "upstream_timeout",
    (529, "overloaded_error"): "overloaded",
}
"""What a type of Anthropic's errors stands for, where it stands for one failure, or usually does."""


class DemoReply(Struct, frozen=True):
    """An answer, read whole."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object, whatever the dialect."""
        found = self.json["error"]
        assert isinstance(found, dict)
        return found

    @property
    def code(self) -> str:
        """Our own code, also where the dialect has no place for one but its details (gemini), or none (anthropic)."""
        error = self.error
        if "code" not in error:
            return CODES_OF_ANTHROPIC[self.status, error["type"]]
        return str(error["details"][0]["reason"] if "details" in error else error["code"])

    @property
    def verdict(self) -> tuple[int, str]:
        """The status and, of a refusal, the code. What Anthropic's dialect tells by a status of its own has that of the
        others here."""
        return STATUS_OF_ANTHROPIC.get(self.status, self.status), self.code if self.status >= 400 else ""


class DemoPlatform:
    """A running platform. `config`: a platform.toml in place of the demo's catalogue, with a provider of its own;
    `environment`: besides the test's."""

    def __init__(self, folder: Path, config: str = "", environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self.out = folder.with_suffix(".out")
        written = folder.with_suffix(".toml")
        written.write_text(config, encoding="utf-8")
        self.metrics_port = free_port()
        words = ["demo", "--json", "--port", "0", "--dir", str(folder), "--config", str(written)]
        around = {**QUIET, "TOLLHOUSE_METRICS_ADDRESS": f"127.0.0.1:{self.metrics_port}", **(environment or {})}
        self._server = ServerProcess([*TOLLHOUSE, *words], self.log, environment=around)
        self.process = self._server.process
        self.out.write_bytes(self._server.line)
        self.facts: dict[str, str] = self._server.facts
        self.port = self._server.port
        self.options = CommonOptions(chosen=folder)

    def close(self) -> None:
        """End it as an operator does, and keep what it printed meanwhile."""
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        with self.out.open("ab") as out:
            out.write(rest)

    def ask(
        self,
        method: str,
        target: str | bytes,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        host: str = "127.0.0.1",
    ) -> DemoReply:
        """One request on its own connection, byte for byte as written: nothing is normalised on the way. A JSON object
        for an endpoint that takes forms is sent as one."""
        target = target.encode() if isinstance(target, str) else target
        headers, body = as_form(target, headers or {}, body)
        lines = [b"%b %b HTTP/1.1" % (method.encode(), target), f"Host: {host}".encode()]
        lines += [f"{name}: {value}".encode() for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return self.send(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""), to_head=method == "HEAD")

    def send(self, data: bytes, *, to_head: bool = False) -> DemoReply:
        with RawClient(self.port) as wire:
            answer = wire.send(data).answer(to_head=to_head)
        assert isinstance(answer, WireAnswer)
        return DemoReply(answer.status, answer.headers, answer.body)

    def post(self, path: str, key: str, body: object, headers: Mapping[str, str] | None = None) -> DemoReply:
        """A JSON body, sent with a key as most people send it."""
        return self.ask("POST", path, {**JSON, **bearer(key), **(headers or {})}, json.dumps(body).encode())

    def get(self, target: str, key: str = "", headers: Mapping[str, str] | None = None) -> DemoReply:
        return self.ask("GET", target, {**(bearer(key) if key else {}), **(headers or {})})

    def operator(self, transaction: str, object_id: str = "", /, **given: object) -> Mapping[str, Any]:
        """An action of the control API, through the control socket."""
        return call(self.options, transaction, object_id, body=given)

    def key(self, name: str, **given: object) -> str:
        """The secret of a new key of the demo's account, unless `account` names another."""
        made = self.operator("keys.create", name=name, **{"account": "demo", **given})
        return str(made["secret"])


def as_form(target: bytes, headers: Mapping[str, str], body: bytes | None) -> tuple[Mapping[str, str], bytes | None]:
    """A request in JSON as its endpoint takes it; what is no JSON, or goes elsewhere, as it is."""
    path = ABSOLUTE.sub(b"", target).partition(b"?")[0]
    endpoint = find(path.decode("latin-1"))
    if endpoint is None or not endpoint.form or headers.get("Content-Type") != JSON["Content-Type"]:
        return headers, body
    try:
        members = json.loads(body or b"")
    except (ValueError, RecursionError):
        return headers, body
    if not isinstance(members, dict) or "model" not in members:
        return headers, body
    form = b""
    for name, value in members.items():
        text = value if isinstance(value, str) else json.dumps(value)
        said = f'"{name}"; filename="{text}"' if name in ("file", "image") else f'"{name}"'
        form += f"--{BOUNDARY}\r\nContent-Disposition: form-data; name={said}\r\n\r\n{text}\r\n".encode()
    changed = {**headers, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return changed, form + f"--{BOUNDARY}--\r\n".encode()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
