"""Finding what packages declare: one thing a file, under a name that all files of its kind use.

Who adds a thing adds a file; no list names it.
"""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def modules_of(package: str) -> Iterator[tuple[str, ModuleType]]:
    """Every module that lies in a package, by its own name. Imports each."""
    for entry in pkgutil.iter_modules(import_module(package).__path__):
        yield entry.name, import_module(f"{package}.{entry.name}")


def declared(packages: Iterable[str], name: str, kind: type[T]) -> Iterator[T]:
    """What modules of these packages hold under `name`, where it is of this kind."""
    for package in packages:
        for _, module in modules_of(package):
            value = getattr(module, name, None)
            if isinstance(value, kind):
                yield value
