"""Forms: read the same however they are cut, and nothing in them that two parsers could read differently."""

import random
import re

import pytest

from tollhouse.core.failure import BadRequest
from tollhouse.core.form import UploadedForm
from tollhouse.core.multipart import FIELD_BYTES_MAX, PARTS_MAX, FormReader, boundary_of, read_form
from tollhouse.core.spool import MemorySpool

FILE = b"\x00\r\n--almost\r\n-\r\n\r\n" * 20


def part(disposition: bytes, data: bytes, *headers: bytes) -> bytes:
    lines = (b"Content-Disposition: form-data; " + disposition, *headers)
    return b"--B\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + data + b"\r\n"


def whole(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--B--\r\n"


USUAL = whole(
    part(b'name="file"; filename="a.wav"', FILE, b"Content-Type: audio/wav"),
    part(b'name="model"', b"whisper-1"),
    part(b'name="prompt"', "Zöllner".encode()),
    part(b'name="include[]"', b"logprobs"),
    part(b"name=empty", b""),
)


def content(form: UploadedForm) -> tuple[list[tuple[str, str]], list[tuple[str, str, bytes, bytes]]]:
    files = [(one.name, one.filename, one.content_type, form.spool.read(one.at, one.size)) for one in form.files]
    return form.fields, files


def read(body: bytes, size: int = 10**9) -> UploadedForm:
    reader = FormReader(b"B", MemorySpool())
    for at in range(0, len(body), size):
        reader.feed(body[at : at + size])
    return reader.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 10**9])
def test_however_it_is_cut_it_says_the_same(size: int) -> None:
    fields = [("model", "whisper-1"), ("prompt", "Zöllner"), ("include[]", "logprobs"), ("empty", "")]
    assert content(read(USUAL, size)) == (fields, [("file", "a.wav", b"audio/wav", FILE)])


def test_two_cuts_anywhere() -> None:
    wanted = content(read(USUAL))
    for at in range(1, len(USUAL)):
        reader = FormReader(b"B", MemorySpool())
        for piece in (USUAL[:at], USUAL[at:]):
            reader.feed(piece)
        assert content(reader.finish()) == wanted


