"""Reading `multipart/form-data` (RFC 7578) as it comes, in bounded work and memory, strictly.

What two parsers could read differently is refused: text before the first boundary and behind the last, a boundary with
something behind it, folded or doubled headers of a part, names that nest, parts within parts. Files go to the spool as
they come; fields are kept, and are few and small.
"""

import re
from typing import Final

from tollhouse.core.escaping import SHOWN_MAX, printable
from tollhouse.core.failure import BadRequest
from tollhouse.core.form import FormFile, UploadedForm
from tollhouse.core.spool import MemorySpool, Spool

PARTS_MAX: Final = 128
PART_HEAD_BYTES_MAX: Final = 8 * 1024
FIELD_BYTES_MAX: Final = 1024 * 1024
"""Of all fields together."""
_FILENAME_CHARACTERS_MAX: Final = 255
_END: Final = b"\r\n\r\n"
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_TYPE: Final = re.compile(rb"multipart/form-data[ \t]*;(.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(rb'[ \t]*([A-Za-z*]{1,16})=(?:"((?:[^"\\]|\\.)*)"|([^\s;",]+))[ \t]*(?:;|\Z)')
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([^\r\n\0]*)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}(?:\[[A-Za-z0-9_.-]{0,64}\])?")
_DISPOSITION: Final = re.compile(rb"form-data[ \t]*(?:;(.*)|\Z)", re.IGNORECASE | re.DOTALL)
_MEDIA_TYPE: Final = re.compile(rb"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}")
_PLAIN_ENCODINGS: Final = (b"binary", b"8bit", b"7bit")


def boundary_of(content_type: bytes) -> bytes:
    """Of the header of a request. Raises BadRequest for another type, and for no boundary that can be one."""
    found = _TYPE.fullmatch(content_type.strip())
    if found is None:
        said = printable(content_type.decode("latin-1"), SHOWN_MAX)
        raise BadRequest(
            f"Content-Type must be multipart/form-data with its boundary, and this request says {said or 'nothing'}",
            param="content-type",
        )
    boundary = _parameters(found[1]).get("boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest(
            "the boundary in Content-Type must be 1 to 70 letters, digits or '()+_,-./:=?", param="content-type"
        )
    return boundary


class FormReader:
    """Feed it every piece of the body, then `finish`. Both raise BadRequest, and OSError of the spool."""

    def __init__(self, boundary: bytes, spool: Spool) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._spool = spool
        self._buffer = bytearray(b"\r\n")  # a first boundary begins the body, and has no line before it
        self._looked_at = 0  # bytes of the buffer in which no delimiter begins
        self._take = self._take_beginning
        self._fields: list[tuple[str, str]] = []
        self._files: list[FormFile] = []
        self._field_bytes = 0
        self._spooled = 0
        self._name = self._filename = ""
        self._content_type = b""
        self._is_file = self._done = False
        self._value = bytearray()
        self._began_at = 0

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while self._take():
            pass

    def finish(self) -> UploadedForm:
        if not self._done:
            raise _bad("it ends before its last boundary")
        return UploadedForm(fields=self._fields, files=self._files, spool=self._spool)

    def _take_beginning(self) -> bool:
        whole = len(self._delimiter)
        if not self._delimiter.startswith(self._buffer[:whole]):
            raise _bad("it does not begin with the boundary that Content-Type names")
        if len(self._buffer) < whole:
            return False
        del self._buffer[:whole]
        self._take = self._take_behind_boundary
        return True

    def _take_behind_boundary(self) -> bool:
        if len(self._buffer) < 2:
            return False
        mark = bytes(self._buffer[:2])
        del self._buffer[:2]
        if mark == b"--":
            self._done = True
            self._take = self._take_ending
        elif mark == b"\r\n":
            if len(self._fields) + len(self._files) >= PARTS_MAX:
                raise _bad(f"it has more than {PARTS_MAX} parts")
            self._take = self._take_head
        else:
            raise _bad("something stands behind a boundary, in its line")
        return True

    def _take_ending(self) -> bool:
        if len(self._buffer) > 2 or not b"\r\n".startswith(self._buffer):
            raise _bad("something stands behind its last boundary")
        return False

    def _take_head(self) -> bool:
        end = self._buffer.find(_END, self._looked_at)
        if end < 0 and len(self._buffer) <= PART_HEAD_BYTES_MAX:
            self._looked_at = max(0, len(self._buffer) - len(_END) + 1)
            return False
        if end < 0 or end > PART_HEAD_BYTES_MAX:
            raise _bad(f"the headers of a part have more than {PART_HEAD_BYTES_MAX} bytes")
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(_END)]
        self._looked_at = 0
        self._read_head(head)
        self._take = self._take_data
        return True

    def _take_data(self) -> bool:
        end = self._buffer.find(self._delimiter, self._looked_at)
        if end < 0:
            passed = len(self._buffer) - len(self._delimiter) + 1
            if passed > 0:
                self._keep(bytes(self._buffer[:passed]))
                del self._buffer[:passed]
            self._looked_at = 0
            return False
        self._keep(bytes(self._buffer[:end]))
        del self._buffer[: end + len(self._delimiter)]
        self._looked_at = 0
        self._end_part()
        self._take = self._take_behind_boundary
        return True

    def _keep(self, data: bytes) -> None:
        if self._is_file:
            self._spool.write(data)
            self._spooled += len(data)
            return
        self._value += data
        self._field_bytes += len(data)
        if self._field_bytes > FIELD_BYTES_MAX:
            raise _bad(f"its fields that are no files have more than {FIELD_BYTES_MAX} bytes", self._name)

    def _end_part(self) -> None:
        if self._is_file:
            size = self._spooled - self._began_at
            self._files.append(
                FormFile(
                    name=self._name,
                    filename=self._filename,
                    content_type=self._content_type,
                    at=self._began_at,
                    size=size,
                )
            )
            return
        try:
            self._fields.append((self._name, self._value.decode()))
        except UnicodeDecodeError:
            raise _bad("a field is not UTF-8 text", self._name) from None
        self._value = bytearray()

    def _read_head(self, head: bytes) -> None:
        fields = _head_fields(head)
        found = _DISPOSITION.fullmatch(fields.get(b"content-disposition", b""))
        if found is None:
            raise _bad("a part has no header Content-Disposition: form-data")
        parameters = _parameters(found[1] or b"")
        if "name*" in parameters or "name" not in parameters:
            raise _bad("a part has no name")
        self._name = _name(parameters["name"])
        encoding = fields.get(b"content-transfer-encoding", b"binary").lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise _bad("Content-Transfer-Encoding of a part must be binary", self._name)
        kind = fields.get(b"content-type", b"")
        if kind.lower().startswith(b"multipart/"):
            raise _bad("a part holds parts of its own", self._name)
        plain = kind.partition(b";")[0].strip()
        self._content_type = plain if _MEDIA_TYPE.fullmatch(plain) else b""
        self._is_file = "filename" in parameters or "filename*" in parameters
        self._filename = _filename(parameters.get("filename", b"file"))
        self._began_at = self._spooled


def read_form(body: bytes) -> UploadedForm:
    """A whole form in memory; its first line tells the boundary, which it keeps. Raises BadRequest."""
    line = body[:80].partition(b"\r\n")[0]
    if not line.startswith(b"--") or not _BOUNDARY.fullmatch(line[2:]):
        raise _bad("it does not begin with a boundary")
    reader = FormReader(line[2:], MemorySpool())
    reader.feed(body)
    form = reader.finish()
    form.boundary = line[2:]
    return form


def _head_fields(head: bytes) -> dict[bytes, bytes]:
    """The headers of a part. Raises BadRequest for what is none, and for one that comes twice."""
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        found = _FIELD_LINE.fullmatch(line)
        if found is None:
            raise _bad("a header of a part cannot be read")
        name = found[1].lower()
        if name in fields:
            raise _bad("a part has a header twice")
        fields[name] = found[2].strip(b" \t")
    return fields


def _parameters(text: bytes) -> dict[str, bytes]:
    """`a=b; c="d"`, names in small letters. Raises BadRequest for what is none, and for one that comes twice."""
    found: dict[str, bytes] = {}
    at = 0
    while text[at:].strip(b" \t;"):
        one = _PARAMETER.match(text, at)
        if one is None:
            raise _bad("a parameter of a header cannot be read")
        name = one[1].decode().lower()
        if name in found:
            raise _bad("a parameter of a header comes twice")
        quoted: bytes | None = one[2]
        found[name] = one[3] if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL)
        at = one.end()
    return found


def _name(raw: bytes) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = ""
    if not _NAME.fullmatch(name):
        shown = printable(raw.decode("latin-1"), SHOWN_MAX)
        raise _bad(f"'{shown}' cannot be the name of a field: write letters, digits and '_', and at most one [key]")
    return name


def _filename(raw: bytes) -> str:
    """As a head can carry it: without a folder, without what ends a line or a text in quotes."""
    name = raw.decode(errors="replace").replace("\\", "/").rpartition("/")[2]
    kept = "".join(one for one in name if one.isprintable() and one not in '"\\')
    if len(kept) > _FILENAME_CHARACTERS_MAX:
        kept = kept[-_FILENAME_CHARACTERS_MAX:]  # its end tells the format
    return kept or "file"


def _bad(reason: str, name: str | None = None) -> BadRequest:
    return BadRequest(f"The form of this request cannot be read: {reason}.", param=name)
