"""Records that are older than they are kept go, a few at a time; what sums them up stays, and says the same."""

import asyncio
from pathlib import Path

import pytest

from tests.services.harness import OPERATOR, SettableClock, of_account, run
from tests.services.integrated_harness import harness
from tollhouse.core.failure import Overloaded, PathNotFound
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.retention import Retention
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services import budgets, ledger, receipts, retention, usage
from tollhouse.services import credits as credit
from tollhouse.services.context import ServiceContext

DAYS = 3
PORTION = 20


class Rests:
    """A sleep that only notes how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def kept(services: ServiceContext) -> list[str]:
    return [one.id for one in await services.rows.read(lambda tables: tables.requests.page(before=None, limit=10_000))]


def test_old_records_go_and_everything_they_were_summed_up_in_stays(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.retention_days = DAYS
        calls = await harness(services, clock, usd="5")
        await budgets.put(services, OPERATOR, amount_usd="5", window="month", account=calls.account_id)
        made: list[list[str]] = []
        for _ in range(6):
            made.append([await calls.whole() for _ in range(2 * PORTION)])
            clock.ms += DAY_MS
        before = await ledger.verify(services, OPERATOR)
        reports = [await usage.report(services, OPERATOR, by=by) for by in ("model", "key", "day")]
        rests = Rests()
        clock.ms -= HOUR_MS  # the fourth day before is half over: some of its calls stay, some go
        deleted = await retention.delete_expired(services, rests, PORTION)
        assert deleted == 2 * PORTION * 3
        assert set(await kept(services)) == {one for day in made[3:] for one in day}
        assert len(rests.seconds) == 6
        after = await ledger.verify(services, OPERATOR)
        assert (before.flaws, after.flaws) == ((), ())
        assert after.entries == before.entries
        assert [await usage.report(services, OPERATOR, by=by) for by in ("model", "key", "day")] == reports
        state = await services.rows.read(lambda tables: tables.retention.load())
        assert state == Retention(
            before_ms=clock.ms - DAYS * DAY_MS, deleted=deleted, ended_at_ms=clock.ms, next_at_ms=clock.ms + HOUR_MS
        )
        assert (await receipts.show(services, OPERATOR, made[3][0])).call.id == made[3][0]
        gone = "records are kept 3 days, and this id is of 20.* UTC; what it was charged stays in the ledger"
        for actor in (OPERATOR, of_account("acc_of_somebody_else")):
            with pytest.raises(PathNotFound, match=gone):
                await receipts.show(services, actor, made[0][0])
        entry = await credit.refund(services, OPERATOR, made[0][0])
        assert entry.transfer.amount > 0

    run(tmp_path, scenario)


def test_a_day_of_which_half_is_gone_is_no_flaw(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock, usd="5")
        for _ in range(4):
            await calls.whole()
        middle_ms = clock.ms - 1
        await services.rows.change(lambda tables: tables.requests.delete_before(middle_ms, 9))
        assert (await ledger.verify(services, OPERATOR)).flaws, "a loss is noticed"
        await services.rows.change(lambda tables: tables.retention.save(Retention(before_ms=middle_ms)))
        assert (await ledger.verify(services, OPERATOR)).flaws == ()

    run(tmp_path, scenario)


def test_an_id_is_told_apart_by_its_own_time(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.retention_days = DAYS

        def named(age_ms: int) -> str:
            return make_id("req", clock.ms - age_ms, bytes(RANDOM_BYTES))

        state = Retention()
        assert retention.expired(services, named(DAYS * DAY_MS + 1), state) is not None
        assert retention.expired(services, named(DAYS * DAY_MS), state) is None
        assert retention.expired(services, "req_nonsense", state) is None
        assert retention.expired(services, named(clock.ms), state) is None, "an id made up of nothing has no time"
        services.retention_days = 90  # set higher later: what went is gone all the same
        far = Retention(before_ms=clock.ms - DAYS * DAY_MS)
        assert retention.expired(services, named(DAYS * DAY_MS + 1), far) is not None
        with pytest.raises(PathNotFound) as raised:
            await receipts.show(services, OPERATOR, named(0))
        assert "deleted" not in raised.value.message

    run(tmp_path, scenario)


def test_a_portion_rests_four_times_as_long_as_it_took(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.retention_days = DAYS
        calls = await harness(services, clock, usd="5")
        for _ in range(3 * PORTION):
            await calls.whole()
        clock.ms += (DAYS + 1) * DAY_MS
        rests = Rests()
        change, took_ms = services.rows.change, iter((40, 4_000, 0, 0, 0))

        async def slow(*given: object) -> object:
            clock.ms += next(took_ms)
            return await change(*given)  # type: ignore[arg-type]

        services.rows = _Slow(services.rows, slow)  # type: ignore[assignment]
        await retention.delete_expired(services, rests, PORTION)
        assert rests.seconds == [0.16, 5.0, 0.01]

    run(tmp_path, scenario)


class _Slow:
    def __init__(self, rows: object, change: object) -> None:
        self._rows, self.change = rows, change

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)


def test_it_looks_once_an_hour_and_outlives_a_database_that_is_away(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        told: list[tuple[str, object]] = []

        class Teller:
            def event(self, name: str, **facts: object) -> None:
                told.append((name, facts))

            def defect(self, request_id: str, error: BaseException) -> None:
                told.append(("defect", error))

        services.retention_days = DAYS
        calls = await harness(services, clock, usd="5")
        await calls.whole()
        clock.ms += (DAYS + 1) * DAY_MS
        await services.rows.change(lambda tables: tables.retention.save(Retention(ended_at_ms=clock.ms - HOUR_MS)))
        looks: list[float] = []
        change = services.rows.change
        troubles = [Overloaded("away"), KeyError("defect"), None]

        async def troubled(*given: object) -> object:
            trouble = troubles.pop(0) if troubles else None
            if trouble is not None:
                raise trouble
            return await change(*given)  # type: ignore[arg-type]

        services.rows = _Slow(services.rows, troubled)  # type: ignore[assignment]

        async def sleep(seconds: float) -> None:
            looks.append(seconds)
            clock.ms += round(seconds * 1000)
            if len(looks) == 5:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await retention.run(services, sleep, Teller())
        assert looks == [60, 60, 3600, 3600, 3600]
        assert [name for name, _ in told] == ["defect", "records_deleted"]
        assert told[1][1] == {"records": 1, "kept_days": DAYS}

    run(tmp_path, scenario)


class RecordedLog:
    """Notes the names of what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def event(self, name: str, **facts: object) -> None:
        self.told.append(name)

    def defect(self, request_id: str, error: BaseException) -> None:
        self.told.append(f"defect {error!r}")


