"""What of an incomplete head is looked at before its end is here."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tollhouse.edge.grammar import is_hopeless

STRAY = re.compile(rb"[^\r]\n|\r[^\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LINE = b"GET / HTTP/1.1\r\nhost: h\r\n"


@given(st.lists(st.sampled_from([bytes([byte]) for byte in b"\r\n\t\x00\x1f\x7f\x80 :a"] + [b"\r\n"])), st.integers(0))
def test_a_stray_byte_is_found_as_an_expression_would_find_it(pieces: list[bytes], at: int) -> None:
    whole = LINE + b"x: " + b"".join(pieces)
    seen = len(LINE) + at % (len(whole) - len(LINE) + 1)
    assert is_hopeless(bytearray(whole), seen) == (STRAY.search(whole, seen - 1) is not None)
