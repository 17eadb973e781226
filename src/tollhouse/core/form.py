"""A form (`multipart/form-data`) as it was read: fields in memory, files in a spool; and how it is written again."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.spool import Spool, SpooledBytes
from tollhouse.core.upstream import Piece

FORM_DATA: Final = b"multipart/form-data"
_OCTETS: Final = b"application/octet-stream"


class FormFile(Struct, frozen=True, kw_only=True):
    """`at`, `size`: in the spool. `filename`, `content_type`: as a head can carry them; empty: not told."""

    name: str
    filename: str
    content_type: bytes
    at: int
    size: int


class UploadedForm(Struct, kw_only=True):
    """`fields`: names and texts, in their order; a name may come again. `boundary`: of the form that is written, drawn
    after its content was there, so that nothing in it can be one."""

    fields: list[tuple[str, str]]
    files: list[FormFile]
    spool: Spool
    boundary: bytes = b""

    @property
    def content_type(self) -> bytes:
        return FORM_DATA + b"; boundary=" + self.boundary

    def size(self) -> int:
        """Bytes of its fields."""
        return sum(len(name) + len(text.encode()) for name, text in self.fields)

    def written(self, fields: Sequence[tuple[str, str]]) -> list[Piece]:
        """The form with these fields, and all files behind them."""
        pieces: list[Piece] = []
        begun = bytearray()
        for name, text in fields:
            begun += b"--%b\r\n" % self.boundary
            begun += b'Content-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), text.encode())
        for file in self.files:
            begun += b"--%b\r\n" % self.boundary
            begun += b'Content-Disposition: form-data; name="%b"; filename="%b"\r\n' % (
                file.name.encode(),
                file.filename.encode(),
            )
            begun += b"Content-Type: %b\r\n\r\n" % (file.content_type or _OCTETS)
            pieces.append(bytes(begun))
            if file.size:
                pieces.append(SpooledBytes(self.spool, file.at, file.size))
            begun = bytearray(b"\r\n")
        return [*pieces, bytes(begun) + b"--%b--\r\n" % self.boundary]
