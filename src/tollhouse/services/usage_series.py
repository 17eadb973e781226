"""The usage explorer: what was spent and used over time, with the largest groups told apart from all others.

Sums that are written with each call know its model, key, project and tags, the account, the mode, the dialect and the
operation, by the quarter of an hour; a member by the keys that they made. They know no client and no minute: those are
read from the records of calls, at most so many, of a day.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct, structs

from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS, HOUR_MS, Metric, Spans, SummedBy, UsageFilter, UsageSum
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import reach
from tollhouse.services.choices import require_one_of, require_summed
from tollhouse.services.context import ServiceContext
from tollhouse.services.usage_spans import WIDTHS, Every, TimeCut, before, cut, quarter_after, spans_of, usual_every
from tollhouse.store.tables import SqlRepositories

GroupedBy: TypeAlias = Literal["model", "key", "project", "member", "tag", "client", "dialect", "operation"]

SHOWN: Final = 6
"""Groups that are told apart over time; the rest is one more."""
RANKED: Final = 50
RECORDS_MAX: Final = 1_500
RECORDS_BACK_MS: Final = DAY_MS
_READ_MS: Final = 5_000
_AT_ONCE: Final = 500


class UsageAsked(Struct, frozen=True, kw_only=True):
    """Unix milliseconds; `to_ms` None: now. `every` None: as fits the time."""

    by: GroupedBy = "model"
    metric: Metric = "spend"
    from_ms: int | None = None
    to_ms: int | None = None
    every: Every | None = None
    account: str | None = None
    project: str | None = None
    key: str | None = None
    model: str | None = None
    dialect: str | None = None
    operation: str | None = None
    mode: Literal["live", "test"] = "live"


class Series(Struct, frozen=True):
    """One group over time: a sum for each span of the cut, and all of it."""

    total: UsageSum
    spans: tuple[UsageSum, ...]


class Explored(Struct, frozen=True, kw_only=True):
    """`groups`: the largest, over time. `other`: all the rest, None where there is none. `before`: everything, over as
    much time right before, up to the same moment of it; None where records were read. `ranking`: the largest groups,
    without time. `read_from_ms`: since when all calls are in it, where not all were read."""

    cut: TimeCut
    whole: Series
    groups: tuple[Series, ...]
    other: Series | None
    before: Series | None
    ranking: tuple[UsageSum, ...]
    read_from_ms: int | None = None


def tags_alone() -> BadRequest:
    """Whoever asks for less of what is summed by tag than an account's is told that it cannot be had."""
    return BadRequest(
        "by: tags are summed over an account, not over one project, key, model, dialect or operation", param="by"
    )


def measured(metric: Metric, one: UsageSum) -> int:
    if metric == "spend":
        return one.charge
    return one.calls if metric == "requests" else one.usage.tokens_in() + one.usage.tokens_out()


async def explore(services: ServiceContext, actor: Actor, asked: UsageAsked) -> Explored:
    """Raises BadRequest, PathNotFound, Overloaded."""
    _require_known(services, asked)
    account_id = reach.narrowed(services, actor, asked.account)
    account = None if account_id is None else services.directory.accounts.get(account_id)
    narrowed = UsageFilter(
        account_id=account_id,
        project_id=None if asked.project is None else reach.project(services, actor, asked.project, account_id).id,
        key_id=None if asked.key is None else reach.key(services, actor, asked.key, account_id).id,
        model=asked.model,
        dialect=asked.dialect,
        operation=asked.operation,
        mode=asked.mode,
    )
    now_ms = services.clock.now_ms()
    to_ms = now_ms + 1 if asked.to_ms is None else asked.to_ms
    from_ms = to_ms - 7 * DAY_MS if asked.from_ms is None else asked.from_ms
    zone = "UTC" if account is None or asked.by == "tag" else account.zone
    every = asked.every or usual_every(from_ms, to_ms, now_ms)
    if asked.by == "tag" and every not in ("day", "week"):
        every = "day"
    over = cut(max(0, from_ms), to_ms, every, zone)
    if every == "minute" or asked.by == "client":
        return await _of_records(services, asked, narrowed, over, now_ms)
    narrows = narrowed.project_id, narrowed.key_id, narrowed.model, narrowed.dialect, narrowed.operation
    if asked.by == "tag" and any(one is not None for one in narrows):
        raise tags_alone()
    by: SummedBy = asked.by
    return await services.rows.read(
        lambda tables: _of_sums(tables, by, asked.metric, narrowed, over, now_ms), deadline_ms=_READ_MS
    )


