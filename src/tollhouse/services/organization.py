"""What an account used and what it cost, in buckets of time: for whoever keeps the books of a whole organization."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS, BucketSum, UsageSum, kind_of
from tollhouse.core.usage import Usage
from tollhouse.services.context import ServiceContext
from tollhouse.services.usage_series import records_within, sum_of, total
from tollhouse.services.usage_spans import MINUTE_MS
from tollhouse.store.tables import SqlRepositories

RECORDS_MAX: Final = 20_000
"""Calls that one page of minutes is made from."""
READ_MS: Final = 5_000


class UsageQuestion(Struct, frozen=True, kw_only=True):
    """Unix milliseconds. `from_ms` and `to_ms` are starts of buckets of UTC, of `width_ms` each (a minute, an hour or a
    day).

    by: of `project_id`, `key_id`, `model`, what is told apart. narrowed: by the same names, which of them count.
    """

    from_ms: int
    to_ms: int
    width_ms: int
    by: tuple[str, ...] = ()
    narrowed: Mapping[str, Sequence[str]] = {}


class UsageBucket(Struct, frozen=True):
    """`sums` is empty where nothing was used."""

    start_ms: int
    end_ms: int
    sums: Sequence[BucketSum]


async def usage(services: ServiceContext, account_id: str, kind: str, asked: UsageQuestion) -> list[UsageBucket]:
    """What its live calls of one kind used (`core.roll_up.kind_of`). Minutes are read from the calls of the last 24
    hours, at most so many. Raises BadRequest, Overloaded."""
    if asked.width_ms == MINUTE_MS:
        return _buckets(asked, await _by_minute(services, account_id, kind, asked))
    sums = await services.rows.read(lambda tables: _used(tables, kind, account_id, asked))
    return _buckets(asked, [one for one in sums if one.usage != Usage()])  # calls that were refused used nothing


async def costs(services: ServiceContext, account_id: str, asked: UsageQuestion) -> list[UsageBucket]:
    """What its calls were charged. Raises Overloaded."""
    if asked.narrowed or not {"project_id", "key_id"}.isdisjoint(asked.by):
        sums = await services.rows.read(lambda tables: _used(tables, None, account_id, asked))
        return _buckets(asked, [one for one in sums if one.charge])
    edges = range(asked.from_ms, asked.to_ms + 1, asked.width_ms)
    found = await services.rows.read(lambda tables: tables.spend.by_model(account_id, edges))
    return [
        UsageBucket(start_ms, start_ms + asked.width_ms, _costs(start_ms, by_model, asked.by))
        for start_ms, by_model in zip(edges[:-1], found, strict=True)
    ]


async def _by_minute(services: ServiceContext, account_id: str, kind: str, asked: UsageQuestion) -> list[BucketSum]:
    now_ms = services.clock.now_ms()
    if asked.from_ms < now_ms - DAY_MS - MINUTE_MS:
        message = Phrase(
            "start_time: minutes are read from the calls of the last 24 hours; write 1h or 1d for what came before"
        )
        raise BadRequest(message, param="start_time")
    calls, is_cut = await services.rows.read(
        lambda tables: records_within(tables, account_id, asked.from_ms, min(asked.to_ms, now_ms + 1), RECORDS_MAX),
        deadline_ms=READ_MS,
    )
    if is_cut:
        message = Phrase(
            "limit: these minutes hold more than %(most)s calls; ask for fewer of them, or write 1h", most=RECORDS_MAX
        )
        raise BadRequest(message, param="limit")
    found: dict[tuple[int, tuple[tuple[str, str], ...]], list[UsageSum]] = defaultdict(list)
    for call in calls:
        fits = all(getattr(call, name) in chosen for name, chosen in asked.narrowed.items())
        if fits and call.mode == "live" and kind_of(call.operation) == kind:
            group = tuple((name, getattr(call, name)) for name in asked.by)
            found[call.time_ms - call.time_ms % MINUTE_MS, group].append(sum_of(call))
    sums = []
    for (start_ms, group), parts in sorted(found.items()):
        one = total("", parts)
        if one.usage != Usage():
            sums.append(BucketSum(start_ms=start_ms, usage=one.usage, charge=one.charge, **dict(group)))
    return sums


def empty(asked: UsageQuestion) -> list[UsageBucket]:
    """The buckets of a kind of which nothing is used."""
    return _buckets(asked, ())


def _used(tables: SqlRepositories, kind: str | None, account_id: str, asked: UsageQuestion) -> list[BucketSum]:
    return tables.usage.in_buckets(
        kind,
        account_id,
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
        width_ms=asked.width_ms,
        by=asked.by,
        narrowed=asked.narrowed,
    )


def _costs(start_ms: int, by_model: Mapping[str, int], by: Sequence[str]) -> list[BucketSum]:
    if "model" in by:
        items: Iterable[tuple[str | None, int]] = sorted(by_model.items())
    else:
        items = [(None, sum(by_model.values()))] if by_model else []
    return [BucketSum(start_ms=start_ms, model=model, usage=Usage(), charge=charge) for model, charge in items]


def _buckets(asked: UsageQuestion, sums: Iterable[BucketSum]) -> list[UsageBucket]:
    by_start: dict[int, list[BucketSum]] = defaultdict(list)
    for one in sums:
        by_start[one.start_ms].append(one)
    starts = range(asked.from_ms, asked.to_ms, asked.width_ms)
    return [UsageBucket(start_ms, start_ms + asked.width_ms, by_start.get(start_ms, [])) for start_ms in starts]