def test_what_is_written_is_read_again() -> None:
    form = read(USUAL)
    form.boundary = b"other"
    body = b"".join(
        piece if isinstance(piece, bytes | memoryview) else piece.read(len(piece))
        for piece in form.written(form.fields)
    )
    assert content(read_form(body)) == content(form)
    assert form.content_type == b"multipart/form-data; boundary=other"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "before its last boundary"),
        (b"--", "before its last boundary"),
        (USUAL[:-4], "before its last boundary"),
        (USUAL[: len(USUAL) // 2], "before its last boundary"),
        (b"text" + USUAL, "does not begin with the boundary"),
        (b"--C\r\n", "does not begin with the boundary"),
        (USUAL + b"more", "behind its last boundary"),
        (USUAL + USUAL, "behind its last boundary"),
        (b"--Bx\r\n", "behind a boundary"),
        (b"--B \r\n", "behind a boundary"),
        (whole(part(b'name="a"', b"\r\n--Bx")), "behind a boundary"),
        (b"--B\r\n\r\n\r\n--B--\r\n", "header of a part"),
        (b"--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--\r\n", "Content-Disposition"),
        (b"--B\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--B--\r\n", "Content-Disposition"),
        (whole(part(b"", b"x")), "has no name"),
        (whole(part(b"name*=UTF-8''a", b"x")), "has no name"),
        (whole(part(b'name="a"; name="b"', b"x")), "comes twice"),
        (whole(part(b'name="a', b"x")), "parameter"),
        (whole(part(b'name="a"', b"x", b'Content-Disposition: form-data; name="b"')), "header twice"),
        (whole(part(b'name="a"', b"x", b" folded: 1")), "header of a part"),
        (whole(part(b'name="a"\nX: 1', b"x")), "header of a part"),
        (whole(part(b'name="a"\x00', b"x")), "header of a part"),
        (whole(part(b'name="a"', b"x", b"Content-Transfer-Encoding: base64")), "must be binary"),
        (whole(part(b'name="a"', b"x", b"Content-Type: multipart/mixed; boundary=C")), "parts of its own"),
        (whole(part(b'name="a[b][c]"', b"x")), "name of a field"),
        (whole(part(b'name="a b"', b"x")), "name of a field"),
        (whole(part(b'name=""', b"x")), "name of a field"),
        (whole(part(b'name="\xff"', b"x")), "name of a field"),
        (whole(part(b'name="a"', b"\xff")), "not UTF-8"),
        (whole(part(b'name="a"', b"x", b"X: " + b"y" * 9_000)), "headers of a part"),
        (b"--B\r\n" + b"x" * 9_000, "headers of a part"),
        (whole(*(part(b"name=a", b"x") for _ in range(PARTS_MAX + 1))), "parts"),
        (whole(part(b"name=a", b"x" * (FIELD_BYTES_MAX + 1))), "fields"),
        (whole(part(b"name=a", b"x" * 600_000), part(b"name=b", b"x" * 600_000)), "fields"),
    ],
)
def test_what_could_be_read_otherwise_is_refused(body: bytes, reason: str) -> None:
    for size in (10**9, 997):
        with pytest.raises(BadRequest, match=re.escape(reason)):
            read(body, size)


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        (b"multipart/form-data; boundary=B", b"B"),
        (b'Multipart/UploadedForm-Data;boundary="a b"', None),
        (b'multipart/form-data; charset=utf-8; boundary="----x\'()+_,-./:=?"', b"----x'()+_,-./:=?"),
        (b"multipart/form-data", None),
        (b"multipart/form-data; boundary=", None),
        (b"multipart/form-data; boundary=" + b"x" * 71, None),
        (b"multipart/form-data; boundary=a; boundary=b", None),
        (b"multipart/mixed; boundary=B", None),
        (b"application/json", None),
        (b"", None),
    ],
)
def test_boundaries(header: bytes, boundary: bytes | None) -> None:
    if boundary is not None:
        assert boundary_of(header) == boundary
        return
    with pytest.raises(BadRequest):
        boundary_of(header)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b'"a.wav"', "a.wav"),
        (b'"..\\\\..\\\\etc\\\\a.wav"', "a.wav"),
        (b'"/etc/passwd"', "passwd"),
        (b'"a\\"b.wav"', "ab.wav"),
        (b'"\x01\x7fa.wav"', "a.wav"),
        ('"Zöllner.wav"'.encode(), "Zöllner.wav"),
        (b'"' + b"x" * 300 + b'.wav"', "x" * 251 + ".wav"),
        (b'""', "file"),
    ],
)
def test_names_of_files_cannot_say_more_than_a_name(given: bytes, told: str) -> None:
    (file,) = read(whole(part(b"name=file; filename=" + given, b"x"))).files
    assert file.filename == told


def test_much_that_looks_like_a_boundary_is_no_more_work() -> None:
    steps = 0

    class Counting(MemorySpool):
        def write(self, data: bytes) -> None:
            nonlocal steps
            steps += 1
            super().write(data)

    reader = FormReader(b"B" * 70, Counting())
    begin = b"--" + b"B" * 70 + b'\r\nContent-Disposition: form-data; name=file; filename="a"\r\n\r\n'
    reader.feed(begin)
    for _ in range(1_000):
        reader.feed((b"\r\n--" + b"B" * 69 + b"C") * 50)
    reader.feed(b"\r\n--" + b"B" * 70 + b"--")
    assert reader.finish().files[0].size == 1_000 * 50 * 74
    assert steps <= 1_001


INSERTED = (b"\r\n--B", b"--B--", b"--B\r\n", b"\r\n", b'"', b";", b"\0", b"[")


def damaged(chance: random.Random) -> bytes:
    body = bytearray(USUAL)
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(body))
        what = chance.random()
        if what < 0.4:
            body[at] = chance.randrange(256)
        elif what < 0.7:
            del body[at : at + chance.randint(1, 30)]
        else:
            body[at:at] = chance.choice(INSERTED)
    return bytes(body)


def verdict(body: bytes, size: int) -> object:
    try:
        return content(read(body, size))
    except BadRequest:
        return "refused"


def test_a_damaged_form_is_read_the_same_in_one_piece_and_in_many() -> None:
    chance = random.Random(7)
    found = []
    for _ in range(1_500):
        body = damaged(chance)
        found.append(verdict(body, 10**9))
        assert verdict(body, chance.randint(1, 50)) == found[-1], body
    assert 0 < found.count("refused") < len(found)
