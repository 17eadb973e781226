"""Forms as the simulator reads them: fields, and of each file its ends, its size and a digest."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from tollhouse.core.failure import BadRequest
from tollhouse.core.form import UploadedForm
from tollhouse.core.multipart import FormReader
from tollhouse.core.spool import SpooledBytes
from tollhouse.core.upstream import Piece

_STEP_BYTES: Final = 256 * 1024
_KEPT_BYTES: Final = 128 * 1024
_BOUNDARY_BYTES_MAX: Final = 72


class EndsSpool:
    """See `core.spool.Spool`: keeps the first and the last bytes, and zeros between them."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._size += len(data)
        self._head += data[: max(0, _KEPT_BYTES - len(self._head))]
        self._tail = (self._tail + data)[-_KEPT_BYTES:]

    def read(self, at: int, size: int) -> bytes:
        begin = self._size - len(self._tail)
        if at >= begin:
            return bytes(self._tail[at - begin : at - begin + size])
        return bytes(self._head[at : at + size])

    def close(self) -> None:
        """Nothing is open."""

    @property
    def digest(self) -> str:
        """32 hex digits that name all that was written."""
        return self._digest.hexdigest()[:32]


def read_form(body: bytes, upload: Sequence[Piece]) -> tuple[UploadedForm, EndsSpool]:
    """The form of a call, in memory or not. Work for a thread. Raises BadRequest."""
    spool = EndsSpool()
    reader: FormReader | None = None
    for data in _pieces(upload or (body,)):
        if reader is None:
            line = data[:_BOUNDARY_BYTES_MAX].partition(b"\r\n")[0]
            if not line.startswith(b"--"):
                raise BadRequest("The body of this request is no form.")
            reader = FormReader(line[2:], spool)
        reader.feed(data)
    if reader is None:
        raise BadRequest("The form of this request is empty.")
    return reader.finish(), spool


def _pieces(upload: Sequence[Piece]) -> Iterator[bytes]:
    for piece in upload:
        if not isinstance(piece, SpooledBytes):
            yield bytes(piece)
            continue
        at = 0
        while at < len(piece):
            data = piece.behind(at).read(_STEP_BYTES)
            at += len(data)
            yield data
