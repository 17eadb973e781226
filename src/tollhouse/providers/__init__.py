"""Kinds of providers: where one is reached, how a call is signed, what it speaks, and how its errors read.

Lives here: one file a kind, found by walking this package for a module with `KIND`, and `presets` with a table of
`KINDS` that differ in a few facts; beside them what kinds share (`kind`, `targets`, `openai_target`, `openai_errors`,
`error_rules`, `headers`, `betas`, `aws_call`, `credentials`, `oauth`, `body_hash`) and the rules for what operators
write (`base_url`, `base_path`, `api_keys`).
Does not live here: sockets (`upstream/`), choosing between providers (`routing/`), bodies (`formats/`).
Who calls: the gateway for each attempt, `app.py` and the services when configuration is read. Files of two kinds do not
know each other.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from tollhouse.core.discovery import declared
from tollhouse.providers.kind import Fault, Kind

__all__ = ["Fault", "Kind", "kinds"]


@cache
def kinds(package: str = __name__) -> Mapping[str, Kind]:
    """Every kind of a package by its name, in the order of their names: what `kind = "..."` may say in
    platform.toml."""
    found = {kind.name: kind for kind in declared((package,), "KIND", Kind)}
    for table in declared((package,), "KINDS", tuple):
        found |= {kind.name: kind for kind in table}
    return MappingProxyType(dict(sorted(found.items())))
