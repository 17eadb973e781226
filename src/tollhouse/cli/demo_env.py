"""demo.env: what a demo's user needs, as lines a shell can source. Written with mode 0600, kept over restarts."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tollhouse.cli.trouble import Misuse

NAMES: Final = (
    "TOLLHOUSE_BASE_URL",
    "TOLLHOUSE_API_KEY",
    "TOLLHOUSE_TEST_KEY",
    "TOLLHOUSE_ADMIN_KEY",
    "TOLLHOUSE_EMAIL",
    "TOLLHOUSE_PASSWORD",
    "TOLLHOUSE_OPERATOR_EMAIL",
    "TOLLHOUSE_OPERATOR_PASSWORD",
)
_LINE = re.compile(r"(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)", re.ASCII)


def read(path: Path) -> dict[str, str]:
    """The values that stand there; nothing where there is no file. A byte order mark and CRLF are accepted.

    Raises Misuse for a line that no shell would read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    values = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is not None:
            try:
                words = shlex.split(match.group(2), comments=True)
            except ValueError as error:
                message = f"{path}: the value of {match.group(1)} cannot be read: {error}"
                raise Misuse(message, code="unreadable_file") from error
            values[match.group(1)] = words[0] if words else ""
    return values


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file at once, so that nobody ever reads half of it."""
    text = "".join(f"{name}={shlex.quote(values[name])}\n" for name in NAMES if name in values)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as written:
        written.write("# Secrets of a demo, made once. Remove this file to have new ones made.\n" + text)
        written.flush()
        os.fsync(written.fileno())
    beside.replace(path)
