"""Reports of usage, from the sums that are written with each call."""

from typing import Final, get_args

from tollhouse.core.account import KeyMode
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS, QUARTER_MS, UsageBy, UsageSum
from tollhouse.services import reach
from tollhouse.services.choices import require_one_of, require_summed
from tollhouse.services.context import ServiceContext
from tollhouse.services.usage_series import tags_alone

_DAYS = 30

_GROUPINGS: Final[tuple[UsageBy, ...]] = get_args(UsageBy)


async def report(
    services: ServiceContext,
    actor: Actor,
    *,
    by: UsageBy = "model",
    from_ms: int | None = None,
    to_ms: int | None = None,
    account: str | None = None,
    project: str | None = None,
    key: str | None = None,
    dialect: str | None = None,
    operation: str | None = None,
    mode: KeyMode | None = None,
) -> tuple[UsageSum, ...]:
    """Sums over [from, to), in Unix milliseconds: by default the last 30 days (of UTC) before `to_ms`, up to now.

    Bounds are widened to whole quarters of an hour; by tag, to whole days of UTC. Without a mode, test calls count too.
    Raises BadRequest, PathNotFound.
    """
    require_one_of("by", by, _GROUPINGS)
    now_ms = services.clock.now_ms()
    today_ms = now_ms - now_ms % DAY_MS
    end_ms = today_ms + DAY_MS if to_ms is None else to_ms
    last_day_ms = end_ms - 1 - (end_ms - 1) % DAY_MS
    start_ms = max(0, last_day_ms - (_DAYS - 1) * DAY_MS if from_ms is None else from_ms)
    for name, given in (("from", from_ms), ("to", to_ms)):
        if given is not None and given < 0:
            raise BadRequest(Phrase("%(param)s: this lies before 1970", param=name), param=name)
    if start_ms > end_ms:
        raise BadRequest("from: this lies after `to`", param="from")
    account_id = reach.narrowed(services, actor, account)
    if by == "tag" and (key, project, dialect, operation) != (None, None, None, None):
        raise tags_alone()
    require_summed(services, dialect, operation)
    project_id = None if project is None else reach.project(services, actor, project, account_id).id
    key_id = None if key is None else reach.key(services, actor, key, account_id).id
    grain_ms = DAY_MS if by == "tag" else QUARTER_MS
    start_ms -= start_ms % grain_ms
    end_ms += -end_ms % grain_ms
    sums = await services.rows.read(
        lambda tables: tables.usage.sums(
            by,
            from_ms=start_ms,
            to_ms=end_ms,
            account_id=account_id,
            project_id=project_id,
            key_id=key_id,
            dialect=dialect,
            operation=operation,
            mode=mode,
        )
    )
    return tuple(sums)