def _require_known(services: ServiceContext, asked: UsageAsked) -> None:
    known = {"by": get_args(GroupedBy), "metric": get_args(Metric), "mode": ("live", "test"), "every": tuple(WIDTHS)}
    for name, words in known.items():
        require_one_of(name, getattr(asked, name), words)
    require_summed(services, asked.dialect, asked.operation)


def _of_sums(
    tables: SqlRepositories, by: SummedBy, metric: Metric, narrowed: UsageFilter, over: TimeCut, now_ms: int
) -> Explored:
    series, spans = tables.usage_series, spans_of(over)
    whole = _series("", series.by_span(None, spans, narrowed), over)
    ranking = tuple(series.ranking(by, Spans(from_ms=over.from_ms, to_ms=over.to_ms), narrowed, metric, RANKED))
    top = [one.group for one in ranking[:SHOWN] if measured(metric, one)]
    found: defaultdict[str, list[UsageSum]] = defaultdict(list)
    for one in series.by_span(by, spans, narrowed, top) if top else ():
        found[one.group].append(one)
    groups = tuple(_series(name, found[name], over) for name in top)
    earlier = before(over)
    elapsed_ms = min(over.to_ms, quarter_after(now_ms)) - over.from_ms
    so_far = series.by_span(None, spans_of(earlier, earlier.from_ms + elapsed_ms), narrowed)
    return Explored(
        cut=over,
        whole=whole,
        groups=groups,
        other=None if by == "tag" else _rest(whole, groups),
        before=_series("", so_far, earlier),
        ranking=ranking,
    )


async def _of_records(
    services: ServiceContext, asked: UsageAsked, narrowed: UsageFilter, over: TimeCut, now_ms: int
) -> Explored:
    """From the calls themselves, the newest RECORDS_MAX of them."""
    if over.from_ms < now_ms - RECORDS_BACK_MS - HOUR_MS:
        cured = (
            Phrase("from: clients are read from the calls of the last 24 hours; choose less time")
            if asked.by == "client"
            else Phrase("from: minutes are read from the calls of the last 24 hours; choose less time")
        )
        raise BadRequest(cured, param="from")
    calls, is_cut = await services.rows.read(
        lambda tables: records_within(tables, narrowed.account_id, over.from_ms, over.to_ms, RECORDS_MAX),
        deadline_ms=_READ_MS,
    )
    read_from_ms = calls[-1].time_ms if is_cut else None
    named = _named_by(services, asked.by)
    whole: list[UsageSum] = []
    by_group: defaultdict[str, list[UsageSum]] = defaultdict(list)
    for call in calls:
        if holds(narrowed, call):
            one = sum_of(call)
            whole.append(one)
            for name in named(call):
                by_group[name].append(one)
    ranking = [total(name, sums) for name, sums in by_group.items()]
    ranking.sort(key=lambda one: (-measured(asked.metric, one), one.group))
    everything = _series("", whole, over, exact=True)
    top = [one.group for one in ranking[:SHOWN] if measured(asked.metric, one)]
    groups = tuple(_series(name, by_group[name], over, exact=True) for name in top)
    return Explored(
        cut=over,
        whole=everything,
        groups=groups,
        other=None if asked.by == "tag" else _rest(everything, groups),
        before=None,
        ranking=tuple(ranking[:RANKED]),
        read_from_ms=read_from_ms,
    )


