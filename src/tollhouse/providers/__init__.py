"""Kinds of providers: where one is reached, how a call is signed, what it speaks, and how its errors read.

Lives here: one file a kind, found by walking this package for a module with `KIND`; beside them what kinds share
(`kind`, `openai_target`, `openai_errors`, `headers`, `credentials`, `oauth`, `body_hash`) and the rules for what
operators write (`base_url`, `api_keys`).
Does not live here: sockets (`upstream/`), choosing between providers (`routing/`), bodies (`formats/`).
Who calls: the gateway for each attempt, `app.py` and the services when configuration is read. Files of two kinds do not
know each other.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from tollhouse.providers.kind import Fault, Kind

__all__ = ["Fault", "Kind", "kinds"]


@cache
def kinds(package: str = __name__) -> Mapping[str, Kind]:
    """Every kind of a package by its name, in the order of their names: what `kind = "..."` may say in
    platform.toml."""
    found: dict[str, Kind] = {}
    for entry in pkgutil.iter_modules(import_module(package).__path__):
        kind = getattr(import_module(f"{package}.{entry.name}"), "KIND", None)
        if isinstance(kind, Kind):
            found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))
