"""Times as callers write them: `30d`, `24h`, `2027-01-31`, `2027-01-31T12:00:00Z`; as an answer always the last."""

import datetime
import re

from tollhouse.core.failure import BadRequest
from tollhouse.core.instant import rfc3339

_UNITS_MS = (("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000))
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
END_MS = 253_370_764_800_000  # the year 9999 begins
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def written(ms: int | None) -> str | None:
    """Unix milliseconds as RFC 3339 in UTC; None stays None."""
    return None if ms is None else rfc3339(ms)


def duration_ms(text: str, param: str) -> int:
    """`90s`, `15m`, `24h`, `7d`, `2w`, or `0`. Raises BadRequest."""
    match = _DURATION.fullmatch(text)
    if match is not None:
        return int(match.group(1)) * dict(_UNITS_MS)[match.group(2)]
    if text == "0":
        return 0
    raise BadRequest(f"{param}: {text[:40]!r} is no duration: write 90s, 15m, 24h, 7d or 2w", param=param)


def ago_ms(text: str, param: str, now_ms: int) -> int:
    """As `moment_ms`, but a duration reaches back from now. Raises BadRequest."""
    if _DURATION.fullmatch(text) is not None:
        return _bounded(now_ms - duration_ms(text, param), text, param)
    return moment_ms(text, param, now_ms)


def moment_ms(text: str, param: str, now_ms: int) -> int:
    """A duration from now, a date (its start in UTC), or a time with its offset. Raises BadRequest."""
    if _DURATION.fullmatch(text) is not None:
        return _bounded(now_ms + duration_ms(text, param), text, param)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"{param}: {text[:40]!r} is no time: write 30d, 2027-01-31 or 2027-01-31T12:00:00Z", param=param
        ) from None
    if moment.tzinfo is None:
        if len(text) > len("2027-01-31"):
            raise BadRequest(f"{param}: a time of day needs its offset, such as 2027-01-31T12:00:00Z", param=param)
        moment = moment.replace(tzinfo=datetime.UTC)
    return _bounded((moment - _EPOCH) // datetime.timedelta(milliseconds=1), text, param)


def _bounded(ms: int, text: str, param: str) -> int:
    """Within the years that a calendar here knows, in every zone. Raises BadRequest."""
    if not 0 <= ms < END_MS:
        raise BadRequest(f"{param}: {text[:40]!r} lies before 1970 or after 9998", param=param)
    return ms
