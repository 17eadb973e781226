"""Reports come from the sums, within the bounds asked for and the account of who asks."""

from pathlib import Path

import pytest

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, of_account, run
from tests.store.samples import request
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.usage import Usage
from tollhouse.services import accounts, keys, usage
from tollhouse.services.context import ServiceContext

DAY_MS = 86_400_000


def test_usage_by_each_grouping_and_for_whom(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await accounts.create(services, OPERATOR, name="mine")
        other = await accounts.create(services, OPERATOR, name="other")
        key = (await keys.create(services, OPERATOR, name="ci", account="mine")).key
        theirs = (await keys.create(services, OPERATOR, name="ci", account="other")).key
        calls = [
            request(1, time_ms=NOW_MS, account_id=mine.id, key_id=key.id, model="a", usage=Usage(input=1)),
            request(
                2, time_ms=NOW_MS - 29 * DAY_MS, account_id=mine.id, key_id=key.id, model="b", usage=Usage(input=2)
            ),
            request(
                3, time_ms=NOW_MS - 40 * DAY_MS, account_id=mine.id, key_id=key.id, model="c", usage=Usage(input=4)
            ),
            request(4, time_ms=NOW_MS, account_id=other.id, key_id=theirs.id, model="a", usage=Usage(input=8)),
        ]
        for call in calls:
            await services.rows.writer.commit(call)  # type: ignore[attr-defined]

        async def models(actor: object = OPERATOR, **asked: object) -> dict[str, int]:
            sums = await usage.report(services, actor, **asked)  # type: ignore[arg-type]
            return {one.group: one.usage.input for one in sums}

        assert await models() == {"a": 9, "b": 2}
        assert await models(of_account(mine.id)) == {"a": 1, "b": 2}
        assert await models(account="mine", from_ms=0) == {"a": 1, "b": 2, "c": 4}
        assert await models(account="mine", from_ms=0, to_ms=NOW_MS - DAY_MS) == {"b": 2, "c": 4}
        # An end alone means the thirty days before it.
        assert await models(account="mine", to_ms=NOW_MS - 20 * DAY_MS) == {"b": 2, "c": 4}
        assert await models(account="mine", to_ms=0) == {}
        assert await models(key=theirs.id) == {"a": 8}
        assert await models(account="mine", by="tag") == {"team=Zoll": 3}
        assert await models(account="mine", mode="live") == {}
        # A bound within a quarter of an hour is widened to the whole quarter.
        assert await models(account="mine", from_ms=NOW_MS + 60_000, to_ms=NOW_MS + 120_000) == {"a": 1}
        assert await models(by="key", account="mine") == {key.id: 3}
        with pytest.raises(PathNotFound):
            await models(of_account(mine.id), account="other")
        with pytest.raises(PathNotFound):
            await models(of_account(mine.id), key=theirs.id)
        for asked, param in (
            ({"by": "colour"}, "by"),
            ({"from_ms": 5, "to_ms": 4}, "from"),
            ({"from_ms": -1}, "from"),
            ({"to_ms": -1}, "to"),
        ):
            with pytest.raises(BadRequest) as refused:
                await models(**asked)
            assert refused.value.param == param
        with pytest.raises(BadRequest):
            await models(by="tag", key=key.id)

    run(tmp_path, scenario)
