"""Wire formats, pure: one package a format, each in both directions (what a client sends us, what we send a provider).

Lives here: reading and writing requests, responses, event streams and errors, and normalising usage. A format is found
by walking this package: a package whose module `codecs` has `CODECS` and whose module `dialect` has `DIALECT`, or a
module that has them itself.
Does not live here: sockets, addresses, signing, deciding.
Who calls: `app.py`, which hands the codecs to the gateway; the edge and the simulator. The packages do not know each
other.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType, ModuleType

from tollhouse.core.codec import Codec, CodecKey
from tollhouse.core.dialect import DialectSpec

__all__ = ["codecs", "codecs_in", "dialects", "dialects_in"]


@cache
def codecs() -> Mapping[CodecKey, Codec]:
    """Every codec by its format and operation."""
    return codecs_in(import_module(__name__))


def codecs_in(package: ModuleType) -> Mapping[CodecKey, Codec]:
    """The codecs of the formats that lie in a package. Raises ValueError where two have the same format and
    operation."""
    found: dict[CodecKey, Codec] = {}
    for module in _modules(package, "codecs"):
        for codec in getattr(module, "CODECS", ()):
            key = (codec.format, codec.operation)
            if key in found:
                raise ValueError(f"two codecs of {codec.format} {codec.operation}: {module.__name__} has the second")
            found[key] = codec
    return MappingProxyType(found)


@cache
def dialects() -> Mapping[str, DialectSpec]:
    """Every dialect by its name."""
    return dialects_in(import_module(__name__))


def dialects_in(package: ModuleType) -> Mapping[str, DialectSpec]:
    """The dialects of the formats that lie in a package. Raises ValueError where two have one name."""
    found: dict[str, DialectSpec] = {}
    for module in _modules(package, "dialect"):
        dialect = getattr(module, "DIALECT", None)
        if isinstance(dialect, DialectSpec):
            if dialect.name in found:
                raise ValueError(f"two dialects are called {dialect.name}: {module.__name__} is the second")
            found[dialect.name] = dialect
    return MappingProxyType(found)


def _modules(package: ModuleType, name: str) -> Iterator[ModuleType]:
    """The modules of this name of the formats that are packages, and the formats that are one module."""
    for entry in pkgutil.iter_modules(package.__path__):
        path = f"{package.__name__}.{entry.name}"
        if entry.ispkg:
            path += f".{name}"
            if find_spec(path) is None:
                continue  # a format of which only the other part is there yet
        yield import_module(path)
