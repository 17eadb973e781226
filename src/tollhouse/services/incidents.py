"""What went wrong at providers in the last 24 hours, as the records of calls tell: failures that lie close together are
one incident."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.audit import Actor
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext

LOOKED_AT_MAX: Final = 1_500
"""Calls, some milliseconds to read."""
GAP_MS: Final = 600_000
"""Failures further apart are two incidents."""


class Incident(Struct, frozen=True, kw_only=True):
    """Failures of one offer with one error. Unix milliseconds. `accounts`: how many met it; `failed`: calls that ended
    with it, the others were served elsewhere. `words`: the provider's own, where they are known."""

    provider: str
    model: str  # as the provider is asked for it
    error: str
    first_ms: int
    last_ms: int
    tries: int
    failed: int
    accounts: int
    words: str
    last_call_id: str


class IncidentsLately(Struct, frozen=True, kw_only=True):
    """The last one first. `since_ms`: how far back the records were looked through."""

    incidents: tuple[Incident, ...]
    looked_at: int
    since_ms: int


class _Failure(Struct, frozen=True):
    time_ms: int
    call: UsageRecord
    is_last: bool


async def lately(services: ServiceContext, actor: Actor) -> IncidentsLately:
    """Raises ScopeMissing."""
    reach.require_operator(actor, "see what went wrong at providers")
    calls = await services.rows.read(lambda tables: tables.requests.page(before=None, limit=LOOKED_AT_MAX))
    day_ago_ms = services.clock.now_ms() - DAY_MS
    is_whole = len(calls) < LOOKED_AT_MAX or calls[-1].time_ms < day_ago_ms
    recent = [call for call in calls if call.time_ms >= day_ago_ms]
    return IncidentsLately(
        incidents=_incidents(recent),
        looked_at=len(recent),
        since_ms=day_ago_ms if is_whole else calls[-1].time_ms,
    )


def _incidents(calls: Sequence[UsageRecord]) -> tuple[Incident, ...]:
    failures: dict[tuple[str, str, str], list[_Failure]] = {}
    for call in reversed(calls):
        for number, one in enumerate(call.attempts, start=1):
            if one.error is not None and call.mode != "test":
                failure = _Failure(call.time_ms + one.end_ms, call, number == len(call.attempts))
                failures.setdefault((one.provider, one.model, one.error), []).append(failure)
    found = [_of(place, episode) for place, met in failures.items() for episode in _episodes(met)]
    return tuple(sorted(found, key=lambda one: -one.last_ms))


def _episodes(met: list[_Failure]) -> list[list[_Failure]]:
    episodes: list[list[_Failure]] = []
    for failure in sorted(met, key=lambda one: one.time_ms):
        if episodes and failure.time_ms - episodes[-1][-1].time_ms <= GAP_MS:
            episodes[-1].append(failure)
        else:
            episodes.append([failure])
    return episodes


def _of(place: tuple[str, str, str], episode: list[_Failure]) -> Incident:
    provider, model, error = place
    ended = [one for one in episode if one.is_last and one.call.status >= 400]
    words = [one.call.detail.provider_words for one in ended if one.call.detail and one.call.detail.provider_words]
    return Incident(
        provider=provider,
        model=model,
        error=error,
        first_ms=episode[0].time_ms,
        last_ms=episode[-1].time_ms,
        tries=len(episode),
        failed=len(ended),
        accounts=len({one.call.account_id for one in episode}),
        words=words[-1] if words else "",
        last_call_id=episode[-1].call.id,
    )
