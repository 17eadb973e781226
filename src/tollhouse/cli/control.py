"""How a command reaches the platform: through the control socket of the server that runs, else alone on the database.

Both ways lead through the same application and the same table of routes, so that a command means the same either way.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.control_socket import Unreadable, exchange
from tollhouse.cli.lock import FolderLock
from tollhouse.cli.routes import ROUTES
from tollhouse.cli.terminal import Answer
from tollhouse.cli.trouble import FAILED, MISUSED, CommandFailed
from tollhouse.clock import SystemClock

_SECONDS_MAX = 120
_BUSY_SECONDS_MAX = 30


class ControlRequest(Struct, frozen=True, kw_only=True):
    """A request as it goes out."""

    method: str
    target: str
    content_type: str
    body: bytes


class ServerNotRunning(Exception):
    """No server runs on this data folder."""


def call(
    options: CommonOptions,
    name: str,
    object_id: str = "",
    *,
    body: Mapping[str, object] | None = None,
    file: bytes = b"",
    seconds_max: int = _SECONDS_MAX,
) -> Answer:
    """Do the action that the table calls `name`; what is None is not given. `seconds_max`: how long a server may take.

    Raises Trouble.
    """
    asked = {key: _in_utf8(value) for key, value in (body or {}).items() if value is not None}
    wire = _wire(name, _in_utf8(object_id), asked, file)
    status, data = _ask_somebody(options, wire, seconds_max)
    answer = msgspec.json.decode(data) if data else {}
    if status >= 400:
        error: dict[str, Any] = answer.get("error", {})
        exit_code = MISUSED if status in (400, 413) else FAILED
        raise CommandFailed(
            error.get("message", f"HTTP {status}"), code=error.get("code") or "failed", exit_code=exit_code
        )
    assert isinstance(answer, dict)
    return answer


def _in_utf8(value: Any) -> Any:
    """What was typed, as the UTF-8 that it is, where the locale names another encoding and Python kept its bytes."""
    if isinstance(value, dict):
        return {_in_utf8(key): _in_utf8(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_in_utf8(one) for one in value]
    if not isinstance(value, str) or value.isprintable():
        return value
    return os.fsencode(value).decode("utf-8", "replace")


def _ask_somebody(options: CommonOptions, wire: ControlRequest, seconds_max: int) -> tuple[int, bytes]:
    """The server that runs; without one, this process, once nobody else works on the folder."""
    clock, pause = SystemClock(), threading.Event()
    until_ns = clock.ticks_ns() + _BUSY_SECONDS_MAX * 1_000_000_000
    while True:
        try:
            return ask(options.socket, wire, seconds_max)
        except ServerNotRunning:
            lock = FolderLock(options.lock)
            if lock.take():
                from tollhouse.cli import alone  # the database takes half a second to load: not where a server runs

                with lock:
                    return alone.ask(options, wire.method, wire.target, wire.content_type, wire.body)
        if clock.ticks_ns() > until_ns:
            raise CommandFailed(f"{FolderLock(options.lock).sentence()}; it does not answer", code="folder_in_use")
        pause.wait(0.05)  # a server that starts, or another command: both are short


def ask(path: Path, wire: ControlRequest, seconds_max: int = _SECONDS_MAX) -> tuple[int, bytes]:
    """One request over the control socket. Raises ServerNotRunning, Trouble."""
    try:
        return exchange(path, wire.method, wire.target, wire.content_type, wire.body, seconds_max)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
        raise ServerNotRunning(str(path)) from error
    except PermissionError as error:
        raise CommandFailed(
            f"{path} may be opened by the user who runs the server only", code="not_permitted"
        ) from error
    except (OSError, Unreadable) as error:
        message = f"the server on {path} did not answer: {error}; whether the change was made is not known"
        raise CommandFailed(message, code="no_answer") from error


def _wire(name: str, object_id: str, fields: Mapping[str, object], file: bytes) -> ControlRequest:
    method, path, gives = ROUTES[name]
    target = path.replace("{id}", quote(object_id, safe=""))
    if gives != "json":
        query = urlencode(list(fields.items()), doseq=True)
        content_type = "application/octet-stream" if gives == "file" else ""
        target = f"{target}?{query}" if query else target
        return ControlRequest(method=method, target=target, content_type=content_type, body=file)
    body = msgspec.json.encode(fields)
    return ControlRequest(method=method, target=target, content_type="application/json", body=body)
