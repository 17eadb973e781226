"""API keys that stand in platform.toml where a name or a text is expected, which is shown and stored as it is."""

from collections.abc import Mapping
from typing import Final

from tollhouse.access.exposed import exposed
from tollhouse.office.findings import Findings
from tollhouse.office.toml_text import KeyPath

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


def find(path: KeyPath, given: object, found: Findings) -> None:
    """Look at every name of the file, and at every text that is no secret."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            if (words := exposed(name)) is not None:
                found.wrong((*path, name), words)
            find((*path, name), value, found)
    elif isinstance(given, list):
        for value in given:
            find(path, value, found)
    elif isinstance(given, str) and not _is_secret(path) and (words := exposed(given)) is not None:
        found.wrong(path, words)


def _is_secret(path: KeyPath) -> bool:
    return bool({(path[0], name) for name in path[1:3]} & _SECRETS)
