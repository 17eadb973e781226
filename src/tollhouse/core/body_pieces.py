"""A body written in pieces, so that nothing long in it is copied."""

from collections.abc import Iterator

import msgspec

from tollhouse.core.apart import LONG_BYTES
from tollhouse.core.members import Members
from tollhouse.core.upstream import Buffer

_encode = msgspec.json.Encoder().encode


def in_pieces(members: Members) -> Iterator[Buffer]:
    """The JSON of these members, with what is long for itself."""
    begun = bytearray()
    separator = b"{"
    for name, raw in members.items():
        begun += separator + _encode(name) + b":"
        separator = b","
        if len(raw) < LONG_BYTES:
            begun += raw
            continue
        yield bytes(begun)
        yield memoryview(raw)
        begun.clear()
    yield bytes(begun) + b"}"
