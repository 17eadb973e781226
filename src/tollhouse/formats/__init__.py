"""Wire formats, pure: one package a format, each in both directions (what a client sends us, what we send a provider).

Lives here: reading and writing requests, responses, event streams and errors, and normalising usage. A format is found
by walking this package: a package whose module `codecs` has `CODECS`, or a module that has it itself.
Does not live here: sockets, addresses, signing, deciding.
Who calls: `app.py`, which hands the codecs to the gateway; the edge and the simulator. The packages do not know each
other.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType, ModuleType

from tollhouse.core.codec import Codec, CodecKey

__all__ = ["codecs", "codecs_in"]


@cache
def codecs() -> Mapping[CodecKey, Codec]:
    """Every codec by its format and operation."""
    return codecs_in(import_module(__name__))


def codecs_in(package: ModuleType) -> Mapping[CodecKey, Codec]:
    """The codecs of the formats that lie in a package. Raises ValueError where two have the same format and
    operation."""
    found: dict[CodecKey, Codec] = {}
    for entry in pkgutil.iter_modules(package.__path__):
        name = f"{package.__name__}.{entry.name}"
        if entry.ispkg:
            name += ".codecs"
            if find_spec(name) is None:
                continue  # a format of which no operation is read yet
        for codec in getattr(import_module(name), "CODECS", ()):
            key = (codec.format, codec.operation)
            if key in found:
                raise ValueError(f"two codecs of {codec.format} {codec.operation}: {name} has the second")
            found[key] = codec
    return MappingProxyType(found)
