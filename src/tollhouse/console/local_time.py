"""Times in addresses and forms: days and instants of the account's zone, as browsers write them."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tollhouse.billing.windows import begins_ms, time_zone
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase

_WRITTEN: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(Z)?)?", re.ASCII)


def instant_ms(text: str, name: str, zone: str, *, end: bool = False) -> int:
    """`2027-01-31`: where that day begins (end: where it ends); `2027-01-31T12:00`, of the zone; with a `Z`, of UTC.
    Raises BadRequest."""
    match = _WRITTEN.fullmatch(text)
    try:
        if match is not None:
            day = date.fromisoformat(match[1])
            if 1970 <= day.year < 9999:
                if match[2] is None:
                    return begins_ms(day + timedelta(days=1) if end else day, time_zone(zone))
                place = UTC if match[3] else time_zone(zone)
                return int(datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=place).timestamp()) * 1_000
    except ValueError:  # as 2027-02-30
        pass
    raise BadRequest(
        Phrase(
            "%(param)s: %(given)s is no time: write 2027-01-31, or 2027-01-31T12:00", param=name, given=repr(text[:40])
        ),
        param=name,
    )


def written(time_ms: int) -> str:
    """An instant as an address says it, in UTC: whatever clocks do, it means one."""
    return datetime.fromtimestamp(time_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
