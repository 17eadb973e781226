"""The explorer's questions, from whichever sums answer them, agree with the calls themselves."""

import asyncio
from bisect import bisect_right
from collections import Counter
from random import Random

import pytest

from tests.store.harness import on_disk, writing
from tests.store.samples import NOW_MS, request
from tollhouse.core.charge import Charge
from tollhouse.core.roll_up import DAY_MS, Spans, SummedBy, UsageFilter
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services.usage_spans import WIDTHS, Every, TimeCut, cut, spans_of
from tollhouse.store.tables import SqlRepositories

COLUMNS = {
    "model": "model",
    "key": "key_id",
    "project": "project_id",
    "dialect": "dialect",
    "operation": "operation",
}


def made(random: Random, number: int) -> UsageRecord:
    live = random.random() < 0.8
    return request(
        number,
        id=f"req_{number:04}",
        time_ms=NOW_MS - random.randrange(30 * DAY_MS),
        account_id=random.choice(("acc_1", "acc_1", "acc_2")),
        project_id=random.choice(("proj_1", "proj_2")),
        key_id=random.choice(("key_1", "key_2", "key_3")),
        model=random.choice(("a", "b", "c")),
        dialect=random.choice(("anthropic", "gemini", "openai")),
        operation=random.choice(("chat", "rerank", "transcriptions")),
        mode="live" if live else "test",
        status=random.choice((200, 200, 429)),
        usage=Usage(input=random.randrange(100), output=random.randrange(100)),
        charge=Charge(amount=random.randrange(1_000), price_id=None) if live else None,
        tags={},
    )


def expected(
    calls: list[UsageRecord], over: TimeCut, by: str | None, narrowed: UsageFilter
) -> Counter[tuple[int, str]]:
    """What was charged, by span and group."""
    found: Counter[tuple[int, str]] = Counter()
    for call in calls:
        fits = all(
            getattr(narrowed, name) in (None, getattr(call, name))
            for name in ("account_id", "project_id", "key_id", "model", "dialect", "operation", "mode")
        )
        if fits and over.from_ms <= call.time_ms < over.to_ms:
            group = "" if by is None else getattr(call, COLUMNS[by])
            place = bisect_right(over.edges, call.time_ms) - 1
            found[place, group] += 0 if call.charge is None else call.charge.amount
    return found


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_spans_and_ranking_agree_with_the_calls(database_url: str, zone: str) -> None:
    random = Random(zone)
    calls = [made(random, number) for number in range(400)]
    filters = [
        UsageFilter(account_id="acc_1"),
        UsageFilter(account_id="acc_1", mode="test"),
        UsageFilter(account_id="acc_1", model="a"),
        UsageFilter(account_id="acc_1", key_id="key_1"),
        UsageFilter(account_id="acc_1", project_id="proj_2", model="b"),
        UsageFilter(account_id="acc_1", dialect="gemini"),
        UsageFilter(account_id="acc_1", key_id="key_2", operation="rerank"),
        UsageFilter(),
    ]
    everys: tuple[tuple[Every, int], ...] = (("hour", 6), ("day", 31), ("week", 31))
    kinds: tuple[SummedBy | None, ...] = (None, "model", "key", "project", "dialect", "operation")

    def question(tables: SqlRepositories) -> None:
        for every, days in everys:
            over = cut(NOW_MS - days * DAY_MS, NOW_MS, every, zone)
            for narrowed in filters:
                for by in kinds:
                    groups = sorted({getattr(call, name) for call in calls for name in COLUMNS.values()})
                    sums = tables.usage_series.by_span(by, spans_of(over), narrowed, groups)
                    found: Counter[tuple[int, str]] = Counter()
                    for one in sums:
                        middle_ms = one.start_ms + WIDTHS[every] // 2
                        found[bisect_right(over.edges, middle_ms) - 1, one.group] += one.charge
                    assert found == expected(calls, over, by, narrowed)
                    if by is not None:
                        whole: Counter[str] = Counter()
                        for (_, group), charge in found.items():
                            whole[group] += charge
                        span = Spans(from_ms=over.from_ms, to_ms=over.to_ms)
                        ranked = tables.usage_series.ranking(by, span, narrowed, "spend", 2)
                        assert [one.charge for one in ranked] == sorted(whole.values(), reverse=True)[:2]

    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            await asyncio.gather(*(writer.commit(call) for call in calls))

    asyncio.run(scenario())
    on_disk(database_url, question)
