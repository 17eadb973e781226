"""What no name and no text of platform.toml may be: an API key where it would be shown, a path whose backslashes became
control characters, a variable that nobody fills in."""

import re
from collections.abc import Mapping
from typing import Final

from tollhouse.access.exposed import exposed
from tollhouse.services.findings import Findings
from tollhouse.services.toml_text import KeyPath

_SECRETS: Final = frozenset(
    {
        ("providers", "api_keys"),
        ("providers", "headers"),
        ("providers", "proxy"),
        ("server", "master_key"),
        ("server", "database"),
        ("mail", "smtp"),
    }
)
"""Where a secret may be written: a section's setting, or what [providers.ID] holds. None of them is ever shown."""

_DRIVE: Final = re.compile(r"(?:file:)?[A-Za-z]:[\x08\x09\x0a\x0c\x0d\x1b]")
_VARIABLE: Final = re.compile(r"\$\{?\w+\}?|\$env:\w+|%\w+%|\{\{.*\}\}|\$\{\{.*\}\}|\$\(.*\)", re.ASCII)


def check(path: KeyPath, given: object, found: Findings) -> None:
    """Look at every name of the file, and at every text."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            if (words := exposed(name)) is not None:
                found.wrong((*path, name), words)
            check((*path, name), value, found)
    elif isinstance(given, list):
        for value in given:
            check(path, value, found)
    elif isinstance(given, str):
        _check_text(path, given, found)


def _check_text(path: KeyPath, text: str, found: Findings) -> None:
    if not _is_secret(path) and (words := exposed(text)) is not None:
        found.wrong(path, words)
    elif _DRIVE.match(text) is not None:
        found.wrong(path, "its backslashes began escapes: write a path in single quotes, or with /")
    elif path[2:3] != ("api_keys",) and _VARIABLE.fullmatch(text.strip()) is not None:
        cure = "write env:NAME" if _is_secret(path) else "write the value itself"
        found.wrong(path, f"no variable is filled in here: {cure}")


def _is_secret(path: KeyPath) -> bool:
    return bool({(path[0], name) for name in path[1:3]} & _SECRETS)
