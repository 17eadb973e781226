"""Sums of how models served: exact against the calls themselves, over weeks and restarts; bounded; written down."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from tests.services.harness import SettableClock, run
from tests.store.samples import request
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import Overloaded
from tollhouse.core.roll_up import DAY_MS, HOUR_MS, QUARTER_MS
from tollhouse.core.service_level import ServiceRow, ServiceSums, WindowName, figures, starts_ms, verdict
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, UsageRecord
from tollhouse.services import service_levels
from tollhouse.services.context import ServiceContext
from tollhouse.services.service_sums import ROWS_MAX, ServiceLevels

START_MS = 1_790_000_000_000
MODELS = ("a", "b", "c")
KNOWN = dict.fromkeys(MODELS)


class CallAtItsEnd(NamedTuple):
    """A call, and when it was counted."""

    at_ms: int
    call: UsageRecord


def live(model: str) -> UsageRecord:
    return structs.replace(request(), mode="live", model=model, status=200, error=None, ending="finished")


def random_call(chance: random.Random) -> UsageRecord:
    first_ms = round(chance.lognormvariate(6, 1.2))
    begun = chance.randrange(20)
    drawn: dict[str, Any] = {
        "model": chance.choice([*MODELS, "gone"]),
        "status": 200,
        "error": None,
        "ending": "finished",
        "mode": chance.choice(["live"] * 9 + ["test"]),
        "stream": chance.random() < 0.7,
        "admitted_ms": 1,
        "first_byte_ms": first_ms,
        "last_byte_ms": first_ms + chance.randrange(30_000),
        "usage": Usage(input=10, output=chance.randrange(2_000)),
        "attempts": (Attempt(provider="p", model="m", status=200, start_ms=begun, end_ms=first_ms),),
    }
    if chance.random() < 0.1:
        error = chance.choice(["upstream_error", "upstream_timeout", "overloaded", "invalid_request_error"])
        drawn |= {"status": 502, "error": error, "ending": "failed_before_first_byte"}
    return structs.replace(request(), **drawn)


def exact(ended: Sequence[CallAtItsEnd], model: str, now_ms: int) -> dict[WindowName, ServiceSums]:
    """The sums of each window, from the calls."""
    starts = starts_ms(now_ms)
    found = {name: ServiceSums() for name in starts}
    for one in ended:
        failed = verdict(one.call)
        if failed is None or one.call.model != model:
            continue
        for name, start_ms in starts.items():
            # Of the longest window, days are whole once they are folded; what it began with is kept till then.
            if one.at_ms >= start_ms:
                found[name].count(one.call, failed)
    return found


def require_exact(levels: ServiceLevels, ended: Sequence[CallAtItsEnd], now_ms: int) -> None:
    for model in MODELS:
        sums = exact(ended, model, now_ms)
        if not sums["month"].calls:
            assert model not in levels.report
            continue
        assert levels.report[model] == {name: figures(one) for name, one in sums.items()}


@pytest.mark.parametrize("seed", range(3))
def test_weeks_of_traffic_are_summed_exactly(seed: int) -> None:
    chance, levels, now_ms = random.Random(seed), ServiceLevels(), START_MS
    levels.load((), now_ms)
    ended: list[CallAtItsEnd] = []
    for step in range(600):
        now_ms += round(chance.expovariate(1 / (DAY_MS / 10)) if chance.random() < 0.9 else chance.randrange(60_000))
        calls = [random_call(chance) for _ in range(chance.randrange(40))]
        levels.count(calls, KNOWN, now_ms)
        ended = [one for one in ended if one.at_ms >= now_ms - 32 * DAY_MS] + [
            CallAtItsEnd(now_ms, one) for one in calls
        ]
        if step % 20 == 0:
            require_exact(levels, ended, now_ms)
    require_exact(levels, ended, now_ms)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_two_months_of_much_traffic_are_summed_exactly(seed: int) -> None:
    """Some 100,000 calls each, a restart from rows each week, held against the calls themselves."""
    chance, levels, now_ms = random.Random(seed), ServiceLevels(), START_MS
    levels.load((), now_ms)
    ended: list[CallAtItsEnd] = []
    rows: dict[tuple[int, int, str], ServiceRow] = {}
    until_ms, restart_ms = now_ms + 60 * DAY_MS, now_ms + 7 * DAY_MS
    while now_ms < until_ms:
        now_ms += round(chance.expovariate(1 / QUARTER_MS))
        calls = [random_call(chance) for _ in range(chance.randrange(35))]
        levels.count(calls, KNOWN, now_ms)
        ended += [CallAtItsEnd(now_ms, one) for one in calls]
        if chance.random() < 0.2:
            changes = levels.changes()
            rows |= {(row.span_ms, row.start_ms, row.model): row for row in changes.rows}
            for place in changes.gone:
                rows.pop(place, None)
            if now_ms > restart_ms:
                restart_ms += 7 * DAY_MS
                levels = ServiceLevels()
                levels.load(rows.values(), now_ms)
                ended = [one for one in ended if one.at_ms >= now_ms - 32 * DAY_MS]
                require_exact(levels, ended, now_ms)
    require_exact(levels, ended, now_ms)
    assert len(rows) < len(MODELS) * (97 + 32)


def test_rows_tell_another_process_the_same(tmp_path: Path) -> None:
    """Written each so often, through many quarters of an hour and days; read at a start."""
    chance = random.Random(11)

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.catalogue = Catalogue(models={model: Model(id=model) for model in MODELS})
        ended: list[CallAtItsEnd] = []
        await service_levels.load(services)
        for step in range(150):
            clock.ms += chance.randrange(2 * HOUR_MS) if step % 30 else 3 * DAY_MS
            calls = [random_call(chance) for _ in range(chance.randrange(20))]
            services.levels.ended.extend(calls)
            await service_levels.count_ended(services)
            ended += [CallAtItsEnd(clock.ms, one) for one in calls]
            if step % 3 == 0:
                await service_levels.write(services)
            if step % 50 == 49:
                await service_levels.finish(services)
                before = services.levels.report
                services.levels = ServiceLevels()
                await service_levels.load(services)
                assert services.levels.report == before
        require_exact(services.levels, ended, clock.ms)
        rows = await services.rows.read(lambda tables: tables.service_levels.list_all())
        assert len({(row.span_ms, row.start_ms, row.model) for row in rows}) == len(rows)
        starts = starts_ms(clock.ms)
        assert all(row.start_ms >= starts["day"] for row in rows if row.span_ms == QUARTER_MS)
        assert all(row.start_ms >= starts["month"] for row in rows)

    run(tmp_path, scenario)


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.catalogue = Catalogue(models={"a": Model(id="a")})
        await service_levels.load(services)
        services.levels.ended.append(live("a"))
        await service_levels.count_ended(services)
        real, services.rows = services.rows, AwayRows()  # type: ignore[assignment]
        with pytest.raises(Overloaded):
            await service_levels.write(services)
        services.rows = real
        await service_levels.write(services)
        (row,) = await services.rows.read(lambda tables: tables.service_levels.list_all())
        assert (row.model, row.good, row.failed) == ("a", 1, 0)
        assert not services.levels.changes().rows

    run(tmp_path, scenario)


class AwayRows:
    async def change(self, transaction: object, after: object = None) -> None:
        raise Overloaded("away")


def test_only_models_of_the_catalogue_are_told_of() -> None:
    levels = ServiceLevels()
    levels.count([live("gone")], KNOWN, START_MS)
    assert not levels.report
    assert not levels.changes().rows


def test_sums_are_bounded_whatever_is_called() -> None:
    levels = ServiceLevels()
    many = {f"m{number}" for number in range(ROWS_MAX + 10)}
    levels.count((live(model) for model in sorted(many)), many, START_MS)
    assert len(levels.changes().rows) == ROWS_MAX


def test_a_clock_that_is_set_back_is_not_followed() -> None:
    levels = ServiceLevels()
    levels.count([live("a")] * 30, KNOWN, START_MS)
    levels.count([live("a")] * 30, KNOWN, START_MS - DAY_MS)
    (row,) = levels.changes().rows
    assert (row.start_ms, row.good) == (START_MS - START_MS % QUARTER_MS, 60)


def test_calls_of_an_hour_ago_leave_the_hour_and_stay_in_the_day() -> None:
    levels = ServiceLevels()
    levels.count([live("a")] * 30, KNOWN, START_MS)
    levels.count([], KNOWN, START_MS + HOUR_MS)
    assert success_of(levels) == (1_000, 1_000)
    levels.count([], KNOWN, START_MS + HOUR_MS + QUARTER_MS)
    assert success_of(levels) == (None, 1_000)
    levels.count([], KNOWN, START_MS + 32 * DAY_MS)
    assert "a" not in levels.report


def success_of(levels: ServiceLevels) -> tuple[int | None, int | None]:
    return levels.report["a"]["hour"].success, levels.report["a"]["day"].success


def test_counting_in_threads_loses_no_call(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> int:
        services.catalogue = Catalogue(models={"a": Model(id="a")})
        for _ in range(20):
            services.levels.ended.extend([live("a")] * 50)
            await asyncio.gather(*(service_levels.count_ended(services) for _ in range(3)))
        return services.levels.changes().rows[0].good

    assert run(tmp_path, scenario) == 1_000
