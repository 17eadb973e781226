"""A body that is not read says why and where; one that is read is written again as it came."""

import msgspec
import pytest

from tollhouse.core.failure import BadRequest
from tollhouse.core.members import read_members


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"[1]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b'{"a": tru}', "line 1, column 8"),
        (b'{\n "a": 1,\n "b": +1}', "line 3, column 7"),
        ('{"ü": "ü", "b": +1}'.encode(), "line 1, column 17"),
        (b'{"a": 1', "ends too early, at line 1, column 8"),
        (b'{"a": 1}{', "trailing characters at line 1, column 9"),
        (b'{"a": NaN}', "line 1, column 7"),
        (b'{"a": "\x00"}', "line 1, column 8"),
        (b'{"a": "b\xff"}', "not UTF-8 text: line 1, column 9"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": "\\\\ \\ud83d\\ude00 \\ud83d"}', "half of a surrogate pair (\\uD800 to \\uDFFF) at line 1, column 24"),
        (b'{"a": "\\ude00"}', "surrogate pair at line 1"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_bad_bodies_are_explained(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_members(body)
    assert said in caught.value.message


def test_of_a_duplicate_member_only_the_last_is_left() -> None:
    members = read_members(b'{"model": "cheap", "a": 1, "model": "dear"}')
    assert msgspec.json.encode(members) == b'{"model":"dear","a":1}'


def test_values_keep_their_bytes() -> None:
    body = b'{"a":{ "x" :1.50e3,"x":2},"b":"\\u00fc\xc3\xbc","c":123456789012345678901234567890}'
    assert msgspec.json.encode(read_members(body)) == body


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert list(read_members(b'\xef\xbb\xbf{"a":1}')) == ["a"]
