"""An instant as people and programs read it: RFC 3339 in UTC. In memory and in rows it is Unix milliseconds."""

import datetime
from typing import Final

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def rfc3339(ms: int) -> str:
    """`2027-01-31T12:00:00Z`, with milliseconds where there are any."""
    text = (_EPOCH + datetime.timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def utc_day(ms: int) -> str:
    """`2027-01-31 12:00 UTC`, for sentences."""
    return (_EPOCH + datetime.timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M UTC")
