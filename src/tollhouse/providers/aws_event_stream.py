"""The event stream of AWS (`application/vnd.amazon.eventstream`), in which some of its services frame what a model
streams, told as server-sent events.

A message is: length of all (4 bytes), length of the headers (4), CRC-32 of these eight bytes (4), headers, payload,
CRC-32 of all before (4); every number big-endian. A header is: length of its name (1), name, type (1), value. Of
InvokeModelWithResponseStream a payload of `:event-type: chunk` holds one event of the vendor's own stream as base64.
A message of the type `exception` or `error` is told as an event `error`, which is read like any error of the provider.

Source: AWS documentation, "Event stream encoding" and "InvokeModelWithResponseStream"; the tests compare with botocore.
"""

from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from struct import Struct as Layout
from types import MappingProxyType
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct

from tollhouse.core.failure import UpstreamBroke

CONTENT_TYPE: Final = b"application/vnd.amazon.eventstream"
MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""AWS allows six times as much; an event of a model's stream is a few kilobytes, and is read on the event loop."""
_HEADER_BYTES_MAX: Final = 128 * 1024
_PRELUDE: Final = Layout(">III")
_CHECKSUM: Final = Layout(">I")
_LENGTH: Final = Layout(">H")
_FRAME_BYTES: Final = _PRELUDE.size + _CHECKSUM.size
_STRING: Final = 7
_BYTES: Final = 6
_FIXED: Final[Mapping[int, int]] = MappingProxyType({0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16})
"""Bytes of the value, of the types whose values have a length of their own: booleans, integers, times, ids."""

DAMAGED: Final = "The provider's event stream is damaged."


class _Chunk(Struct):
    bytes: str


class _Said(Struct):
    """The vendor's own event, as far as its name is needed."""

    type: str = ""


_chunk = msgspec.json.Decoder(_Chunk).decode
_said = msgspec.json.Decoder(_Said).decode
_encode = msgspec.json.Encoder().encode


class AwsEventStream:
    """See `kind.Framing`. Its work is linear in the bytes taken."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> bytes:
        buffer = self._buffer
        buffer += data
        out: list[bytes] = []
        begin = 0
        while len(buffer) - begin >= _PRELUDE.size:
            length, header_length, checksum = _PRELUDE.unpack_from(buffer, begin)
            if checksum != crc32(buffer[begin : begin + 8]):
                raise UpstreamBroke(DAMAGED)
            if header_length > _HEADER_BYTES_MAX or not header_length + _FRAME_BYTES <= length <= MESSAGE_BYTES_MAX:
                raise UpstreamBroke(DAMAGED)
            if len(buffer) - begin < length:
                break
            message = bytes(buffer[begin : begin + length])
            begin += length
            if _CHECKSUM.unpack_from(message, length - _CHECKSUM.size)[0] != crc32(message[: -_CHECKSUM.size]):
                raise UpstreamBroke(DAMAGED)
            headers_end = _PRELUDE.size + header_length
            headers = dict(_headers(message[_PRELUDE.size : headers_end]))
            out.append(_event_of(headers, message[headers_end : -_CHECKSUM.size]))
        del buffer[:begin]
        return b"".join(out)

    def finish(self) -> None:
        if self._buffer:
            raise UpstreamBroke("The provider's event stream ended in the middle of a message.")


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """The headers whose value is text. Raises UpstreamBroke where they are none."""
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name, kind = data[at + 1 : name_end], data[name_end : name_end + 1]
        at = name_end + 1
        if not kind:
            raise UpstreamBroke(DAMAGED)
        size = _FIXED.get(kind[0])
        if size is None:
            if kind[0] not in (_STRING, _BYTES) or at + _LENGTH.size > len(data):
                raise UpstreamBroke(DAMAGED)
            size = _LENGTH.unpack_from(data, at)[0]
            at += _LENGTH.size
        value = data[at : at + size]
        at += size
        if at > len(data):
            raise UpstreamBroke(DAMAGED)
        if kind[0] == _STRING:
            yield name.decode(errors="replace"), value.decode(errors="replace")


def _event_of(headers: dict[str, str], payload: bytes) -> bytes:
    """A message as a server-sent event; nothing where it says nothing."""
    kind = headers.get(":message-type", "event")
    if kind == "error":
        return _error(headers.get(":error-code", ""), headers.get(":error-message", ""))
    if kind == "exception":
        return _error(headers.get(":exception-type", ""), _message_of(payload))
    if headers.get(":event-type") != "chunk":
        return b""
    try:
        said = a2b_base64(_chunk(payload).bytes)
        name = _said(said).type
    except (ValueError, msgspec.MsgspecError):
        raise UpstreamBroke(DAMAGED) from None
    said = said.replace(b"\n", b" ").replace(b"\r", b" ")  # between the members of its JSON: in none of its strings
    return b"event: %b\ndata: %b\n\n" % (name.encode(), said) if name.isidentifier() else b"data: %b\n\n" % said


def _error(code: str, message: str) -> bytes:
    error = {"type": "error", "error": {"type": code, "message": message}}
    return b"event: error\ndata: %b\n\n" % _encode(error)


def _message_of(payload: bytes) -> str:
    """What an exception says. Of an error of the model itself that is in `originalMessage`."""
    try:
        said = msgspec.json.decode(payload, type=dict[str, object])
    except msgspec.MsgspecError:
        return ""
    texts = (said.get(name) for name in ("originalMessage", "message", "Message"))
    return next((text for text in texts if isinstance(text, str) and text), "")
