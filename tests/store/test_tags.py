"""What callers invent as tags is summed apart up to a bound; what is kept for good has an end."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec import structs

from tests.store.samples import NOW_MS
from tests.store.test_charges import call
from tests.store.writing import on_disk, writing
from tollhouse.core.request import Request
from tollhouse.core.roll_up import DAY_MS
from tollhouse.store import tags
from tollhouse.store.tags import OTHER_TAGS

MOST = 5


def tagged(number: int, told: dict[str, str], time_ms: int = NOW_MS) -> Request:
    return structs.replace(call(number, None), tags=told, time_ms=time_ms)


def by_tag(url: str, *batches: Sequence[Request]) -> dict[str, int]:
    """Calls by tag, after each batch was written by a process of its own."""

    async def scene(batch: Sequence[Request]) -> None:
        async with writing(url) as (writer, _):
            for one in batch:
                await writer.commit(one)

    for batch in batches:
        asyncio.run(scene(batch))
    found = on_disk(url, lambda tables: tables.usage.sums("tag", from_ms=0, to_ms=2 * NOW_MS))
    return {one.group: one.calls for one in found}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "TAGS_A_DAY_MAX", MOST)


@pytest.mark.parametrize("restarts", [False, True])
def test_tags_beyond_the_bound_count_as_one(database_url: str, restarts: bool) -> None:
    """500 calls of a test key, which are free, left 8,000 sums that nobody ever removes."""
    calls = [tagged(number, {f"t{number}-{part}": "x" for part in range(3)}) for number in range(6)]
    found = by_tag(database_url, *([[one] for one in calls] if restarts else [calls]))
    assert len(found) == MOST + 1
    assert found[OTHER_TAGS] == 5, "a call counts once in it, however many of its tags it stands for"


def test_a_tag_that_is_there_goes_on_to_be_counted(database_url: str) -> None:
    first = [tagged(number, {"team": str(number)}) for number in range(MOST)]
    later = [tagged(10 + number, {"team": str(number), "new": str(number)}) for number in range(MOST)]
    found = by_tag(database_url, first, later)
    assert found == {**{f"team={number}": 2 for number in range(MOST)}, OTHER_TAGS: MOST}


def test_each_day_has_its_own(database_url: str) -> None:
    calls = [tagged(number, {"t": str(number)}, NOW_MS - number % 2 * DAY_MS) for number in range(2 * MOST)]
    found = by_tag(database_url, calls)
    assert OTHER_TAGS not in found
    assert len(found) == 2 * MOST
