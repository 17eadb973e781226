"""Undoes a provider's Content-Encoding piece by piece. We ask for `identity`; some compress all the same.

Heads are wrong both ways: caches give what they keep compressed without saying so, and proxies that have unpacked an
answer leave the head that says gzip. Neither JSON nor events begin as gzip does, so the first bytes tell.

Unpacking happens when somebody reads, at most one piece at a time, so that a small answer cannot become large memory.
"""

import zlib
from typing import Final

from tollhouse.core.failure import UpstreamBroke

PIECE_BYTES: Final = 65_536
_GZIP_BITS: Final = 31
_ZLIB_BITS: Final = 15
_KNOWN: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})
_NONE: Final = frozenset({b"", b"identity", b"none", b"utf-8", b"utf8", b"binary", b"8bit", b"text", b"aws-chunked"})
"""What servers write there that is no compression."""
_GZIP_START: Final = b"\x1f\x8b\x08"
PACKED_BYTE: Final = 0x1F
"""With which alone a body can begin that is packed."""
_START_BYTES: Final = 7  # as many as tell
_PLAIN_STARTS: Final = (b"{", b"[", b"data:", b"event:", b"id:", b"retry:", b":")


def is_known(encoding: bytes) -> bool:
    return encoding in _KNOWN


def compression_of(value: bytes) -> bytes:
    """What a head says about compression; empty where it says that there is none."""
    return b", ".join([one for one in (part.strip() for part in value.split(b",")) if one not in _NONE])


def is_packed(start: bytes) -> bool:
    """Whether a body that nobody calls compressed begins like gzip."""
    return start[: len(_GZIP_START)] == _GZIP_START[: len(start)]


class Decoder:
    """`feed` takes what came, `pull` gives what it unpacks to. Both raise UpstreamBroke where the data is damaged."""

    def __init__(self, encoding: bytes, bytes_max: int) -> None:
        self._gzip = encoding != b"deflate"
        self._bytes_max = bytes_max
        self._total = 0
        self._input = b""
        self._inflate: zlib._Decompress | None = None
        self._pending = False  # the last piece was full: zlib may hold more without further input
        self._members = 0
        self._begun = False
        self._plain = False  # whatever its head says

    def feed(self, data: bytes) -> None:
        self._input += data

    def pull(self) -> bytes:
        """The next piece, at most PIECE_BYTES; b"" when more input is needed."""
        if not self._begun and self._input:
            start = self._input.lstrip()
            if len(start) < _START_BYTES and any(plain.startswith(start) for plain in _PLAIN_STARTS):
                return b""
            self._begun, self._plain = True, start.startswith(_PLAIN_STARTS)
        if self._plain:
            piece, self._input = self._input[:PIECE_BYTES], self._input[PIECE_BYTES:]
            return piece
        while self._input or self._pending:
            if self._inflate is None and not self._begin():
                return b""
            assert self._inflate is not None
            try:
                piece = self._inflate.decompress(self._input, PIECE_BYTES)
            except zlib.error:
                raise UpstreamBroke("the provider's compressed answer is damaged") from None
            self._input = self._inflate.unconsumed_tail
            self._pending = len(piece) == PIECE_BYTES
            if self._inflate.eof:
                self._input, self._inflate, self._pending = self._inflate.unused_data, None, False
                self._members += 1
            if piece:
                self._total += len(piece)
                if self._total > self._bytes_max:
                    raise UpstreamBroke(
                        f"the provider's compressed answer unpacks to more than {self._bytes_max} bytes"
                    )
                return piece
        return b""

    def finish(self) -> None:
        """The input has ended. An empty body is fine whatever its encoding claims."""
        if self._inflate is not None or self._input:
            raise UpstreamBroke("the provider's compressed answer ended early")

    def _begin(self) -> bool:
        """Start a member; gzip may have several in a row. False while too little is known."""
        if self._gzip:
            self._inflate = zlib.decompressobj(_GZIP_BITS)
            return True
        if self._members:
            raise UpstreamBroke("the provider's compressed answer goes on after its end")
        if len(self._input) < 2:
            return False
        # `deflate` means zlib's wrapping, but some send the bare stream: a wrapping is known by its two bytes.
        wrapped = self._input[0] & 0x0F == 8 and int.from_bytes(self._input[:2], "big") % 31 == 0
        self._inflate = zlib.decompressobj(_ZLIB_BITS if wrapped else -_ZLIB_BITS)
        return True
