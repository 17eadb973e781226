"""Sums of how models served, in memory: by quarter of an hour, and by day once a day has passed; and the report that is
made of them."""

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Final

from msgspec import Struct

from tollhouse.core.roll_up import DAY_MS, QUARTER_MS
from tollhouse.core.service_level import (
    WINDOWS,
    ServiceFigures,
    ServiceRow,
    ServiceSums,
    WindowName,
    figures,
    starts_ms,
    verdict,
)
from tollhouse.core.usage_record import UsageRecord

ENDED_MAX: Final = 20_000
"""Calls that wait to be counted; beyond it the first ones are never counted."""
ROWS_MAX: Final = 200_000
"""Sums that are kept: of 1,500 models that are each called in every quarter of an hour. Beyond it, none is begun."""

Place = tuple[int, int, str]
"""Span and start in milliseconds, and the model."""
Windows = dict[WindowName, ServiceSums]
ModelFigures = Mapping[WindowName, ServiceFigures]


class ServiceChanges(Struct, frozen=True):
    """What is to be written: rows as they stand, and places where none is any more."""

    rows: tuple[ServiceRow, ...]
    gone: tuple[Place, ...]

    def portions(self, most: int) -> Iterator["ServiceChanges"]:
        """In parts of some `most` places; those of one model stay together, for a day takes over what its quarters
        held."""
        rows: list[ServiceRow] = []
        gone: list[Place] = []
        by_model: dict[str, tuple[list[ServiceRow], list[Place]]] = {}
        for row in self.rows:
            by_model.setdefault(row.model, ([], []))[0].append(row)
        for place in self.gone:
            by_model.setdefault(place[2], ([], []))[1].append(place)
        for its_rows, its_gone in by_model.values():
            rows += its_rows
            gone += its_gone
            if len(rows) + len(gone) >= most:
                yield ServiceChanges(tuple(rows), tuple(gone))
                rows, gone = [], []
        if rows or gone:
            yield ServiceChanges(tuple(rows), tuple(gone))


