"""Finding the limit kinds: every module of a package that holds a `KIND`."""

from functools import cache

from tollhouse.core.discovery import declared
from tollhouse.limits.kind import LimitKindSpec

HERE = __name__.rpartition(".")[0]


@cache
def limit_kinds(*packages: str) -> tuple[LimitKindSpec, ...]:
    """The kinds in packages named by their dotted names, in their declared order; none named: those that come with the
    platform. Raises ValueError for two of one name."""
    found: dict[str, LimitKindSpec] = {}
    for kind in declared(packages or (HERE,), "KIND", LimitKindSpec):
        if kind.name in found:
            raise ValueError(f"two limit kinds have the name {kind.name}")
        found[kind.name] = kind
    return tuple(sorted(found.values(), key=lambda kind: (kind.order, kind.name)))
