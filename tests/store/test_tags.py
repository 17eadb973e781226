"""What callers invent as tags is summed apart up to a bound; what is kept for good has an end."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec import structs

from tests.store.harness import on_disk, writing
from tests.store.samples import NOW_MS
from tests.store.test_charges import call
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.tags import OTHER_TAGS, TAGS_A_DAY_MAX

OF_A_CALL = 16
FULL = TAGS_A_DAY_MAX // OF_A_CALL + 1  # calls that bring a few tags more than there is room for


def tagged(number: int, told: dict[str, str], time_ms: int = NOW_MS) -> UsageRecord:
    return structs.replace(call(number, None), tags=told, time_ms=time_ms)


def inventive(first: int, count: int, time_ms: int = NOW_MS) -> list[UsageRecord]:
    """Calls of which no two share a tag."""
    parts = range(OF_A_CALL)
    return [tagged(one, {f"t{one}-{part}": "x" for part in parts}, time_ms) for one in range(first, first + count)]


def by_tag(url: str, *batches: Sequence[UsageRecord]) -> dict[str, int]:
    """Calls by tag, after each batch was written by a process of its own."""

    async def scenario(batch: Sequence[UsageRecord]) -> None:
        async with writing(url) as (writer, _):
            await asyncio.gather(*(writer.commit(one) for one in batch))

    for batch in batches:
        asyncio.run(scenario(batch))
    found = on_disk(url, lambda tables: tables.usage.sums("tag", from_ms=0, to_ms=2 * NOW_MS))
    return {one.group: one.calls for one in found}


@pytest.mark.parametrize("processes", [1, 3])
def test_tags_beyond_the_bound_count_as_one(database_url: str, processes: int) -> None:
    """500 calls of a test key, which are free, left 8,000 sums that nobody ever removes."""
    calls = inventive(0, FULL + 20)
    found = by_tag(database_url, *(calls[part::processes] for part in range(processes)))
    assert len(found) == TAGS_A_DAY_MAX + 1
    assert found[OTHER_TAGS] == 21, "a call counts once in it, however many of its tags it stands for"


def test_a_tag_that_is_there_goes_on_to_be_counted(database_url: str) -> None:
    first = [tagged(1000 + number, {"team": str(number)}) for number in range(3)]
    later = [tagged(2000 + number, {"team": str(number), "new": str(number)}) for number in range(3)]
    found = by_tag(database_url, first, inventive(0, FULL), later)
    assert [found[f"team={number}"] for number in range(3)] == [2, 2, 2]
    assert len(found) == TAGS_A_DAY_MAX + 1


def test_each_day_has_its_own(database_url: str) -> None:
    found = by_tag(database_url, inventive(0, FULL - 1), inventive(FULL, FULL - 1, NOW_MS - DAY_MS))
    assert OTHER_TAGS not in found
    assert len(found) == 2 * (FULL - 1) * OF_A_CALL
