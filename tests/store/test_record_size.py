"""A record has a bound, whatever a caller or a provider has put into it."""

import asyncio
from pathlib import Path

from msgspec import structs
from sqlalchemy import text

from tests.store.harness import on_disk, writing
from tests.store.samples import request
from tollhouse.store.requests import RECORD_BYTES_MAX


def test_a_record_that_is_too_large_loses_what_is_large_and_keeps_what_counts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.db'}"
    tags = {f"t{number}": "\N{SNOWMAN}" * 64 for number in range(100)}
    large = structs.replace(request(1), raw_usage=b'{"a": "' + b"x" * 1_000_000 + b'"}', tags=tags)
    small = structs.replace(request(2), raw_usage=b'{"a": 1}')

    async def main() -> None:
        async with writing(url) as (writer, engines):
            await writer.commit(large)
            await writer.commit(small)
            with engines.reading.begin() as connection:
                sizes = connection.execute(text("SELECT length(record) FROM requests")).scalars().all()
        assert max(sizes) <= RECORD_BYTES_MAX

    asyncio.run(main())
    found = {one.id: one for one in on_disk(url, lambda tables: tables.requests.page(before=None, limit=10))}
    kept = found[large.id]
    assert (kept.raw_usage, kept.tags, kept.usage, kept.charge) == (None, {}, large.usage, large.charge)
    assert found[small.id] == small