def records_within(
    tables: SqlRepositories, account_id: str | None, from_ms: int, to_ms: int, maximum: int
) -> tuple[list[UsageRecord], bool]:
    """Calls of [from, to), the newest first, at most so many; and whether there were more."""
    found: list[UsageRecord] = []
    place = to_ms, ""
    while len(found) < maximum:
        count = min(_AT_ONCE, maximum - len(found))
        calls = tables.requests.page(before=place, limit=count, account_id=account_id)
        found += [call for call in calls if call.time_ms >= from_ms]
        if len(calls) < count or calls[-1].time_ms < from_ms:
            return found, False
        place = calls[-1].time_ms, calls[-1].id
    return found, True


def holds(narrowed: UsageFilter, call: UsageRecord) -> bool:
    return (
        call.mode == narrowed.mode
        and narrowed.project_id in (None, call.project_id)
        and narrowed.key_id in (None, call.key_id)
        and narrowed.model in (None, call.model)
        and narrowed.dialect in (None, call.dialect)
        and narrowed.operation in (None, call.operation)
    )


def sum_of(call: UsageRecord) -> UsageSum:
    """What sums would say of one call; `start_ms` is its own time."""
    charge = call.charge.amount if call.charge is not None and call.mode == "live" else 0
    return UsageSum(
        group="", calls=1, failed=int(call.status >= 400), charge=charge, usage=call.usage, start_ms=call.time_ms
    )


def total(name: str, sums: Iterable[UsageSum], start_ms: int = 0) -> UsageSum:
    calls = failed = charge = 0
    used = dict.fromkeys(BUCKETS, 0)
    for one in sums:
        calls, failed, charge = calls + one.calls, failed + one.failed, charge + one.charge
        for bucket in BUCKETS:
            used[bucket] += getattr(one.usage, bucket)
    return UsageSum(group=name, calls=calls, failed=failed, charge=charge, usage=Usage(**used), start_ms=start_ms)


def _series(name: str, sums: Sequence[UsageSum], over: TimeCut, *, exact: bool = False) -> Series:
    """Each sum in the span that holds it. exact: it knows its instant; else the start of its span, which may be off
    where clocks changed, so that its middle counts."""
    middle_ms = 0 if exact else WIDTHS[over.every] // 2
    placed: list[list[UsageSum]] = [[] for _ in over.edges[1:]]
    for one in sums:
        placed[max(0, min(len(over) - 1, bisect_right(over.edges, one.start_ms + middle_ms) - 1))].append(one)
    spans = tuple(total(name, there, start) for start, there in zip(over.edges, placed, strict=False))
    return Series(total(name, sums), spans)


def _rest(whole: Series, groups: Sequence[Series]) -> Series | None:
    rest = _less(whole.total, [one.total for one in groups])
    if not rest.calls:
        return None
    spans = [_less(one, [group.spans[place] for group in groups]) for place, one in enumerate(whole.spans)]
    return Series(rest, tuple(spans))


def _less(whole: UsageSum, parts: Sequence[UsageSum]) -> UsageSum:
    taken = total("", parts)
    left = {name: getattr(whole.usage, name) - getattr(taken.usage, name) for name in BUCKETS}
    return structs.replace(
        whole,
        calls=whole.calls - taken.calls,
        failed=whole.failed - taken.failed,
        charge=whole.charge - taken.charge,
        usage=Usage(**left),
    )


def _named_by(services: ServiceContext, by: GroupedBy) -> Callable[[UsageRecord], Sequence[str]]:
    """The groups that a call belongs to."""
    if by != "member":
        return _NAMES[by]
    keys = services.directory.keys

    def maker(call: UsageRecord) -> Sequence[str]:
        key = keys.get(call.key_id)
        return ("" if key is None or key.made_by is None else key.made_by,)

    return maker


_NAMES: Final[Mapping[str, Callable[[UsageRecord], Sequence[str]]]] = {
    "model": lambda call: (call.model,),
    "key": lambda call: (call.key_id,),
    "project": lambda call: (call.project_id,),
    "client": lambda call: (call.client,),
    "dialect": lambda call: (call.dialect,),
    "operation": lambda call: (call.operation,),
    "tag": lambda call: tuple({f"{name}={value}" for name, value in call.tags.items()}),
}
