"""The writer's queue: bounded in all, shared out among accounts, and a flood of one delays another by one batch."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from tests.store.harness import CommitGate, ids_on_disk, writing
from tests.store.samples import request
from tollhouse.core.failure import Overloaded
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.batch import STEPS, Job
from tollhouse.store.queue import BATCH_MAX, WriteQueue, share


def of(account_id: str, number: int) -> UsageRecord:
    return structs.replace(request(number), account_id=account_id)


def job(account_id: str, number: int, loop: asyncio.AbstractEventLoop) -> Job:
    return Job(loop.create_future(), of(account_id, number), account_id)


def test_a_commit_beside_a_flood_is_in_the_next_batch(tmp_path: Path) -> None:
    async def main() -> None:
        gate = CommitGate()
        url = f"sqlite:///{tmp_path / 'one.db'}"
        async with writing(url, steps=(gate, *STEPS)) as (writer, _):
            first = asyncio.ensure_future(writer.commit(of("acc_a", 1)))
            await gate.held()
            flood = [asyncio.ensure_future(writer.commit(of("acc_a", number))) for number in range(2, 3_002)]
            await asyncio.sleep(0)
            honest = asyncio.ensure_future(writer.commit(of("acc_b", 9_001)))
            for _ in range(20):
                await asyncio.sleep(0)
            gate.open.set()
            await asyncio.gather(first, *flood, honest)
        assert max(map(len, gate.batches)) <= BATCH_MAX
        place = next(at for at, batch in enumerate(gate.batches) if of("acc_b", 9_001).id in batch)
        assert place == 1
        assert [one for batch in gate.batches for one in batch if one != of("acc_b", 9_001).id] == [
            of("acc_a", number).id for number in range(1, 3_002)
        ]
        assert len(ids_on_disk(url)) == 3_002

    asyncio.run(main())


def test_what_is_left_over_is_written_when_the_writer_closes(tmp_path: Path) -> None:
    async def main() -> None:
        url = f"sqlite:///{tmp_path / 'one.db'}"
        async with writing(url) as (writer, _):
            flood = [asyncio.ensure_future(writer.commit(of("acc_a", number))) for number in range(2_000)]
            await asyncio.sleep(0)
            await writer.close()
            await asyncio.gather(*flood)
        assert len(ids_on_disk(url)) == 2_000

    asyncio.run(main())


def test_who_fills_the_queue_is_refused_and_others_are_not() -> None:
    loop = asyncio.new_event_loop()
    waiting = WriteQueue(maximum=100)
    jobs: list[Job] = []

    def admitted(account_id: str, count: int) -> int:
        before = len(jobs)
        for number in range(count):
            one = job(account_id, number, loop)
            try:
                waiting.admit(one)
            except Overloaded:
                break
            jobs.append(one)
        return len(jobs) - before

    assert admitted("acc_a", 1_000) == 50
    assert admitted("acc_b", 1_000) == 25
    assert admitted("acc_c", 10) == 10
    with pytest.raises(Overloaded):
        waiting.admit(job("acc_a", 1, loop))
    waiting.written(jobs)
    assert admitted("acc_a", 1_000) == 50
    loop.close()


def test_a_batch_takes_accounts_in_turns() -> None:
    loop = asyncio.new_event_loop()
    jobs = [job("acc_a", number, loop) for number in range(300)] + [job("acc_b", 1, loop), job("acc_c", 2, loop)]
    taken, left = share(jobs, 4)
    assert [(one.record.account_id, one.record.id) for one in taken if one.record] == [
        ("acc_a", request(0).id),
        ("acc_a", request(1).id),
        ("acc_b", request(1).id),
        ("acc_c", request(2).id),
    ]
    assert len(left) == 298
    loop.close()
