"""Rows of how models served, and of announcements, on both databases."""

import asyncio
from collections.abc import Callable

from msgspec import structs

from tests.store.harness import on_disk, writing
from tollhouse.core.announcement import Announcement, AnnouncementUpdate
from tollhouse.core.service_level import ServiceRow
from tollhouse.store.tables import SqlRepositories

ROW = ServiceRow(
    span_ms=900_000,
    start_ms=1_789_999_200_000,
    model="模型-1",
    good=3,
    failed=1,
    answers=2,
    tokens=2**40,
    generating_ms=17,
    first=((0, 1), (77, 2)),
)
HEARD = Announcement(
    id="ann_1",
    title="慢 'quoted'",
    models=("a", "b"),
    updates=(AnnouncementUpdate(5, "first\nline"), AnnouncementUpdate(6, "second")),
    created_at_ms=5,
    changed_at_ms=6,
)


def test_sums_replace_those_of_the_same_span_and_model(database_url: str) -> None:
    other = structs.replace(ROW, model="b"), structs.replace(ROW, span_ms=86_400_000)
    newer = structs.replace(ROW, good=9, first=())

    def first(tables: SqlRepositories) -> None:
        tables.service_levels.put((ROW, *other))

    def second(tables: SqlRepositories) -> None:
        tables.service_levels.put((newer,))
        tables.service_levels.put(())
        tables.service_levels.remove([(ROW.span_ms, ROW.start_ms, "b"), (1, 2, "never there")])

    assert _after(database_url, first) == {ROW, *other}
    assert _after(database_url, second) == {newer, other[1]}


def _after(url: str, change: Callable[[SqlRepositories], None]) -> set[ServiceRow]:
    _change(url, change)
    return set(on_disk(url, lambda tables: tables.service_levels.list_all()))


def test_announcements_are_told_while_open_and_some_time_after(database_url: str) -> None:
    over = structs.replace(HEARD, id="ann_2", created_at_ms=7, closed_at_ms=10)
    old = structs.replace(HEARD, id="ann_3", created_at_ms=3, closed_at_ms=4)

    def change(tables: SqlRepositories) -> None:
        for one in (HEARD, over, old):
            tables.announcements.add(one)

    _change(database_url, change)
    assert on_disk(database_url, lambda tables: tables.announcements.told_since(9, 50)) == [over, HEARD]
    assert on_disk(database_url, lambda tables: tables.announcements.told_since(0, 2)) == [over, HEARD]
    assert on_disk(database_url, lambda tables: tables.announcements.open_ones()) == 1
    assert on_disk(database_url, lambda tables: tables.announcements.get("ann_1")) == HEARD


def _change(url: str, change: Callable[[SqlRepositories], None]) -> None:
    async def scenario() -> None:
        async with writing(url) as (writer, _):
            await writer.change(lambda connection: change(SqlRepositories(connection)))

    asyncio.run(scenario())
