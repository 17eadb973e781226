"""The log on a terminal is read by people, elsewhere by programs."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.edge.seen_calls import FINISHED
from tollhouse.edge.log import readable

FACTS = {"generation": 3, "words": "HTTP 401: bad key", "model": None, "places": [], "ok": True, "error": ""}
EVENT = {**FACTS, "event": "configuration", "level": "info", "timestamp": "2027-01-31T12:00:00.125Z"}
_WRITER = """
import sys
from pathlib import Path
from tests.edge.seen_calls import FINISHED
from tollhouse.clock import SystemClock
from tollhouse.edge.event_log import EventLog, LogFile, open_log
out = LogFile(sys.argv[1], Path(sys.argv[2]))
log = EventLog(open_log(out, SystemClock()), out)
log.event("started", address="http://127.0.0.1:8080", note="")
log.write([FINISHED])
"""


def test_a_readable_line_is_time_event_and_what_is_not_empty() -> None:
    line = readable(dict(EVENT), colours=False).decode()
    assert line == '12:00:00.125Z configuration generation=3 words="HTTP 401: bad key" ok=true'


def test_a_warning_says_so() -> None:
    assert readable({**EVENT, "level": "warning"}, colours=False).startswith(b"12:00:00.125Z warning configuration ")


def test_colours_change_nothing_but_colours() -> None:
    coloured = readable(dict(EVENT), colours=True).decode()
    assert "\033[" in coloured
    for code in ("\033[0m", "\033[1m", "\033[2m"):
        coloured = coloured.replace(code, "")
    assert coloured == readable(dict(EVENT), colours=False).decode()


@pytest.mark.parametrize("text", ["a\nb", "\033[31mred", "\u202eturned", 'quo"te', "a=b", "half \ud83d", "", "\x00"])
def test_what_a_caller_wrote_can_neither_begin_a_line_nor_move_a_cursor(text: str) -> None:
    line = readable({**EVENT, "words": text}, colours=False).decode()
    assert line.isprintable()
    assert "forged" not in readable({**EVENT, "words": "x forged=1"}, colours=False).decode().replace(
        '"x forged=1"', ""
    )


def _on_terminal(tmp_path: Path, log: str, **environment: str) -> str:
    """What a process shows on a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    command = [sys.executable, "-c", _WRITER, log, str(tmp_path)]
    subprocess.run(command, stderr=theirs, env=base | {"TERM": "xterm"} | environment, check=True, timeout=60)
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # Linux ends a terminal so
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return shown.decode()


def _parsed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_terminal_shows_lines_with_colours(tmp_path: Path) -> None:
    started, request = _on_terminal(tmp_path, "stderr").splitlines()
    assert "\033[1mstarted\033[0m" in started
    assert started.endswith("address=\033[0mhttp://127.0.0.1:8080")
    assert f"request_id=\033[0m{FINISHED.id}" in request


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_shows_the_same_plainly(tmp_path: Path, environment: dict[str, str]) -> None:
    started, request = _on_terminal(tmp_path, "stderr", **environment).splitlines()
    assert started.endswith("Z started address=http://127.0.0.1:8080")
    assert f" request request_id={FINISHED.id} " in request


def test_a_file_has_json_also_beside_a_terminal(tmp_path: Path) -> None:
    assert _on_terminal(tmp_path, "calls.log") == ""
    started, request = _parsed((tmp_path / "calls.log").read_text())
    assert (started["event"], started["level"], request["event"]) == ("started", "info", "request")


def test_a_pipe_has_json(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _WRITER, "stderr", str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    started, request = _parsed(ran.stderr)
    assert started["address"] == "http://127.0.0.1:8080"
    assert started["timestamp"].endswith("Z")
    assert request["request_id"] == FINISHED.id
