"""When a provider says that trying again makes sense, read from the headers of its answer."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tollhouse.core.upstream import Headers

LONGEST_MS: Final = 3_600_000
"""An hour: a provider that asks for more is asked again after that."""

_NUMBER = re.compile(rb"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)


def retry_after_ms(headers: Headers) -> int | None:
    """From `retry-after-ms`, else `Retry-After` in seconds or as a date; None: nothing sensible was said.

    A date is held against the answer's own `Date`, so that neither clock needs to be right.
    """
    said = {name: value.strip() for name, value in headers if name in (b"retry-after-ms", b"retry-after", b"date")}
    milliseconds = said.get(b"retry-after-ms", b"")
    if _NUMBER.fullmatch(milliseconds):
        return min(int(float(milliseconds)), LONGEST_MS)
    after = said.get(b"retry-after", b"")
    if _NUMBER.fullmatch(after):
        return min(int(float(after) * 1000), LONGEST_MS)
    then, now = _date(after), _date(said.get(b"date", b""))
    if then is None or now is None:
        return None
    return max(0, min(int((then - now).total_seconds() * 1000), LONGEST_MS))


def _date(value: bytes) -> datetime | None:
    """An HTTP date; its zone is GMT by definition, whatever stands there."""
    try:
        return parsedate_to_datetime(value.decode("ascii")).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