class TwoClocks:
    """A wall clock that can be set, and one that only time moves."""

    def __init__(self, ms: int) -> None:
        self.ms, self.passed_ms = ms, 0

    def now_ms(self) -> int:
        return self.ms

    def ticks_ns(self) -> int:
        return self.passed_ms * 1_000_000

    def pass_by(self, ms: int) -> None:
        self.ms += ms
        self.passed_ms += ms


async def hours(
    services: ServiceContext, clock: TwoClocks, journal: RecordedLog, count: int, stopped_ms: int = 0
) -> None:
    """A server that runs for so many hours, after it was stopped so long."""
    clock.ms += stopped_ms
    end_ms = clock.passed_ms + count * HOUR_MS

    async def sleep(seconds: float) -> None:
        clock.pass_by(round(seconds * 1000))
        if clock.passed_ms >= end_ms:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retention.run(services, sleep, journal)


@pytest.mark.parametrize("in_a_run", [True, False], ids=["a server runs", "between two starts"])
@pytest.mark.parametrize("ahead_days", [3, 30, 3_650])
def test_a_clock_that_is_set_ahead_deletes_nothing_within_a_day(
    tmp_path: Path, ahead_days: int, in_a_run: bool
) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.retention_days = DAYS
        calls = await harness(services, clock, usd="5")
        kept_id = await calls.whole()
        two, journal = TwoClocks(clock.ms + HOUR_MS), RecordedLog()
        services.clock = two
        await hours(services, two, journal, 5)
        ahead_ms = ahead_days * DAY_MS
        if in_a_run:
            jumps = [ahead_ms]

            async def sleep(seconds: float) -> None:
                two.pass_by(round(seconds * 1000))
                if not jumps:
                    raise asyncio.CancelledError
                two.ms += jumps.pop()

            with pytest.raises(asyncio.CancelledError):
                await retention.run(services, sleep, journal)
        else:
            await hours(services, two, journal, 2, stopped_ms=ahead_ms)
        await hours(services, two, journal, 10)
        assert await kept(services) == [kept_id]
        assert journal.told == ["records_kept_for_clock"]
        assert retention.in_doubt(await services.rows.read(lambda tables: tables.retention.load()))
        two.ms -= ahead_ms  # it is set right within the day
        await hours(services, two, journal, 10)
        assert await kept(services) == [kept_id]
        assert not retention.in_doubt(await services.rows.read(lambda tables: tables.retention.load()))
        await hours(services, two, journal, (DAYS + 1) * 24)
        assert (await kept(services), journal.told) == ([], ["records_kept_for_clock", "records_deleted"])

    run(tmp_path, scenario)


def test_a_clock_that_goes_on_evenly_for_a_day_is_believed(tmp_path: Path) -> None:
    """A server that was stopped for a month keeps records for no month longer; nor one that runs on working days."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.retention_days = DAYS
        calls = await harness(services, clock, usd="5")
        await calls.whole()
        two, journal = TwoClocks(clock.ms + HOUR_MS), RecordedLog()
        services.clock = two
        await hours(services, two, journal, 1)
        await hours(services, two, journal, 23, stopped_ms=30 * DAY_MS)
        assert journal.told == ["records_kept_for_clock"]
        await hours(services, two, journal, 2)
        assert (await kept(services), journal.told.pop()) == ([], "records_deleted")
        await calls.whole()
        journal.told.clear()
        for stopped_hours in (64, 16, 16, 16, 16) * 2:
            await hours(services, two, journal, 8, stopped_ms=stopped_hours * HOUR_MS)
        assert await kept(services) == []
        assert journal.told.count("records_deleted") == 1

    run(tmp_path, scenario)


def test_the_first_look_of_all_goes_by_the_last_call(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.retention_days = DAYS
        calls = await harness(services, clock, usd="5")
        kept_id = await calls.whole()
        two, journal = TwoClocks(clock.ms), RecordedLog()
        services.clock = two
        await hours(services, two, journal, 12, stopped_ms=400 * DAY_MS)
        assert (await kept(services), journal.told) == ([kept_id], ["records_kept_for_clock"])

    run(tmp_path, scenario)
