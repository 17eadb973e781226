"""How providers served the last calls: of each offer how many attempts, how many failed, how long the first byte took,
and what went wrong last, in the provider's own words."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.audit import Actor
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext

LOOKED_AT_MAX: Final = 1_000
"""Calls, a few milliseconds to read."""
_P95: Final = 0.95

Place = tuple[str, str]
"""A provider, and a model as the provider calls it."""


class OfferCalls(Struct, frozen=True, kw_only=True):
    """Attempts at one offer. `p95_ms`: from the attempt's beginning to its first byte; None: none was answered."""

    attempts: int
    failed: int
    p95_ms: int | None
    last_failed_ms: int | None = None  # Unix milliseconds
    last_error: str = ""
    last_words: str = ""
    last_call_id: str = ""


class CallsLately(Struct, frozen=True, kw_only=True):
    """`looked_at` calls, the oldest of them of `since_ms` (Unix milliseconds; None: there was none)."""

    offers: dict[Place, OfferCalls]
    looked_at: int
    since_ms: int | None


async def lately(services: ServiceContext, actor: Actor, *, account_id: str | None = None) -> CallsLately:
    """Over the last LOOKED_AT_MAX calls, those of test mode left out. Raises ScopeMissing."""
    reach.require_operator(actor, "see what providers answered")
    calls = await services.rows.read(
        lambda tables: tables.requests.page(before=None, limit=LOOKED_AT_MAX, account_id=account_id)
    )
    return CallsLately(
        offers=_by_offer(calls), looked_at=len(calls), since_ms=min((one.time_ms for one in calls), default=None)
    )


def _by_offer(calls: Sequence[UsageRecord]) -> dict[Place, OfferCalls]:
    tries: dict[Place, list[tuple[UsageRecord, int]]] = {}
    for call in calls:  # the newest first
        if call.mode == "test":
            continue
        for number, attempt in enumerate(call.attempts):
            tries.setdefault((attempt.provider, attempt.model), []).append((call, number))
    return {place: _of(found) for place, found in tries.items()}


def _of(found: Sequence[tuple[UsageRecord, int]]) -> OfferCalls:
    failed = [(call, number) for call, number in found if call.attempts[number].error is not None]
    waits = sorted(_waits(found))
    made = OfferCalls(attempts=len(found), failed=len(failed), p95_ms=_at(waits, _P95))
    if not failed:
        return made
    call, number = failed[0]
    attempt = call.attempts[number]
    is_last = number == len(call.attempts) - 1  # the record keeps the words of the failure that the call ended with
    return OfferCalls(
        attempts=made.attempts,
        failed=made.failed,
        p95_ms=made.p95_ms,
        last_failed_ms=call.time_ms + attempt.end_ms,
        last_error=attempt.error or "",
        last_words=call.detail.provider_words if call.detail is not None and is_last else "",
        last_call_id=call.id,
    )


def _waits(found: Iterable[tuple[UsageRecord, int]]) -> Iterable[int]:
    for call, number in found:
        attempt = call.attempts[number]
        if attempt.error is None and attempt.first_byte_ms is not None:
            yield attempt.first_byte_ms - attempt.start_ms


def _at(ordered: Sequence[int], share: float) -> int | None:
    """The value below or at which so large a share lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
