"""Values of a JSON text are counted before they are built: never too few, and exactly where it matters."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core import values
from tollhouse.core.failure import RequestTooLarge

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a,[{:"\\\n\u00e9', max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(alphabet='a,[{:"\\', max_size=6), inner),
    max_leaves=60,
)


def separators_and_nested(value: Any) -> tuple[int, int]:
    """By the definition: commas and brackets; brackets and members."""
    if isinstance(value, list):
        parts = [separators_and_nested(item) for item in value]
        commas = max(0, len(value) - 1)
        return 1 + commas + sum(part[0] for part in parts), 1 + sum(part[1] for part in parts)
    if isinstance(value, dict):
        parts = [separators_and_nested(item) for item in value.values()]
        commas = max(0, len(value) - 1)
        return 1 + commas + sum(part[0] for part in parts), 1 + len(value) + sum(part[1] for part in parts)
    return 0, 0


@given(JSON, st.integers(1, 70))
def test_strings_are_left_out_wherever_the_text_is_cut(value: Any, step: int) -> None:
    body = json.dumps(value).encode()
    expected = separators_and_nested(value)
    assert values._counts(body, step) == expected
    assert values._upper_bounds(body, step) >= expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"content":[' + b"[]," * 200_000 + b"[]]}]}",
        b"[" * 300_000,
        b'{"a":' * 200_000,
        b"{" + b",".join(b'"a%d":1' % n for n in range(150_000)) + b"}",
        b"[" + b"1," * 1_100_000 + b"1]",
        b"[" + b'"a",' * 1_100_000 + b"1]",
        b'{"x":"' + b"[" * 200_000 + b'","y":[' + b"{}," * 120_000 + b"{}]}",
    ],
    ids=["arrays", "deep", "deep-objects", "members", "numbers", "texts", "behind-a-text"],
)
def test_more_values_than_are_decoded_are_refused(body: bytes) -> None:
    with pytest.raises(RequestTooLarge, match="1,000,000 values"):
        values.require_countable(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"content":"' + b"[{:," * 400_000 + b'"}]}',
        b'{"messages":[{"content":"' + b'\\"[,' * 400_000 + b'"}]}',
        b'{"messages":[{"content":"' + b"\\\\" * 400_000 + b'"},' + b"1," * 900_000 + b"1]}",
        b'{"input":[' + b"12345," * 300_000 + b"1]}",
        b'{"a":[' + (b"1," * 1_000 + b'"' + b'\\"[' * 80_000 + b'",') * 20 + b"1]}",
        b'{"x":"' + b"a" * 600_000,  # a text that does not end is for the decoder to refuse
    ],
    ids=["code", "quoted", "backslashes", "token-ids", "quoted texts that begin late", "cut"],
)
def test_much_text_is_few_values(body: bytes) -> None:
    values.require_countable(body)


@pytest.mark.parametrize(
    ("body", "small"),
    [
        (b"{}", True),
        (b'{"a":"' + b"x" * 200_000 + b'"}', True),
        (b'{"a":"' + b"x" * 300_000 + b'"}', False),
        (b"[" + b"1," * 3_000 + b"1]", True),
        (b"[" + b"[]," * 3_000 + b"1]", False),
        (b"," * 5_000, False),
    ],
)
def test_small_is_short_and_of_few_values(body: bytes, small: bool) -> None:
    assert values.is_small(body, 256 * 1024, 4_000) is small
