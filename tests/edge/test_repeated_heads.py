"""A head that is like the one before is not read again, and means exactly what reading it would give."""

import random

import pytest

from tollhouse.core.failure import Failure
from tollhouse.edge.head import REMEMBERED_BYTES_MAX, Head, again, read, remember

FIRST = (
    b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-th-1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 120\r\nUser-Agent: OpenAI/Python\r\n\r\n"
)
WITHOUT_LENGTH = b"GET /v1/models HTTP/1.1\r\nhost: h\r\nx-api-key: sk-th-1\r\n\r\n"
HEADERS_MAX = 100

LIKE = {
    "the-same": FIRST,
    "longer": FIRST.replace(b"120", b"98765"),
    "shorter": FIRST.replace(b"120", b"1"),
    "empty-body": FIRST.replace(b"120", b"0"),
    "zeros-in-front": FIRST.replace(b"120", b"00120"),
}
OTHER = {
    "another-key": FIRST.replace(b"sk-th-1", b"sk-th-2"),
    "another-path": FIRST.replace(b"chat/", b""),
    "one-header-more": FIRST.replace(b"\r\n\r\n", b"\r\nx: y\r\n\r\n"),
    "another-name-s-spelling": FIRST.replace(b"Host", b"HOST"),
    "a-sign": FIRST.replace(b"120", b"+12"),
    "two-numbers": FIRST.replace(b"120", b"1, 2"),
    "no-number": FIRST.replace(b"120", b""),
    "a-number-beyond-ascii": FIRST.replace(b"120", "١".encode()),
    "nineteen-digits": FIRST.replace(b"120", b"1" * 19),
    "a-second-length": FIRST.replace(b"120", b"120\r\nContent-Length: 7"),
    "chunked-too": FIRST.replace(b"120", b"120\r\nTransfer-Encoding: chunked"),
    "cut": FIRST[:40],
    "shorter-than-what-must-stand": FIRST[:20] + FIRST[-20:],
}


def after(first: bytes, second: bytes) -> Head | None:
    last = remember(first, read(first, HEADERS_MAX))
    assert last is not None
    return again(last, second)


@pytest.mark.parametrize("second", LIKE.values(), ids=LIKE)
def test_repeated_head_means_what_reading_gives(second: bytes) -> None:
    assert after(FIRST, second) == read(second, HEADERS_MAX)


@pytest.mark.parametrize("second", OTHER.values(), ids=OTHER)
def test_head_that_differs_in_more_is_read(second: bytes) -> None:
    assert after(FIRST, second) is None


def test_head_without_a_length_is_known_only_as_it_stands() -> None:
    assert after(WITHOUT_LENGTH, WITHOUT_LENGTH) == read(WITHOUT_LENGTH, HEADERS_MAX)
    assert after(WITHOUT_LENGTH, WITHOUT_LENGTH + b"1") is None
    assert after(WITHOUT_LENGTH, WITHOUT_LENGTH.replace(b"sk-th-1", b"sk-th-2")) is None


def test_head_before_keeps_its_own_length() -> None:
    last = remember(FIRST, read(FIRST, HEADERS_MAX))
    assert last is not None
    first = again(last, FIRST)
    second = again(last, LIKE["longer"])
    assert first is not None
    assert second is not None
    assert (first.course.length, second.course.length) == (120, 98765)
    assert (b"content-length", b"120") in first.headers
    assert again(last, LIKE["longer"]) is second


def test_large_head_is_not_remembered() -> None:
    large = FIRST.replace(b"OpenAI", b"x" * REMEMBERED_BYTES_MAX)
    assert remember(large, read(large, HEADERS_MAX)) is None


def test_repeated_heads_agree_with_reading_on_mutated_ones() -> None:
    chance = random.Random(4)
    last = remember(FIRST, read(FIRST, HEADERS_MAX))
    assert last is not None
    digits = FIRST.index(b"120")
    pieces = [bytes([one]) for one in b"0123456789+- ,\t\r\n\0x"] + [b"\r\n", b"\r\nx: "]
    found = 0
    for _ in range(5_000):
        at = digits + chance.randint(-2, 5)
        mutated = FIRST[:at] + chance.choice(pieces) + FIRST[at + chance.randint(0, 2) :]
        known = again(last, mutated)
        if known is not None:
            found += 1
            assert known == read(mutated, HEADERS_MAX), mutated
    assert found > 500


def test_head_that_cannot_be_read_is_refused_also_behind_a_good_one() -> None:
    bad = FIRST.replace(b"120", b"120\r\nContent-Length: 7")
    assert after(FIRST, bad) is None
    with pytest.raises(Failure, match="more than one Content-Length"):
        read(bad, HEADERS_MAX)
