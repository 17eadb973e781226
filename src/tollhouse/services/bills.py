"""Bills: what binds a caller and what is left of it, what he spent on which day, and the money that was put in.

They are read from sums that were written with the charges, and from the counters by which calls are admitted: also when
nothing is left, while the key is frozen or the account suspended. Nothing binds a test-mode key, and it spends nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec import Struct

from tollhouse.billing.grants import Grant, grants
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.span import day_edges, read_span, today
from tollhouse.billing.subscription import CreditBalance, Subscription, binding, credit
from tollhouse.billing.subscription import subscription as figures
from tollhouse.billing.windows import Window, begins_ms, time_zone, window
from tollhouse.core.account import ApiKey, Identity
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

_GRANTS_SHOWN: Final = 100
_CHANGES_READ: Final = 50
_STOPS: Final = frozenset(("account.suspend", "key.freeze", "project.archive"))


class SubscriptionStatus(Struct, frozen=True):
    """`canceled_at_ms`: since when the key has been stopped, as the audit knows it; None while it is not canceled."""

    shown: Subscription
    canceled: bool
    canceled_at_ms: int | None


class Day(Struct, frozen=True):
    """Nano-USD by model; only models that cost something."""

    start_ms: int
    by_model: Mapping[str, int]


class SpendStatement(Struct, frozen=True):
    """Days with costs, in their order. `total` is their sum, in nano-USD."""

    total: int
    days: tuple[Day, ...]


class _Terms(Struct, frozen=True):
    """What binds (None: nothing), whose bill it is, and what it covers where no dates are asked for: the month of the
    budget by the month that binds, in its zone; else this month of UTC."""

    counter: SpendingCounter | None
    object_id: str
    month: Window
    zone: str = "UTC"
    by_month: bool = False


async def subscription(services: ServiceContext, identity: Identity) -> SubscriptionStatus:
    """Raises Overloaded."""
    key, terms, now_ms = identity.key, _terms(services, identity.key), services.clock.now_ms()
    stopped = _stopped(identity)

    def question(tables: SqlRepositories) -> tuple[int, int, int | None]:
        spent = uncounted = 0
        if key.mode == "live":
            edges = [terms.month.start_ms, _tonight(now_ms, terms.zone)]
            spent = sum(tables.spend.by_model(terms.object_id, edges)[0].values())
        if terms.by_month and terms.counter is not None:
            uncounted = spent - tables.budgets.counter(terms.counter.id, terms.counter.starts_at_ms).spent
        return spent, uncounted, None if stopped is None else _stopped_at(tables, stopped)

    spent, uncounted, since_ms = await services.rows.read(question)
    ceilings = [
        budget.amount
        for budget in services.counters.budgets(key)
        if budget.system and budget.kind == "month" and budget.model is None
    ]
    ceiling = min(ceilings, default=None)
    shown = figures(terms.counter, spent, ceiling, key.account_id, uncounted=uncounted)
    return SubscriptionStatus(shown, stopped is not None, since_ms)


async def spent(
    services: ServiceContext, identity: Identity, start_date: str | None = None, end_date: str | None = None
) -> SpendStatement:
    """What the account, project or key whose money binds was charged, by day. Dates as `billing.span` reads them, in
    the zone of the budget by the month that binds, else in UTC.

    Raises BadRequest for what is no date, Overloaded.
    """
    terms, now_ms = _terms(services, identity.key), services.clock.now_ms()
    span = read_span(start_date, end_date, now_ms, terms.month, terms.zone)
    if identity.key.mode != "live":
        return SpendStatement(0, ())

    def question(tables: SqlRepositories) -> list[Day]:
        edges = day_edges(span, now_ms, terms.zone)  # here: since 1970 there were many days
        found = tables.spend.by_model(terms.object_id, edges)
        return [Day(start_ms, by_model) for start_ms, by_model in zip(edges[:-1], found, strict=True) if by_model]

    days = await services.rows.read(question)
    return SpendStatement(sum(sum(day.by_model.values()) for day in days), tuple(days))


async def credits_of(services: ServiceContext, identity: Identity) -> tuple[CreditBalance, list[Grant]]:
    """The money of the account, and the newest of what was put in, newest first. Raises Overloaded."""
    key, now_ms = identity.key, services.clock.now_ms()
    if key.mode != "live":
        return credit(SpendingCounter(id=key.account_id, limit=None, kind="money")), []

    def question(tables: SqlRepositories) -> list[Grant]:
        non_charges = tables.ledger.non_charges_within(key.account_id, 0, now_ms + 1)
        return grants(non_charges, tables.ledger.money(key.account_id).balance)

    found = await services.rows.read(question)
    return credit(services.counters.money(key.account_id)), found[: -_GRANTS_SHOWN - 1 : -1]


def _terms(services: ServiceContext, key: ApiKey) -> _Terms:
    now_ms = services.clock.now_ms()
    counter = binding(services.counters.of(key, now_ms)) if key.mode == "live" else None
    if counter is not None and counter.kind == "budget" and counter.window == "month":
        zone = next(budget.zone for budget in services.counters.budgets(key) if budget.id == counter.id)
        return _Terms(
            counter, counter.object_id, Window(counter.starts_at_ms, counter.resets_at_ms), zone, by_month=True
        )
    return _Terms(counter, key.account_id if counter is None else counter.object_id, window("month", now_ms))


def _stopped(identity: Identity) -> str | None:
    """The id of the account, key or project that stops a key; None where nothing does."""
    if identity.account.state != "active":
        return identity.account.id
    if identity.key.state != "active":
        return identity.key.id
    return identity.project.id if identity.project.state != "active" else None


def _stopped_at(tables: SqlRepositories, object_id: str) -> int | None:
    rows = tables.audit.page(before=None, limit=_CHANGES_READ, object_id=object_id)
    return next((row.time_ms for row in rows if row.action in _STOPS), None)


def _tonight(now_ms: int, zone: str) -> int:
    return begins_ms(today(now_ms, zone) + timedelta(days=1), time_zone(zone))
