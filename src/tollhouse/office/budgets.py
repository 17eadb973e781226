"""Budgets: so much money, in such a window, on an account, a project or a key. They bind from the next call on."""

from typing import NamedTuple, get_args

from msgspec import structs

from tollhouse.billing.budgets import BadBudget, Budget, matches, read_soft
from tollhouse.billing.windows import WindowKind
from tollhouse.core.audit import Actor
from tollhouse.core.counter import Counter
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.office import audit, fields, reach
from tollhouse.office.office import Office
from tollhouse.office.pages import LIMIT, Page, limit, page, place
from tollhouse.office.ports import Tables

_WINDOWS: tuple[WindowKind, ...] = get_args(WindowKind)
_FOREVER_MS = 253_370_764_800_000  # a day of UTC begins here, in the year 9999
_WEBHOOK_MAX = 2_000


class _Put(NamedTuple):
    budget: Budget
    counter: Counter
    instead_of: str | None


async def put(
    office: Office,
    actor: Actor,
    *,
    amount_usd: str,
    window: str,
    account: str | None = None,
    project: str | None = None,
    key: str | None = None,
    zone: str | None = None,
    model: str | None = None,
    soft: tuple[int, ...] = (),
    mail: str | None = None,
    webhook: str | None = None,
    system: bool = False,
) -> Budget:
    """Set the budget of this place, window and model: a new one counts what its window already holds (`total`: begins
    at nothing), one that replaces another goes on counting.

    amount_usd: exact decimal USD; 0 lets nothing in. zone: of its windows; by default the account's. soft: percents.
    system: the operator's, beyond the owner's reach. Calls in flight when a budget is made do not count in it.
    Raises BadRequest, PathNotFound, ScopeMissing.
    """
    target = reach.target(office, actor, account, project, key)
    if system:
        reach.require_operator(actor, "set a budget that owners cannot exceed")
    now_ms = office.clock.now_ms()
    try:
        wanted = Budget(
            id=office.new_id("bud"),
            account_id=target.account_id,
            level=target.level,
            object_id=target.object_id,
            amount=fields.amount(amount_usd, "amount_usd", zero=True),
            kind=_window(window),
            zone=fields.zone(zone or office.directory.accounts[target.account_id].zone),
            model=fields.pattern(model),
            soft=tuple(read_soft(soft)),
            mail=None if mail is None else fields.email(mail),
            webhook=None if webhook is None else _webhook(webhook),
            system=system,
            created_at_ms=now_ms,
        )
    except BadBudget as error:
        raise BadRequest(f"{error.field}: {error}", param=error.field) from None
    row = audit.entry(office, actor, "budget.set", wanted.id, account_id=target.account_id)

    def deed(tables: Tables) -> _Put:
        done, before = _place(tables, wanted, now_ms)
        tables.audit.add(audit.changed(structs.replace(row, object_id=done.budget.id), before, done.budget))
        return done

    def follow(done: _Put) -> None:
        if done.instead_of is not None:
            office.purses.remove_budget(done.instead_of)
        office.purses.put_budget(done.budget, now_ms, done.counter.spent)

    return (await office.rows.change(deed, follow)).budget


async def list_page(
    office: Office, actor: Actor, *, account: str | None = None, after: str | None = None, count: int = LIMIT
) -> Page[Budget]:
    """Newest first; of a bounded actor, those of his account."""
    account_id, before, asked = reach.narrowed(office, actor, account), place(after), limit(count) + 1
    found = await office.rows.read(
        lambda tables: tables.budgets.page(before=before, limit=asked, account_id=account_id)
    )
    return page(found, count, lambda budget: (budget.created_at_ms, budget.id))


async def remove(office: Office, actor: Actor, budget_id: str) -> Budget:
    """It binds no more from the next call on. Raises PathNotFound, ScopeMissing for the operator's budget."""
    row = audit.entry(office, actor, "budget.remove", budget_id)

    def deed(tables: Tables) -> Budget:
        budget = tables.budgets.get(budget_id)
        if budget is None or actor.account_id not in (None, budget.account_id):
            raise PathNotFound(f"no budget {reach.shown(budget_id)}")
        if budget.system:
            reach.require_operator(actor, "remove a budget that he set")
        tables.budgets.remove(budget_id)
        tables.audit.add(structs.replace(audit.changed(row, budget, budget), account_id=budget.account_id))
        return budget

    return await office.rows.change(deed, lambda budget: office.purses.remove_budget(budget.id))


def _place(tables: Tables, wanted: Budget, now_ms: int) -> tuple[_Put, Budget | None]:
    """Write it in the place of what it replaces. A budget whose days begin elsewhere begins anew: its counters would
    lie across those of the old one."""
    before = next((one for one in tables.budgets.on(wanted.level, wanted.object_id) if wanted.replaces(one)), None)
    if before is not None and (before.zone == wanted.zone or wanted.kind == "total"):
        budget = structs.replace(wanted, id=before.id, created_at_ms=before.created_at_ms)
        tables.budgets.save(budget)
        counter = tables.budgets.counter(budget.id, budget.window(now_ms).start_ms)
        return _Put(budget, counter, None), before
    if before is not None:
        tables.budgets.remove(before.id)
    tables.budgets.add(wanted)
    held = _held(tables, wanted, now_ms)
    counter = Counter(budget_id=wanted.id, starts_at_ms=wanted.window(now_ms).start_ms, opening=held, spent=held)
    if held:
        tables.budgets.open_counter(counter)
    return _Put(wanted, counter, None if before is None else before.id), before


def _held(tables: Tables, budget: Budget, now_ms: int) -> int:
    """Nano-USD that the budget's present window already holds, from the sums of usage."""
    if budget.kind == "total":
        return 0
    sums = tables.usage.sums(
        "model",
        from_ms=budget.window(now_ms).start_ms,
        to_ms=_FOREVER_MS,
        account_id=budget.account_id,
        project_id=budget.object_id if budget.level == "project" else None,
        key_id=budget.object_id if budget.level == "key" else None,
        mode="live",
    )
    return sum(one.charge for one in sums if budget.model is None or matches(budget.model, one.group))


def _window(text: str) -> WindowKind:
    for known in _WINDOWS:
        if known == text:
            return known
    raise BadRequest(f"window: there are {', '.join(_WINDOWS)}", param="window")


def _webhook(url: str) -> str:
    if not url.startswith(("https://", "http://")) or len(url) > _WEBHOOK_MAX or not url.isprintable() or " " in url:
        raise BadRequest("webhook: write an address that begins with https://", param="webhook")
    return url
