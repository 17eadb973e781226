"""JSON that a provider sent, read as kindly as its grammar allows, and JSON of ours.

A number too large for a float is infinite, and half of a surrogate pair may stand alone where a server cut a character
in two: decoders that are quicker refuse both.
"""

import json
import math
from typing import Any

import msgspec

from tollhouse.core.failure import UpstreamBroke

Object = dict[str, object]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decode(data: bytes) -> Object:
    """Decode a JSON object. Raises UpstreamBroke for anything else."""
    value = decode_any(data)
    if not isinstance(value, dict):
        raise UpstreamBroke("The provider sent an event that is no JSON object.")
    return value


def decode_any(data: bytes) -> object:
    """Decode whatever JSON has; a number too large for a float is infinite. Raises UpstreamBroke for no JSON."""
    try:
        if not data.isascii():
            data.decode()
        value: object = _decode(data)
    except UnicodeDecodeError:
        raise UpstreamBroke("The provider sent an event that is not UTF-8 text.") from None
    except (msgspec.DecodeError, RecursionError):
        value = _decode_with_half_pairs(data)
    return value


def json_object(text: str) -> dict[str, Any] | None:
    """The object that a text of JSON is, as the arguments of a call are; None: it is none."""
    try:
        value = decode_any(text.encode(errors="replace"))
    except UpstreamBroke:
        return None
    return value if isinstance(value, dict) else None


def members_of(data: bytes, chunk: Object) -> Object:
    """The top-level members of an event, raw where they can be, so that they are written as they came."""
    try:
        return dict(_members(data))
    except (msgspec.DecodeError, RecursionError):
        return chunk


def encode(value: object) -> bytes:
    try:
        return _encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can say it
        return json.dumps(finite(value), separators=(",", ":")).encode()


def finite(value: object) -> object:
    """JSON has no infinity: what was too large to read is null, as the quicker encoder has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [finite(one) for one in value]
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    return finite(decode_any(bytes(value))) if isinstance(value, msgspec.Raw) else value


def _decode_with_half_pairs(data: bytes) -> object:
    """JSON as its grammar has it: half of a surrogate pair may stand alone where a server cut a character in two."""
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UpstreamBroke("The provider sent an event that is not JSON.") from None


def _refuse(constant: str) -> object:
    raise ValueError(constant)
