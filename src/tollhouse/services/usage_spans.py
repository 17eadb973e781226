"""The time that a report covers, cut into minutes, hours, days or weeks of an account's zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from tollhouse.billing.windows import begins_ms, time_zone
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS, HOUR_MS, QUARTER_MS, Spans

Every = Literal["minute", "hour", "day", "week"]

MINUTE_MS: Final = 60_000
WEEK_MS: Final = 7 * DAY_MS
WIDTHS: Final = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS, "week": WEEK_MS}
SPANS_MAX: Final = 180
"""Spans that one report tells apart."""
_DAY: Final = timedelta(days=1)
_WEEK_BEGINS_MS: Final = 3 * DAY_MS  # 1970 began on a Thursday


class TimeCut(Struct, frozen=True):
    """`edges`: where each span begins, and where the last one ends; Unix milliseconds."""

    every: Every
    edges: tuple[int, ...]
    zone: str

    @property
    def from_ms(self) -> int:
        return self.edges[0]

    @property
    def to_ms(self) -> int:
        return self.edges[-1]

    def __len__(self) -> int:
        return len(self.edges) - 1


def usual_every(from_ms: int, to_ms: int, now_ms: int) -> Every:
    """What shows the most without being too much: hours up to three days, days up to three months, weeks beyond; of
    the last day minutes, up to three hours."""
    if to_ms - from_ms <= 3 * HOUR_MS and from_ms >= now_ms - DAY_MS:
        return "minute"
    if to_ms - from_ms <= 3 * DAY_MS:
        return "hour"
    return "day" if to_ms - from_ms <= 100 * DAY_MS else "week"


def cut(from_ms: int, to_ms: int, every: Every, zone: str) -> TimeCut:
    """Whole spans that hold [from, to). Raises BadRequest where they are too many or none."""
    if from_ms >= to_ms:
        raise BadRequest("from: this is not before `to`", param="from")
    if (to_ms - from_ms) // WIDTHS[every] > SPANS_MAX:
        message = Phrase(
            "every: this would be more than %(most)s spans of one %(span)s; choose longer ones, or less time",
            most=SPANS_MAX,
            span=Phrase(every),
        )
        raise BadRequest(message, param="every")
    place = time_zone(zone)
    if every in ("minute", "hour"):
        width_ms = WIDTHS[every]
        shift_ms = _offset_ms(from_ms, place)
        start_ms = from_ms - (from_ms + shift_ms) % width_ms
        end_ms = to_ms + -(to_ms - start_ms) % width_ms
        return TimeCut(every, tuple(range(start_ms, end_ms + 1, width_ms)), zone)
    days = 7 if every == "week" else 1
    first = _day(from_ms, place)
    first -= first.weekday() * _DAY if every == "week" else 0 * _DAY
    edges = [begins_ms(first, place)]
    while edges[-1] < to_ms:
        first += days * _DAY
        edges.append(begins_ms(first, place))
    return TimeCut(every, tuple(edges), zone)


def before(this: TimeCut) -> TimeCut:
    """As many spans of the same kind, right before these."""
    if this.every in ("minute", "hour"):
        span_ms = this.to_ms - this.from_ms
        return TimeCut(this.every, tuple(edge - span_ms for edge in this.edges), this.zone)
    place = time_zone(this.zone)
    days = len(this) * (7 if this.every == "week" else 1)
    return TimeCut(
        this.every, tuple(begins_ms(_day(edge, place) - days * _DAY, place) for edge in this.edges), this.zone
    )


def spans_of(this: TimeCut, to_ms: int | None = None) -> Spans:
    """The same as the sums are asked for it; to_ms: where it ends before its last span does."""
    width_ms = WIDTHS[this.every]
    end_ms = this.to_ms if to_ms is None else min(this.to_ms, to_ms)
    if this.every in ("minute", "hour"):
        shifts: tuple[tuple[int, int], ...] = ((this.to_ms, -this.from_ms % width_ms),)
    else:
        shifts = _shifts(this.edges, time_zone(this.zone), _WEEK_BEGINS_MS if this.every == "week" else 0)
    return Spans(from_ms=this.from_ms, to_ms=end_ms, width_ms=width_ms, shifts=shifts)


def today_ms(now_ms: int, zone: str, *, days_ago: int = 0) -> int:
    """Where a day of the zone begins: today, or so many days ago."""
    place = time_zone(zone)
    return begins_ms(_day(now_ms, place) - days_ago * _DAY, place)


def month_ms(now_ms: int, zone: str) -> int:
    """Where this month of the zone begins."""
    place = time_zone(zone)
    return begins_ms(_day(now_ms, place).replace(day=1), place)


def quarter_after(time_ms: int) -> int:
    """Where the quarter of an hour ends that holds an instant: sums know none finer."""
    return time_ms - time_ms % QUARTER_MS + QUARTER_MS


def _shifts(edges: Sequence[int], place: tzinfo, begins: int) -> tuple[tuple[int, int], ...]:
    """(until, shift): a new one where the offset of the zone changes."""
    found = []
    for start_ms, end_ms in pairwise(edges):
        if _offset_ms(start_ms, place) != _offset_ms(end_ms, place):
            found.append((_change_ms(start_ms, end_ms, place), _offset_ms(start_ms, place) + begins))
    return (*found, (edges[-1], _offset_ms(edges[-1] - 1, place) + begins))


def _change_ms(start_ms: int, end_ms: int, place: tzinfo) -> int:
    """When the clocks change between these two, to the quarter of an hour."""
    low, high = start_ms // QUARTER_MS, end_ms // QUARTER_MS
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ms(middle * QUARTER_MS, place) == _offset_ms(start_ms, place):
            low = middle
        else:
            high = middle
    return high * QUARTER_MS


def _offset_ms(time_ms: int, place: tzinfo) -> int:
    offset = datetime.fromtimestamp(time_ms // 1_000, UTC).astimezone(place).utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)


def _day(time_ms: int, place: tzinfo) -> date:
    return datetime.fromtimestamp(time_ms // 1_000, UTC).astimezone(place).date()
