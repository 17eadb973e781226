"""The calls of the last days, charged again: by a price draft, to see what it would change; and beside their cost.

Each call is rated again from its own record, tiers and roundings included, so the figures are exact. Calls are read in
portions, each a short question of its own, and an answer covers only so many of them: whoever asks goes on with `next`
and adds the sums up.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from tollhouse.billing.charges import total
from tollhouse.billing.margin import Costs, costs_of
from tollhouse.billing.price_list import DEFAULT, service_tier, terms_of
from tollhouse.billing.prices import Price, scaled
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import price_lists, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.prices import DAYS
from tollhouse.services.pages import cursor, parse_cursor
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories

DAYS_MAX: Final = 90
_PORTION: Final = 1_000
_CALLS_MAX: Final = 100_000  # of one answer: some seconds

Again = Callable[[UsageRecord], Price | None]
"""What a call would be charged by; None: nothing would change for it."""


class Rerated(Struct, frozen=True):
    """The calls of one account to one model. Nano-USD; `cost` is None where a call's cost is not known."""

    account_id: str
    model: str
    calls: int
    charged: int
    again: int
    cost: int | None


class Replay(Struct, frozen=True):
    """Calls of [from, to), those read for this answer: `looked_at`, of which `sums` has the charged ones that the draft
    concerns. `everybody`: nobody buys by the list yet, so all are shown as if they did."""

    from_ms: int
    to_ms: int
    looked_at: int
    sums: tuple[Rerated, ...]
    next: str | None = None
    everybody: bool = False


async def replay(
    services: ServiceContext,
    actor: Actor,
    *,
    draft: str | None = None,
    days: int = DAYS,
    account: str | None = None,
    after: str | None = None,
    portion: int = _PORTION,
    calls_max: int = _CALLS_MAX,
) -> Replay:
    """Charge the calls of the last days again: by a draft (its id), or as they were charged.

    account: only its calls, and as if it bought by the draft's list. portion: how many calls are read at a time;
    calls_max: after how many there is an answer. Raises PathNotFound, BadRequest, ScopeMissing.
    """
    reach.require_operator(actor, "see what calls would cost")
    if not 1 <= days <= DAYS_MAX:
        raise BadRequest(Phrase("days: %(days)s is not between 1 and %(most)s", days=days, most=DAYS_MAX), param="days")
    account_id = None if account is None else reach.account(services, actor, account).id
    again: Again = lambda call: None  # noqa: E731 - what there is to do without a draft
    everybody = False
    if draft is not None:
        again, everybody = await _by_draft(services, actor, draft, everybody=account_id is not None)
    to_ms = services.clock.now_ms() + 1
    from_ms = to_ms - days * DAY_MS
    sums, behind, looked_at = (
        _RerateSums(again, costs_of(services.catalogue), account_id, draft is None),
        parse_cursor(after),
        0,
    )
    while looked_at < calls_max:
        part = partial(_portion, sums=sums, from_ms=from_ms, to_ms=to_ms, after=behind, portion=portion)
        count, behind = await services.rows.read(part)
        looked_at += count
        if behind is None:
            break
    then = None if behind is None else cursor(behind)
    return Replay(from_ms, to_ms, looked_at, sums.as_text(), then, everybody and account_id is None)


async def _by_draft(services: ServiceContext, actor: Actor, draft_id: str, *, everybody: bool) -> tuple[Again, bool]:
    """How a draft charges, and whether it does so for all because nobody buys by its list."""
    draft = (await price_lists.draft_of(services, actor, draft_id)).draft
    prices, models = price_lists.proposed(draft), services.catalogue.models
    accounts, lists, now_ms = services.directory.accounts, services.prices, services.clock.now_ms()
    everybody = everybody or (
        draft.price_list != DEFAULT and all(one.price_list != draft.price_list for one in accounts.values())
    )
    found: dict[tuple[str, str], Price | None] = {}

    def look(account_id: str, model: str) -> Price | None:
        price, account = prices.get(model), accounts.get(account_id)
        if price is None or account is None or not price.tiers or (model in models and models[model].free):
            return None
        terms = terms_of(account)
        if not everybody and terms.price_list != draft.price_list:
            # By the default list an account buys only what its own list has not.
            own = lists.find(model, now_ms, terms)
            if draft.price_list != DEFAULT or (own is not None and own.price_list != DEFAULT):
                return None
        return scaled(price, terms.multiplier_ppm)

    def again(call: UsageRecord) -> Price | None:
        where = call.account_id, call.model
        if where not in found:
            found[where] = look(*where)
        price = found[where]
        return None if price is None else price.served(service_tier(call.charge))

    return again, everybody


class _RerateSums:
    """Filled portion by portion, in the thread that reads."""

    def __init__(self, again: Again, costs: Costs, account_id: str | None, all_calls: bool) -> None:
        self._again = again
        self._costs = costs
        self._account_id = account_id
        self._all_calls = all_calls
        self._sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._uncosted: set[tuple[str, str]] = set()

    def add(self, calls: Sequence[UsageRecord]) -> None:
        for call in calls:
            if call.charge is None or call.mode != "live" or self._account_id not in (None, call.account_id):
                continue
            price = self._again(call)
            if price is None and not self._all_calls:
                continue
            where = call.account_id, call.model
            sums = self._sums[where]
            sums[0] += 1
            sums[1] += call.charge.amount
            sums[2] += call.charge.amount if price is None else total(price, call.usage)
            cost = self._costs.get((call.attempts[-1].provider, call.attempts[-1].model)) if call.attempts else None
            if cost is None:
                self._uncosted.add(where)
            else:
                sums[3] += total(cost, call.usage)

    def as_text(self) -> tuple[Rerated, ...]:
        return tuple(
            Rerated(*where, calls, charged, again, None if where in self._uncosted else cost)
            for where, (calls, charged, again, cost) in sorted(self._sums.items())
        )


def _portion(
    tables: SqlRepositories, *, sums: _RerateSums, from_ms: int, to_ms: int, after: Cursor | None, portion: int
) -> tuple[int, Cursor | None]:
    """How many calls there were, and behind which to go on; None: that was all."""
    calls = tables.requests.within(from_ms, to_ms, after, portion)
    sums.add(calls)
    last = (calls[-1].time_ms, calls[-1].id) if len(calls) == portion else None
    return len(calls), last
