"""Thresholds of budgets, noticed in the transaction of the charges that reach them: told is what is charged, no more
and no less, whenever the process ends.

Only budgets with thresholds cost anything: they are remembered, so that for all others a look at a dictionary is all.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.billing.budgets import Budget
from tollhouse.billing.notices import crossed
from tollhouse.core.channel import NO_CHANNELS, Channels
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.budgets import SqlBudgetRepository
from tollhouse.store.driver import Driver
from tollhouse.store.outbox import SqlOutboxRepository

_AGAIN_MS: Final = 1_000  # where another process may have changed a budget
_REMEMBERED_MAX: Final = 100_000

Window = tuple[str, int]
"""A budget, and where its window starts."""


class _WatchedBudget(Struct):
    """Budgets that have thresholds, and of their windows the thresholds that were told."""

    read_at_ms: int
    budgets: dict[str, Budget]
    notified: dict[Window, set[int]]


def record_threshold_alerts(driver: Driver, batch: Sequence[UsageRecord], channels: Channels = NO_CHANNELS) -> None:
    """Write down the thresholds that this batch has reached. Comes after its charges are entered. channels: by which
    they are told."""
    watched = _watched(driver, batch)
    if not watched.budgets:
        return
    windows: dict[Window, UsageRecord] = {}
    for call in batch:
        if call.charge is not None and call.mode == "live":
            windows.update((place, call) for place in call.charge.budgets if place[0] in watched.budgets)
    for place in sorted(windows):
        budget, call = watched.budgets[place[0]], windows[place]
        told = watched.notified.get(place)
        if told is not None and told.issuperset(budget.soft):
            continue
        (row,) = driver.ask("SELECT spent FROM budget_counters WHERE budget_id = ? AND starts_at_ms = ?", place)
        outbox = SqlOutboxRepository(driver.connection, channels)
        if told is None:
            told = watched.notified[place] = set(outbox.marks("budget.threshold", *place))
        ended_at_ms = call.time_ms + (call.last_byte_ms or 0)
        for one in crossed(budget, place[1], row[0], ended_at_ms, project_id=call.project_id, notified=told):
            driver.noticed = outbox.add(one) or driver.noticed
            told.add(one.mark)


def _watched(driver: Driver, batch: Sequence[UsageRecord]) -> _WatchedBudget:
    found: _WatchedBudget | None = driver.remembered.get("watched")
    now_ms = batch[-1].time_ms
    if found is None or (driver.until_commit and now_ms - found.read_at_ms >= _AGAIN_MS):
        told = {} if found is None or len(found.notified) > _REMEMBERED_MAX else found.notified
        budgets = {budget.id: budget for budget in SqlBudgetRepository(driver.connection).with_thresholds()}
        found = driver.remembered["watched"] = _WatchedBudget(now_ms, budgets, told)
    return found
