"""What accounts have left, spent and cost, for those who run the platform."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from msgspec import Struct

from tollhouse.billing.charges import total
from tollhouse.billing.margin import Costs, costs_of
from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.person import Person
from tollhouse.core.roll_up import DAY_MS, UsageSum
from tollhouse.services import accounts, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.paging import Paging
from tollhouse.services.pages import Page, cursor
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories
from tollhouse.store.usage import AccountTotal

DAYS: Final = 30
_PEOPLE_MAX: Final = 100
MODELS_MAX: Final = 1_500
"""Sums by account and model that one page is made of."""
_NOTHING: Final = AccountTotal(0, 0, 0, 0)


class AccountFigures(Struct, frozen=True, kw_only=True):
    """Amounts in nano-USD, of the live calls of the last DAYS days of UTC, today included.

    `left`: of its money; None: no limit. `cost`: at most what providers take for its calls: of the offers of a model
    the dearest, at the dearest tier that the sum reaches; None: some cost is not known. `seen_ms`: when one of its keys
    was used last.
    """

    account: Account
    left: int | None
    spent: int
    cost: int | None
    calls: int
    failed: int
    seen_ms: int | None

    @property
    def margin(self) -> int | None:
        """At least; None: not known."""
        return None if self.cost is None else self.spent - self.cost


@WithFieldsOf(Paging)
async def list_page(services: ServiceContext, actor: Actor, given: Paging) -> Page[AccountFigures]:
    """Newest account first; fewer than asked for where they call many models. Raises BadRequest, ScopeMissing."""
    reach.require_operator(actor, "see what accounts cost")
    found = await accounts.list_page(services, actor, limit=given.limit, after=given.after)
    figures = await _figures(services, found.records)
    if len(figures) == len(found.records):
        return Page(figures, found.next)
    last = figures[-1].account
    return Page(figures, cursor((last.created_at_ms, last.id)))


async def show(services: ServiceContext, actor: Actor, reference: str) -> AccountFigures:
    """Raises PathNotFound, BadRequest, ScopeMissing."""
    reach.require_operator(actor, "see what accounts cost")
    (one,) = await _figures(services, [await accounts.show(services, actor, reference)])
    return one


async def people_of(services: ServiceContext, actor: Actor, account_id: str) -> Sequence[Person]:
    """Who may sign in for an account, the newest first. Raises ScopeMissing."""
    reach.require_operator(actor, "see the people of an account")
    return await services.rows.read(
        lambda tables: tables.people.page(before=None, limit=_PEOPLE_MAX, account_id=account_id)
    )


def cost_at_most(catalogue: Catalogue, costs: Costs, used: UsageSum) -> int | None:
    """What the calls of one model cost at most, in nano-USD; None: not known for each of its offers."""
    model = catalogue.models.get(used.group)
    known = [] if model is None else [costs.get((offer.provider, offer.model)) for offer in model.offers]
    dearest = 0
    for cost in known:
        if cost is None:
            return None
        dearest = max(dearest, total(cost, used.usage))
    return dearest if known else None


async def _figures(services: ServiceContext, found: Sequence[Account]) -> tuple[AccountFigures, ...]:
    """Of the first of them, as many as MODELS_MAX lets be read at once; of one at least."""
    now_ms = services.clock.now_ms()
    end_ms = now_ms - now_ms % DAY_MS + DAY_MS
    from_ms = end_ms - DAYS * DAY_MS

    def question(tables: SqlRepositories) -> tuple[list[Account], dict[str, AccountTotal], list[tuple[str, UsageSum]]]:
        totals = tables.usage.totals_of_accounts([one.id for one in found], from_ms=from_ms, to_ms=end_ms)
        models = accumulate(totals[one.id].models if one.id in totals else 0 for one in found)
        read = [
            one for at, (one, so_far) in enumerate(zip(found, models, strict=True)) if not at or so_far <= MODELS_MAX
        ]
        used = tables.usage.of_accounts([one.id for one in read], from_ms=from_ms, to_ms=end_ms)
        return read, totals, used

    read, totals, rows = await services.rows.read(question)
    by_account: dict[str, list[UsageSum]] = defaultdict(list)
    for account_id, used in rows:
        by_account[account_id].append(used)
    costs = costs_of(services.catalogue)
    return tuple(_of(services, one, totals.get(one.id, _NOTHING), by_account[one.id], costs) for one in read)


def _of(
    services: ServiceContext, account: Account, whole: AccountTotal, sums: list[UsageSum], costs: Costs
) -> AccountFigures:
    money = services.counters.money(account.id)
    parts = [cost_at_most(services.catalogue, costs, one) for one in sums]
    known = [part for part in parts if part is not None]
    return AccountFigures(
        account=account,
        left=None if money.limit is None else money.limit - money.spent - money.held,
        spent=whole.charge,
        cost=sum(known) if parts and len(known) == len(parts) else None,
        calls=whole.calls,
        failed=whole.failed,
        seen_ms=_seen_ms(services, account.id),
    )


def _seen_ms(services: ServiceContext, account_id: str) -> int | None:
    """Of this process, else of the rows, which are coarser."""
    directory = services.directory
    uses = [
        directory.last_uses[key.id][0] if key.id in directory.last_uses else key.last_used_at_ms
        for key in directory.keys_of(account_id)
    ]
    return max((use for use in uses if use is not None), default=None)