class ServiceLevels:
    """`ended` belongs to the event loop, `report` is replaced and never changed; all else is of whoever counts, one
    thread at a time. `is_loaded`: the rows were read."""

    def __init__(self) -> None:
        self.ended: deque[UsageRecord] = deque(maxlen=ENDED_MAX)
        self.report: Mapping[str, ModelFigures] = {}
        self.is_loaded = False
        self._lock = Lock()
        self._quarter_ms = 0
        self._spans: dict[tuple[int, int], dict[str, ServiceSums]] = {}
        self._rows = 0
        self._windows: dict[str, Windows] = {}
        self._touched: set[str] = set()
        self._changed: set[Place] = set()

    def load(self, rows: Iterable[ServiceRow], now_ms: int) -> None:
        """In place of all that was counted before."""
        with self._lock:
            self._load(rows, now_ms)

    def _load(self, rows: Iterable[ServiceRow], now_ms: int) -> None:
        self._spans, self._windows, self._rows = {}, {}, 0
        self._changed, self._touched, self.report = set(), set(), {}
        self._quarter_ms = now_ms - now_ms % QUARTER_MS
        for row in rows:
            sums = self._sums(row.span_ms, row.start_ms, row.model)
            if sums is not None:
                sums.add(_sums_of(row))
        self._fold()
        for (span_ms, start_ms), models in self._spans.items():
            for model, sums in models.items():
                for name in _within(span_ms, start_ms, self._quarter_ms):
                    self._window(model)[name].add(sums)
        self._tell(self._windows)
        self.is_loaded = True

    def count(self, records: Iterable[UsageRecord], known: Container[str], now_ms: int) -> None:
        """Calls that ended a moment ago. known: models of the catalogue; no other is told of."""
        with self._lock:
            self._count(records, known, now_ms)

    def _count(self, records: Iterable[UsageRecord], known: Container[str], now_ms: int) -> None:
        self._advance(now_ms)
        for record in records:
            failed = verdict(record)
            if failed is None or record.model not in known:
                continue
            sums = self._sums(QUARTER_MS, self._quarter_ms, record.model)
            if sums is None:
                continue
            sums.count(record, failed)
            for window in self._window(record.model).values():
                window.count(record, failed)
            self._changed.add((QUARTER_MS, self._quarter_ms, record.model))
            self._touched.add(record.model)
        if self._touched:
            touched, self._touched = self._touched, set()
            self._tell(touched)

    def changes(self) -> ServiceChanges:
        """What has changed since they were asked for last."""
        with self._lock:
            return self._changes()

    def _changes(self) -> ServiceChanges:
        changed, self._changed = self._changed, set()
        rows, gone = [], []
        for place in changed:
            span_ms, start_ms, model = place
            sums = self._spans.get((span_ms, start_ms), {}).get(model)
            if sums is None:
                gone.append(place)
            else:
                rows.append(_row(place, sums))
        return ServiceChanges(tuple(rows), tuple(gone))

    def unwritten(self, changes: ServiceChanges) -> None:
        """They could not be written: the next ones hold them too."""
        with self._lock:
            self._changed |= {(row.span_ms, row.start_ms, row.model) for row in changes.rows} | set(changes.gone)

    def _sums(self, span_ms: int, start_ms: int, model: str) -> ServiceSums | None:
        """None: there is no room for it."""
        models = self._spans.setdefault((span_ms, start_ms), {})
        sums = models.get(model)
        if sums is None and self._rows < ROWS_MAX:
            sums = models[model] = ServiceSums()
            self._rows += 1
        return sums

    def _window(self, model: str) -> Windows:
        found = self._windows.get(model)
        if found is None:
            found = self._windows[model] = {"hour": ServiceSums(), "day": ServiceSums(), "month": ServiceSums()}
        return found

    def _advance(self, now_ms: int) -> None:
        """Time goes on; a clock that was set back is not followed."""
        quarter_ms, before_ms = now_ms - now_ms % QUARTER_MS, self._quarter_ms
        if quarter_ms <= before_ms:
            return
        for (span_ms, start_ms), models in self._spans.items():
            left = set(_within(span_ms, start_ms, before_ms)) - set(_within(span_ms, start_ms, quarter_ms))
            for name in left:
                for model, sums in models.items():
                    self._windows[model][name].add(sums, -1)
            if left:
                self._touched |= models.keys()
        self._quarter_ms = quarter_ms
        self._fold()

    def _fold(self) -> None:
        """Quarters of an hour that are no part of the last day become part of their day; days beyond 30 end."""
        old = [place for place in self._spans if "day" not in _within(*place, self._quarter_ms)]
        for place in old:
            span_ms, start_ms = place
            if span_ms == QUARTER_MS:
                models = self._spans.pop(place)
                self._rows -= len(models)
                for model, sums in models.items():
                    day_ms = start_ms - start_ms % DAY_MS
                    self._changed |= {(span_ms, start_ms, model), (DAY_MS, day_ms, model)}
                    whole = self._sums(DAY_MS, day_ms, model)
                    assert whole is not None  # a row has just gone
                    whole.add(sums)
        for place in [one for one in self._spans if not _within(*one, self._quarter_ms)]:
            models = self._spans.pop(place)
            self._rows -= len(models)
            self._changed |= {(*place, model) for model in models}

    def _tell(self, models: Iterable[str]) -> None:
        """Make the report anew, as far as it is of these models."""
        told = dict(self.report)
        for model in models:
            windows = self._windows.get(model)
            if windows is None or not windows["month"].calls:
                self._windows.pop(model, None)
                told.pop(model, None)
            else:
                told[model] = {name: figures(sums) for name, sums in windows.items()}
        self.report = told


def _within(span_ms: int, start_ms: int, quarter_ms: int) -> Sequence[WindowName]:
    """The windows that a span is a part of, while this quarter of an hour runs. Days are a part of the longest only."""
    starts = starts_ms(quarter_ms)
    if start_ms - start_ms % DAY_MS < starts["month"]:
        return ()
    if span_ms == DAY_MS or start_ms < starts["day"]:
        return ("month",)
    return ("day", "month") if start_ms < starts["hour"] else WINDOWS


def _sums_of(row: ServiceRow) -> ServiceSums:
    return ServiceSums(row.good, row.failed, row.answers, row.tokens, row.generating_ms, dict(row.first))


def _row(place: Place, sums: ServiceSums) -> ServiceRow:
    span_ms, start_ms, model = place
    return ServiceRow(
        span_ms=span_ms,
        start_ms=start_ms,
        model=model,
        good=sums.good,
        failed=sums.failed,
        answers=sums.answers,
        tokens=sums.tokens,
        generating_ms=sums.generating_ms,
        first=tuple(sorted(sums.first.items())),
    )
