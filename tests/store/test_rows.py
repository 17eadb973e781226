"""Each family of rows gives back what was put in, on both databases."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from msgspec import json, structs
from sqlalchemy import select

from tests.store.samples import NOW_MS, FixedClock, account, audit_row, key, person, project, request, secret
from tollhouse.core.catalogue import Catalogue, Model, Offer, Plan, Provider
from tollhouse.core.failure import Conflict
from tollhouse.core.ids import make_id
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.database import Store, open_store
from tollhouse.store.schema import requests as requests_table
from tollhouse.store.tables import SqlRepositories

T = TypeVar("T")


def run(url: str, scenario: Callable[[Store], Awaitable[T]]) -> T:
    async def whole() -> T:
        store = open_store(url, create=True, clock=FixedClock())
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(whole())


def add_owner(tables: SqlRepositories) -> None:
    tables.accounts.add(account())
    tables.projects.add(project())


def test_accounts_projects_keys_and_people_come_back_as_they_were_put(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        def put(tables: SqlRepositories) -> None:
            add_owner(tables)
            tables.keys.add(key())
            tables.people.add(person())

        await store.change(put)
        assert await store.read(lambda tables: tables.accounts.get("acc_1")) == account()
        assert await store.read(lambda tables: tables.projects.get("proj_1")) == project()
        assert await store.read(lambda tables: tables.keys.get("key_1")) == key()
        assert await store.read(lambda tables: tables.people.by_email("owner1@example.org")) == person()
        assert await store.read(lambda tables: tables.accounts.get("acc_2")) is None
        assert await store.read(lambda tables: tables.keys.get("key_2")) is None

    run(database_url, scenario)


def test_saved_changes_replace_what_stood(database_url: str) -> None:
    new_account = account(name="other", credit_limit=7, state="active", state_reason=None)
    new_project = project(state="archived")
    new_key = key(
        name="renamed",
        tags={},
        state="revoked",
        secrets=(secret(99), *(structs.replace(one, valid_until_ms=1, overlap_ms=None) for one in key().secrets)),
    )

    async def scenario(store: Store) -> None:
        def put(tables: SqlRepositories) -> None:
            add_owner(tables)
            tables.keys.add(key())
            tables.people.add(person())

        def save(tables: SqlRepositories) -> None:
            tables.accounts.save(new_account)
            tables.projects.save(new_project)
            tables.keys.save(new_key)
            tables.people.save(person(password_hash="other"))

        await store.change(put)
        await store.change(save)
        assert await store.read(lambda tables: tables.accounts.get("acc_1")) == new_account
        assert await store.read(lambda tables: tables.projects.get("proj_1")) == new_project
        assert await store.read(lambda tables: tables.keys.get("key_1")) == new_key
        found = await store.read(lambda tables: tables.people.by_email("owner1@example.org"))
        assert found == person(password_hash="other")

    run(database_url, scenario)


def test_saving_a_key_leaves_its_last_use_alone(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        def put(tables: SqlRepositories) -> None:
            add_owner(tables)
            tables.keys.add(key())

        await store.change(put)
        await store.change(lambda tables: tables.keys.save(key(last_used_at_ms=None, last_used_client=None)))
        assert await store.read(lambda tables: tables.keys.get("key_1")) == key()

    run(database_url, scenario)


def test_lists_are_newest_first_and_a_page_begins_where_the_last_ended(database_url: str) -> None:
    """Two rows of the same millisecond must neither be lost nor shown twice between pages."""

    async def scenario(store: Store) -> None:
        def put(tables: SqlRepositories) -> None:
            add_owner(tables)
            for number in range(1, 8):
                tables.keys.add(key(number, created_at_ms=NOW_MS + number // 2))

        await store.change(put)
        whole = await store.read(lambda tables: tables.keys.page(before=None, limit=100))
        assert [one.id for one in whole] == ["key_7", "key_6", "key_5", "key_4", "key_3", "key_2", "key_1"]
        seen: list[str] = []
        before: tuple[int, str] | None = None
        while page := await store.read(lambda tables, before=before: tables.keys.page(before=before, limit=2)):  # type: ignore[misc]
            seen += [one.id for one in page]
            before = (page[-1].created_at_ms, page[-1].id)
        assert seen == [one.id for one in whole]
        assert await store.read(lambda tables: tables.keys.page(before=None, limit=9, account_id="acc_2")) == []
        assert await store.read(lambda tables: tables.keys.page(before=None, limit=9, project_id="proj_2")) == []

    run(database_url, scenario)


def test_pages_of_the_other_families(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        def put(tables: SqlRepositories) -> None:
            add_owner(tables)
            tables.accounts.add(account(2))
            tables.projects.add(project(2, account_id="acc_2"))
            for number in range(1, 4):
                tables.audit.add(audit_row(number, account_id=f"acc_{number}", object_id=f"key_{number}"))

        await store.change(put)
        await asyncio.gather(*(store.writer.commit(request(number)) for number in range(1, 4)))

        def look(tables: SqlRepositories) -> None:
            assert tables.accounts.page(before=None, limit=9) == [account(2), account(1)]
            assert tables.accounts.page(before=(NOW_MS + 2, "acc_2"), limit=9) == [account(1)]
            assert tables.accounts.page(before=None, limit=9, account_id="acc_1") == [account(1)]
            assert tables.projects.page(before=None, limit=1) == [project(2, account_id="acc_2")]
            assert tables.projects.page(before=None, limit=9, account_id="acc_1") == [project(1)]
            assert tables.projects.active_named("acc_1", "project 1") == project(1)
            assert tables.projects.active_named("acc_2", "project 1") is None
            assert [row.id for row in tables.audit.page(before=None, limit=2)] == ["aud_3", "aud_2"]
            assert [row.id for row in tables.audit.page(before=None, limit=9, account_id="acc_1")] == ["aud_1"]
            assert [row.id for row in tables.audit.page(before=None, limit=9, object_id="key_2")] == ["aud_2"]
            assert [row.id for row in tables.requests.page(before=None, limit=2)] == ["req_3", "req_2"]
            assert tables.requests.page(before=None, limit=2, account_id="acc_9") == []

        await store.read(look)

    run(database_url, scenario)


def test_an_audit_row_comes_back_as_it_was_put(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        await store.change(lambda tables: tables.audit.add(audit_row()))
        assert await store.read(lambda tables: tables.audit.page(before=None, limit=9)) == [audit_row()]

    run(database_url, scenario)


def test_a_call_comes_back_as_it_was_committed(database_url: str) -> None:
    whole = request(id=make_id("req", NOW_MS, b"0123456789"), time_ms=NOW_MS)
    bare = UsageRecord(
        id=make_id("req", NOW_MS, b"9876543210"),
        time_ms=NOW_MS,
        account_id="acc_1",
        project_id="proj_1",
        key_id="key_1",
        mode="live",
        model="m",
        dialect="gemini",
        operation="embeddings",
        stream=False,
        status=401,
        ending="refused",
    )

    async def scenario(store: Store) -> None:
        await store.writer.commit(whole)
        await store.writer.commit(bare)
        assert await store.read(lambda tables: tables.requests.get(whole.id)) == whole
        assert await store.read(lambda tables: tables.requests.get(bare.id)) == bare
        for unknown in (make_id("req", NOW_MS, bytes(10)), make_id("req", 1, b"0123456789"), "req_1", ""):
            assert await store.read(lambda tables, unknown=unknown: tables.requests.get(unknown)) is None  # type: ignore[misc]

    run(database_url, scenario)


def test_what_lists_select_by_is_the_same_as_in_the_record(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        await store.writer.commit(request())
        rows = await store.readers.read(lambda connection: connection.execute(select(requests_table)).all())
        assert [row[:3] for row in rows] == [(request().time_ms, "req_1", "acc_1")]
        assert [json.decode(row.record, type=UsageRecord) for row in rows] == [request()]

    run(database_url, scenario)


def test_what_callers_choose_cannot_make_a_record_unwritable(database_url: str) -> None:
    """PostgreSQL holds no NUL, and neither holds half a surrogate pair."""
    hostile = request(model="a\x00b\ud800", client="c\x00", tags={"k\x00": "v\udfff", "x": "' OR '1'='1"})

    async def scenario(store: Store) -> None:
        await store.writer.commit(hostile)
        (found,) = await store.read(lambda tables: tables.requests.page(before=None, limit=9))
        assert found.model == "a\ufffdb?"
        assert found.tags == {"k\ufffd": "v?", "x": "' OR '1'='1"}
        sums = await store.read(lambda tables: tables.usage.sums("tag", from_ms=0, to_ms=2 * NOW_MS))
        assert [one.group for one in sums] == ["k\ufffd=v?", "x=' OR '1'='1"]

    run(database_url, scenario)


def test_tags_that_read_alike_count_a_call_once(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        await store.writer.commit(request(tags={"team": "a=b", "team=a": "b"}))
        sums = await store.read(lambda tables: tables.usage.sums("tag", from_ms=0, to_ms=2 * NOW_MS))
        assert [(one.group, one.calls) for one in sums] == [("team=a=b", 1)]

    run(database_url, scenario)


DAY = 86_400_000
DAY_0 = NOW_MS - NOW_MS % DAY


def test_usage_is_summed_by_each_grouping_while_it_is_written(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        calls = [
            request(1, time_ms=DAY_0, model="a", key_id="key_1", tags={"team": "x"}),
            request(
                2, time_ms=DAY_0 + DAY - 1, model="a", key_id="key_2", status=500, tags={"team": "y", "stage": "p"}
            ),
            request(3, time_ms=DAY_0 + DAY, model="b", key_id="key_2", project_id="proj_2", tags={}),
            request(4, time_ms=DAY_0, model="a", account_id="acc_2", tags={"team": "x"}),
            request(5, time_ms=DAY_0, model="a", mode="live", usage=Usage(input=1000), tags={}),
        ]
        await store.writer.commit(calls[0])
        await asyncio.gather(*(store.writer.commit(call) for call in calls[1:]))

        def look(tables: SqlRepositories) -> None:
            def counted(by: str, **narrowed: object) -> list[tuple[str, int, int, int]]:
                where = {"from_ms": DAY_0, "to_ms": DAY_0 + 2 * DAY, "account_id": "acc_1"} | narrowed
                sums = tables.usage.sums(by, **where)  # type: ignore[arg-type]
                return [(one.group, one.calls, one.failed, one.usage.input) for one in sums]

            assert counted("model") == [("a", 3, 1, 1002), ("b", 1, 0, 1)]
            assert counted("key") == [("key_1", 2, 0, 1001), ("key_2", 2, 1, 2)]
            assert counted("project") == [("proj_1", 3, 1, 1002), ("proj_2", 1, 0, 1)]
            assert counted("day") == [(str(DAY_0), 3, 1, 1002), (str(DAY_0 + DAY), 1, 0, 1)]
            assert counted("tag") == [("stage=p", 1, 1, 1), ("team=x", 1, 0, 1), ("team=y", 1, 1, 1)]
            assert counted("model", account_id=None) == [("a", 4, 1, 1003), ("b", 1, 0, 1)]
            assert counted("model", mode="live") == [("a", 1, 0, 1000)]
            assert counted("model", key_id="key_2") == [("a", 1, 1, 1), ("b", 1, 0, 1)]
            assert counted("model", to_ms=DAY_0 + DAY) == [("a", 3, 1, 1002)]
            # Within a day, by quarters of an hour: what a time zone off by 5:45 needs.
            assert counted("day", from_ms=DAY_0 + 900_000, to_ms=DAY_0 + DAY) == [(str(DAY_0), 1, 1, 1)]

        await store.read(look)

    run(database_url, scenario)


def test_every_bucket_is_summed_into_itself(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        await asyncio.gather(*(store.writer.commit(request(number)) for number in range(1, 4)))
        sums = await store.read(lambda tables: tables.usage.sums("model", from_ms=0, to_ms=2 * DAY_0))
        expected = {bucket: 3 * place for place, bucket in enumerate(BUCKETS, start=1)}
        assert [structs.asdict(one.usage) for one in sums] == [expected]

    run(database_url, scenario)


def test_a_batch_of_many_groups_is_summed_whole(database_url: str) -> None:
    """More rows than a statement takes, among them groups of one call and of several."""

    async def scenario(store: Store) -> None:
        calls = [
            request(number, key_id=f"key_{number % 70}", tags={"team": f"t{number % 40}"}) for number in range(1, 101)
        ]
        await asyncio.gather(*(store.writer.commit(call) for call in calls))

        def look(tables: SqlRepositories) -> None:
            by_key = Counter(call.key_id for call in calls)
            by_tag = Counter(f"team={call.tags['team']}" for call in calls)
            for sums, expected in (
                (tables.usage.sums("key", from_ms=0, to_ms=2 * DAY_0), by_key),
                (tables.usage.sums("tag", from_ms=0, to_ms=2 * DAY_0), by_tag),
            ):
                assert {one.group: one.calls for one in sums} == expected
                assert {one.group: one.usage.output for one in sums} == {
                    group: 5 * count for group, count in expected.items()
                }

        await store.read(look)

    run(database_url, scenario)


def test_the_catalogue_is_replaced_as_a_whole(database_url: str) -> None:
    first = Catalogue(
        generation=1,
        providers={"main": Provider(id="main", kind="openai", api_keys=("env:MAIN",), managed_by="api")},
        models={"m": Model(id="m", offers=(Offer(provider="main", model="x"),), price={"input": "2.50"})},
        plans={"default": Plan(id="default", requests_per_minute=5)},
    )
    second = Catalogue(generation=2, providers={"other": Provider(id="other", kind="simulator")})

    async def scenario(store: Store) -> None:
        assert await store.load_catalogue() == Catalogue()
        await store.change(lambda tables: tables.catalogue.save(first, NOW_MS))
        assert await store.load_catalogue() == first
        await store.change(lambda tables: tables.catalogue.save(second, NOW_MS))
        assert await store.load_catalogue() == second

    run(database_url, scenario)


def test_each_change_leaves_a_note_for_other_processes(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        def change(tables: SqlRepositories) -> None:
            add_owner(tables)
            tables.keys.add(key())
            tables.keys.save(key(state="revoked"))
            tables.catalogue.save(Catalogue(generation=7), NOW_MS)

        await store.change(change)
        noted = await store.read(lambda tables: tables.changes.since(0))
        assert [(kind, object_id) for _, kind, object_id in noted] == [
            ("account", "acc_1"),
            ("project", "proj_1"),
            ("key", "key_1"),
            ("key", "key_1"),
            ("catalogue", "7"),
        ]
        newest = await store.read(lambda tables: tables.changes.newest())
        assert newest == noted[-1][0]
        assert await store.read(lambda tables: tables.changes.since(newest)) == []

    run(database_url, scenario)


def test_the_database_itself_refuses_a_second_active_project_of_one_name(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        await store.change(add_owner)
        with pytest.raises(Conflict):
            await store.change(lambda tables: tables.projects.add(project(2, name="project 1")))
        await store.change(lambda tables: tables.projects.add(project(3, name="project 1", state="archived")))

    run(database_url, scenario)


def test_the_directory_holds_every_key_after_a_restart(database_url: str) -> None:
    async def put(store: Store) -> None:
        def change(tables: SqlRepositories) -> None:
            add_owner(tables)
            tables.keys.add(key(1))
            tables.keys.add(key(2))

        await store.change(change)

    async def look(store: Store) -> None:
        directory = await store.load_directory()
        for one in (key(1), key(2)):
            for kept in one.secrets:
                identity = directory.find(kept.digest)
                assert identity is not None
                assert (identity.key, identity.secret) == (one, kept)
                assert (identity.account, identity.project) == (account(), project())

    run(database_url, put)
    run(database_url, look)


def test_signing_secrets_are_found_by_their_form_and_kept_in_another(database_url: str) -> None:
    async def scenario(store: Store) -> None:
        def change(tables: SqlRepositories) -> dict[str, str]:
            tables.outbox.put_secret("bud_1", "https://one.example", "whsec_1")
            tables.outbox.put_secret("bud_2", "https://two.example", "enc:v1:aa:2")
            bare = tables.outbox.secrets_without("enc:v1:")
            tables.outbox.keep_secret("bud_1", "enc:v1:aa:1")
            return bare

        assert await store.change(change) == {"bud_1": "whsec_1"}
        assert await store.read(lambda tables: tables.outbox.secrets_without("enc:v1:")) == {}
        kept = await store.read(lambda tables: tables.outbox.secrets(["bud_1", "bud_2", "bud_3"]))
        assert kept == {
            "bud_1": ("https://one.example", "enc:v1:aa:1"),
            "bud_2": ("https://two.example", "enc:v1:aa:2"),
        }

    run(database_url, scenario)
