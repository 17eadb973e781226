"""When a provider says to come back."""

import pytest

from tollhouse.core.upstream import Headers
from tollhouse.providers.retry_after import LONGEST_MS, retry_after_ms

DATE = (b"date", b"Wed, 21 Oct 2026 07:28:00 GMT")


@pytest.mark.parametrize(
    ("headers", "milliseconds"),
    [
        ([], None),
        ([(b"retry-after", b"7")], 7_000),
        ([(b"retry-after", b" 7 ")], 7_000),
        ([(b"retry-after", b"0")], 0),
        ([(b"retry-after", b"0.25")], 250),
        ([(b"retry-after", b"7"), (b"retry-after-ms", b"6500")], 6_500),
        ([(b"retry-after-ms", b"6500.7")], 6_500),
        ([(b"retry-after-ms", b"soon"), (b"retry-after", b"7")], 7_000),
        ([(b"retry-after", b"86400")], LONGEST_MS),
        ([(b"retry-after", b"999999999999")], LONGEST_MS),
        ([(b"retry-after", b"9999999999999")], None),
        ([(b"retry-after", b"-7")], None),
        ([(b"retry-after", b"nan")], None),
        ([(b"retry-after", b"1e3")], None),
        ([(b"retry-after", b"")], None),
        ([(b"retry-after", b"\xff")], None),
        ([DATE, (b"retry-after", b"Wed, 21 Oct 2026 07:28:30 GMT")], 30_000),
        ([DATE, (b"retry-after", b"Wednesday, 21-Oct-26 07:28:30 GMT")], 30_000),
        ([DATE, (b"retry-after", b"Wed Oct 21 07:28:30 2026")], 30_000),
        ([DATE, (b"retry-after", b"Wed, 21 Oct 2026 07:27:00 GMT")], 0),
        ([DATE, (b"retry-after", b"Wed, 21 Oct 2027 07:28:00 GMT")], LONGEST_MS),
        ([DATE, (b"retry-after", b"Wed, 99 Oct 2026 07:28:30 GMT")], None),
        ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:30 GMT")], None),
    ],
)
def test_seconds_milliseconds_and_dates_are_read_and_nonsense_is_not(
    headers: Headers, milliseconds: int | None
) -> None:
    assert retry_after_ms(headers) == milliseconds
