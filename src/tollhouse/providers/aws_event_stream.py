"""Streams of AWS (`application/vnd.amazon.eventstream`) as the events of the format within: what InvokeModel of Bedrock
answers, for models that have no endpoint in their vendor's own format.

A message is its length, the length of its headers, a checksum of both, headers, payload, and a checksum of it all. Its
payload holds one event of the model's own stream. A damaged message ends the stream: nothing behind it can be trusted.
Nothing calls this yet: a stream of the gateway is read as it comes.
"""

from base64 import b64decode
from binascii import crc32
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from tollhouse.core.failure import UpstreamBroke

T = TypeVar("T")

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
_PRELUDE_BYTES: Final = 12
_CRC_BYTES: Final = 4
_FIXED_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_SIZED: Final = (6, 7)  # bytes, text
_DAMAGED: Final = "The provider's stream is damaged."
_AS_TYPE: Final = {
    "throttlingException": "rate_limit_error",
    "serviceUnavailableException": "overloaded_error",
    "modelNotReadyException": "overloaded_error",
    "modelTimeoutException": "timeout_error",
    "validationException": "invalid_request_error",
    "accessDeniedException": "permission_error",
}
"""Exceptions within a stream, by the types of Anthropic's format; any other is an `api_error`."""


class AwsMessage(Struct, frozen=True):
    """`headers` holds texts only; numbers and times among them are not used."""

    headers: dict[str, str]
    payload: bytes


class _Chunk(Struct, frozen=True):
    bytes: str = ""


class _Refused(Struct, frozen=True):
    message: str = ""


class AwsEventStream:
    """Takes a stream in pieces of any size, and gives what is whole of it."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def is_between_messages(self) -> bool:
        """Whether the stream may end here."""
        return not self._pending

    def feed(self, piece: bytes) -> list[AwsMessage]:
        """The messages that this piece completes. Raises UpstreamBroke for a damaged one."""
        self._pending += piece
        found = []
        while len(self._pending) >= _PRELUDE_BYTES:
            length = _checked_length(self._pending)
            if len(self._pending) < length:
                break
            found.append(_message(bytes(self._pending[:length])))
            del self._pending[:length]
        return found


def as_events(message: AwsMessage) -> bytes:
    """What a message says, as server-sent events of the model's own format; b"" for one that says nothing.

    Raises UpstreamBroke for a payload that cannot be read.
    """
    kind = message.headers.get(":message-type", "event")
    if kind != "event":
        name: str = message.headers.get(":exception-type") or message.headers.get(":error-code", "")
        said: str = message.headers.get(":error-message") or _decoded(message.payload, _Refused).message
        error = {"type": _AS_TYPE.get(name[:1].lower() + name[1:], "api_error"), "message": said}
        return b"event: error\ndata: " + msgspec.json.encode({"type": "error", "error": error}) + b"\n\n"
    if message.headers.get(":event-type") != "chunk":
        return b""
    try:
        data = b64decode(_decoded(message.payload, _Chunk).bytes, validate=True)
        event = msgspec.json.decode(data)
    except (ValueError, msgspec.MsgspecError):
        raise UpstreamBroke(_DAMAGED) from None
    title = event.get("type") if isinstance(event, dict) else None
    if not isinstance(title, str) or not title.replace("_", "").isalnum() or not title.isascii():
        return b""
    return b"event: " + title.encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"


def _decoded(payload: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UpstreamBroke(_DAMAGED) from None


def _checked_length(data: bytearray) -> int:
    """Of the message that begins here, whole."""
    length, headers = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
    is_possible = _PRELUDE_BYTES + headers + _CRC_BYTES <= length <= MESSAGE_BYTES_MAX
    if not is_possible or crc32(data[:8]) != int.from_bytes(data[8:_PRELUDE_BYTES]):
        raise UpstreamBroke(_DAMAGED)
    return length


def _message(data: bytes) -> AwsMessage:
    if crc32(data[:-_CRC_BYTES]) != int.from_bytes(data[-_CRC_BYTES:]):
        raise UpstreamBroke(_DAMAGED)
    end = _PRELUDE_BYTES + int.from_bytes(data[4:8])
    return AwsMessage(_headers(data[_PRELUDE_BYTES:end]), data[end:-_CRC_BYTES])


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        at, name = _taken(data, at + 1, data[at])
        at, kind = _taken(data, at, 1)
        size = _FIXED_SIZES.get(kind[0])
        if kind[0] in _SIZED:
            at, length = _taken(data, at, 2)
            size = int.from_bytes(length)
        if size is None:
            raise UpstreamBroke(_DAMAGED)
        at, value = _taken(data, at, size)
        if kind[0] == _SIZED[1]:
            found[name.decode(errors="replace")] = value.decode(errors="replace")
    return found


def _taken(data: bytes, at: int, size: int) -> tuple[int, bytes]:
    if at + size > len(data):
        raise UpstreamBroke(_DAMAGED)
    return at + size, data[at : at + size]
