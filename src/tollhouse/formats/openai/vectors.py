"""Vectors in the encoding that was asked for, whichever a provider answers in.

`encoding_format` is `float` (also where nobody names it) or `base64`: float32, little endian. Clients ask for one and
read nothing else: several decode whatever comes as base64, and find empty vectors. Many servers know only one of them.
"""

import binascii
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.model_request import VectorEncoding
from tollhouse.core.raw_members import UNREAD

_IN_BASE64: Final = re.compile(rb'"embedding"\s*:\s*"')
_IN_FLOATS: Final = re.compile(rb'"embedding"\s*:\s*\[')
_TYPES: Final = ("output_dtype", "embedding_types", "embeddingTypes", "embedding_type")
_FLOAT: Final = (b'"float"', b'["float"]', b'"float32"')

_members = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode
_floats = msgspec.json.Decoder(list[float]).decode
_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


def asked(members: Mapping[str, Raw]) -> VectorEncoding:
    """What a request asks for."""
    if any(bytes(members[name]).replace(b" ", b"") not in (*_FLOAT, b"null") for name in _TYPES if name in members):
        return "other"
    named = bytes(members.get("encoding_format", b"null"))
    if named in (b"null", b'"float"'):
        return "float"
    return "base64" if named == b'"base64"' else "other"


def differs(body: bytes, encoding: VectorEncoding) -> bool:
    """Whether any vector of an answer may be in the other encoding. A search: a millisecond for a megabyte."""
    if encoding == "other":
        return False
    return (_IN_BASE64 if encoding == "float" else _IN_FLOATS).search(body) is not None


def encoded(body: bytes, encoding: VectorEncoding) -> bytes:
    """The body of an answer with its vectors in this encoding, in their order, all else as it came.

    What is no vector of numbers, or of numbers that no float32 holds, stays as it is.
    """
    if not differs(body, encoding):
        return body
    try:
        members = _members(body)
        entries = [_entry(raw, encoding) for raw in _list(members["data"])]
    except (*UNREAD, KeyError):
        return body
    return _encode({**members, "data": entries})


def _entry(raw: Raw, encoding: VectorEncoding) -> Raw | dict[str, Raw]:
    try:
        entry = _members(raw)
        vector = _to_base64(entry["embedding"]) if encoding == "base64" else _to_floats(entry["embedding"])
    except (*UNREAD, KeyError, struct.error, OverflowError, binascii.Error, ValueError):
        return raw
    return {**entry, "embedding": Raw(_encode(vector))}


def _to_base64(raw: Raw) -> str:
    vector = _floats(raw)
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _to_floats(raw: Raw) -> list[float]:
    data = b64decode(_text(raw), validate=True)
    return list(struct.unpack(f"<{len(data) // 4}f", data))
