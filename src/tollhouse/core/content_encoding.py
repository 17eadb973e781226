"""Request bodies that came compressed: unpacked piece by piece, so that a small one cannot become large memory.

Names as in the registry of HTTP content codings: gzip (RFC 1952), deflate (RFC 1950; some send RFC 1951 bare), br (RFC
7932), zstd (RFC 8878).
"""

import io
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from importlib import import_module
from typing import Final

from tollhouse.core.failure import BadRequest, RequestTooLarge

PIECE_BYTES: Final = 64 * 1024
"""What is unpacked at once, at most."""
MEMBERS_MAX: Final = 1_000
"""Of gzip, one after the other: each costs as much as some kilobytes, and may be empty."""
WINDOW_BYTES_MAX: Final = 8 * 1024 * 1024
"""What zstd may have to remember: as much as its format wants every decoder to support."""


def unpack(body: bytes, encoding: str, bytes_max: int) -> bytes:
    """The whole of a body. encoding: one of ENCODINGS. Raises BadRequest for what is damaged, RequestTooLarge beyond
    `bytes_max`."""
    return b"".join(_pieces(body, encoding, bytes_max))


def unpacked_size(body: bytes, encoding: str, bytes_max: int) -> int:
    """How many bytes it would be, without keeping them. Raises as `unpack`."""
    return sum(map(len, _pieces(body, encoding, bytes_max)))


def _pieces(body: bytes, encoding: str, bytes_max: int) -> Iterator[bytes]:
    total = 0
    for piece in _READERS[encoding](body):
        total += len(piece)
        if total > bytes_max:
            raise RequestTooLarge(f"the request body unpacks to more than the {bytes_max} bytes this platform takes")
        yield piece


def _gzip(body: bytes) -> Iterator[bytes]:
    """Members may follow each other, and zeros the last of them."""
    at = 0
    for _ in range(MEMBERS_MAX):
        at = yield from _inflated(zlib.decompressobj(zlib.MAX_WBITS | 16), body, at, "gzip")
        if at == len(body) or (body[at] == 0 and not body[at:].strip(b"\x00")):
            return
    raise _damaged("gzip")


def _deflate(body: bytes) -> Iterator[bytes]:
    """The wrapping is known by its first two bytes."""
    wrapped = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    stream = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    if (yield from _inflated(stream, body, 0, "deflate")) < len(body):
        raise _damaged("deflate")


def _inflated(stream: "zlib._Decompress", body: bytes, at: int, encoding: str) -> Generator[bytes, None, int]:
    """One stream that begins there. Returns where it ends. Raises BadRequest."""
    while not stream.eof:
        given = stream.unconsumed_tail
        if not given:
            given = body[at : at + PIECE_BYTES]
            at += len(given)
        try:
            piece = stream.decompress(given, PIECE_BYTES)
        except zlib.error:
            raise _damaged(encoding) from None
        if piece:
            yield piece
        elif not given:
            raise _damaged(encoding)  # it ends early
    return at - len(stream.unused_data)


def _brotli(body: bytes) -> Iterator[bytes]:
    brotli = import_module("brotli")
    stream = brotli.Decompressor()
    at = 0
    try:
        while not stream.is_finished():
            given = body[at : at + PIECE_BYTES] if stream.can_accept_more_data() else b""
            at += len(given)
            piece = stream.process(given, output_buffer_limit=PIECE_BYTES)
            if piece:
                yield piece
            elif not given and at >= len(body):
                raise _damaged("br")
    except brotli.error:
        raise _damaged("br") from None
    if at < len(body):
        raise _damaged("br")


def _zstd(body: bytes) -> Iterator[bytes]:
    zstandard = import_module("zstandard")
    decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
    source = io.BytesIO(body)
    try:
        with decoder.stream_reader(source, read_size=PIECE_BYTES, read_across_frames=True) as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece
    except zstandard.ZstdError:
        raise _damaged("zstd") from None


def _damaged(encoding: str) -> BadRequest:
    return BadRequest(
        f"The request body is not what its Content-Encoding says: {encoding} data that is damaged, or ends early.",
        param="content-encoding",
    )


_READERS: Final[Mapping[str, Callable[[bytes], Iterator[bytes]]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
ENCODINGS: Final = frozenset(_READERS)
