"""Budgets: so much money, in such a window, on an account, a project or a key. They bind from the next call on."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import structs

from tollhouse.access.exposed import exposed_in_address
from tollhouse.access.vault import NONCE_BYTES, SEALED, Sealed
from tollhouse.billing.budgets import BadBudget, Budget, BudgetFields, matches, read_soft
from tollhouse.billing.notices import crossed
from tollhouse.billing.windows import WindowKind
from tollhouse.core.audit import Actor
from tollhouse.core.counter import BudgetCounter
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.limits.sending import THRESHOLDS_MAX
from tollhouse.services import addresses, audit, ceilings, fields, maxima, reach
from tollhouse.services.choices import no_such
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.budgets import WINDOWS, BudgetQuery, NewBudget
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

SIGNING: Final = "webhook"
"""What signing secrets are for, as the vault is told."""

_WEBHOOK_MAX = 2_000
_SECRET_BYTES = 32


class _Put(NamedTuple):
    budget: Budget
    counter: BudgetCounter
    instead_of: str | None
    notified: int = 0


@WithFieldsOf(NewBudget)
async def put(services: ServiceContext, actor: Actor, given: NewBudget) -> Budget:
    """Set the budget of this place, window and model: a new one counts what its window already holds (`total`: begins
    at nothing), one that replaces another goes on counting.

    Calls in flight when a budget is made do not count in it. A webhook is signed by a secret that `reveal` shows once;
    it stays as long as the address does. Thresholds that the window has reached already are told at once. Raises
    BadRequest, for more than the operator's budgets let through as well, PathNotFound, ScopeMissing, Conflict where a
    secret cannot be kept.
    """
    target = reach.target(services, actor, given.account, given.project, given.key)
    if given.system:
        reach.require_operator(actor, "set a budget that owners cannot exceed")
    now_ms = services.clock.now_ms()
    wanted = _wanted(services, actor, given, target, now_ms)
    row = audit.entry(services, actor, "budget.set", wanted.id, account_id=target.account_id)
    secret, token = new_secret(services), addresses.new_token(services)
    stood_on = services.directory.keys.get(target.object_id)
    project_id = None if stood_on is None else stood_on.project_id

    def transaction(tables: SqlRepositories) -> _Put:
        if actor.account_id is not None:
            ceilings.require_within(services, tables, wanted)
        done, before = _place(tables, wanted, now_ms)
        tables.audit.add(audit.changed(structs.replace(row, object_id=done.budget.id), before, done.budget))
        _sign(services, tables, done.budget, before, secret)
        asked = not addresses.name(services, tables, actor, wanted.account_id, wanted.mail, token)
        return done._replace(notified=asked + _tell(tables, done.budget, done.counter, now_ms, project_id))

    return (await services.rows.change(transaction, lambda done: _follow(services, done, now_ms))).budget


def _wanted(services: ServiceContext, actor: Actor, given: NewBudget, target: reach.Target, now_ms: int) -> Budget:
    """What is given as a record: checked where there is something to check, else as it is."""
    try:
        return Budget(
            id=services.new_id("bud"),
            account_id=target.account_id,
            level=target.level,
            object_id=target.object_id,
            amount=fields.amount(given.amount_usd, "amount_usd", zero=True),
            kind=read_window(given.window),
            zone=fields.zone(given.zone or services.directory.accounts[target.account_id].zone),
            system=given.system,
            created_at_ms=now_ms,
            **fields.kept(
                BudgetFields,
                given,
                model=None if given.model is None else reach.model(services, actor, given.model),
                soft=_soft(given.soft),
                mail=None if given.mail is None else _mail(given.mail),
                webhook=None if given.webhook is None else read_webhook(services, given.webhook),
            ),
        )
    except BadBudget as error:
        raise BadRequest(
            Phrase("%(param)s: %(reason)s", param=error.field, reason=error.args[0]), param=error.field
        ) from None


async def unconfirmed(services: ServiceContext, budgets: Sequence[Budget]) -> set[str]:
    """The ids of those whose mail address has not been confirmed."""
    named = [(one.id, one.account_id, one.mail) for one in budgets if one.mail is not None]
    if not named:
        return set()

    def question(tables: SqlRepositories) -> set[str]:
        return {
            budget_id for budget_id, account_id, mail in named if tables.mail_addresses.unconfirmed(account_id, [mail])
        }

    return await services.rows.read(question)


async def reveal(services: ServiceContext, budget: Budget) -> str | None:
    """What the budget's webhook is signed with, the first time that this is asked for; afterwards None."""
    if budget.webhook is None:
        return None
    kept = await services.rows.change(lambda tables: tables.outbox.reveal(budget.id))
    try:
        return None if kept is None else services.vault.open(kept, SIGNING)
    except Sealed:
        return None  # kept before the master key was changed: whoever needs one sets the webhook anew


def new_secret(services: ServiceContext) -> str:
    """As Standard Webhooks spells one."""
    return f"whsec_{b64encode(services.random.bytes(_SECRET_BYTES)).decode()}"


@WithFieldsOf(BudgetQuery)
async def list_page(services: ServiceContext, actor: Actor, given: BudgetQuery) -> Page[Budget]:
    """Newest first; of a bounded actor, those of his account."""
    account_id = reach.narrowed(services, actor, given.account)
    return await read_page(services, given, lambda tables: tables.budgets.page, account_id=account_id)


async def remove(services: ServiceContext, actor: Actor, budget_id: str) -> Budget:
    """It binds no more from the next call on. Raises PathNotFound, ScopeMissing for the operator's budget."""
    row = audit.entry(services, actor, "budget.remove", budget_id)

    def transaction(tables: SqlRepositories) -> Budget:
        budget = tables.budgets.get(budget_id)
        if budget is None or actor.account_id not in (None, budget.account_id):
            raise PathNotFound(Phrase("no budget %(budget)s", budget=reach.shown(budget_id)))
        if budget.system:
            reach.require_operator(actor, "remove a budget that he set")
        tables.budgets.remove(budget_id)
        tables.outbox.forget_secret(budget_id)
        tables.audit.add(structs.replace(audit.changed(row, budget, budget), account_id=budget.account_id))
        return budget

    return await services.rows.change(transaction, lambda budget: services.counters.remove_budget(budget.id))


def _follow(services: ServiceContext, done: _Put, now_ms: int) -> None:
    if done.notified:
        services.news.set()
    if done.instead_of is not None:
        services.counters.remove_budget(done.instead_of)
    services.counters.put_budget(done.budget, now_ms, done.counter.spent)


def _place(tables: SqlRepositories, wanted: Budget, now_ms: int) -> tuple[_Put, Budget | None]:
    """Write it in the place of what it replaces. A budget whose days begin elsewhere begins anew: its counters would
    lie across those of the old one."""
    standing = tables.budgets.on(wanted.level, wanted.object_id)
    before = next((one for one in standing if wanted.replaces(one)), None)
    if before is not None and (before.zone == wanted.zone or wanted.kind == "total"):
        budget = structs.replace(wanted, id=before.id, created_at_ms=before.created_at_ms)
        tables.budgets.save(budget)
        budget_counter = tables.budgets.counter(budget.id, budget.window(now_ms).start_ms)
        return _Put(budget, budget_counter, None), before
    if before is not None:
        tables.budgets.remove(before.id)
    else:
        maxima.require_room(
            len(standing),
            maxima.BUDGETS_MAX,
            Phrase("budgets on this %(level)s", level=Phrase(wanted.level)),
            "remove those not in use",
        )
    tables.budgets.add(wanted)
    held = _held(tables, wanted, now_ms)
    budget_counter = BudgetCounter(
        budget_id=wanted.id, starts_at_ms=wanted.window(now_ms).start_ms, opening=held, spent=held
    )
    if held:
        tables.budgets.open_counter(budget_counter)
    return _Put(wanted, budget_counter, None if before is None else before.id), before


def _held(tables: SqlRepositories, budget: Budget, now_ms: int) -> int:
    """Nano-USD that the budget's present window already holds, from the sums of charges."""
    window = budget.window(now_ms)
    if window.end_ms is None:
        return 0  # `total` begins when it is made
    # To its end and no further: a clock that was set back has left calls of later windows.
    (by_model,) = tables.spend.by_model(budget.object_id, (window.start_ms, window.end_ms))
    return sum(charge for model, charge in by_model.items() if budget.model is None or matches(budget.model, model))


def _tell(
    tables: SqlRepositories, budget: Budget, budget_counter: BudgetCounter, now_ms: int, project_id: str | None
) -> int:
    """Tell of thresholds that are reached already: after a lowered budget no call may come that would."""
    told = tables.outbox.marks("budget.threshold", budget.id, budget_counter.starts_at_ms)
    reached = crossed(
        budget, budget_counter.starts_at_ms, budget_counter.spent, now_ms, project_id=project_id, notified=told
    )
    return sum(tables.outbox.add(notice) for notice in reached)


def _soft(percents: tuple[int, ...]) -> tuple[int, ...]:
    found = tuple(read_soft(percents))
    if len(found) > THRESHOLDS_MAX:
        raise BadRequest(Phrase("soft: a budget has at most %(most)s thresholds", most=THRESHOLDS_MAX), param="soft")
    return found


def _mail(text: str) -> str:
    address = fields.email(text, "mail")
    if len(address) > fields.MAIL_MAX or "," in address:
        raise BadRequest(
            Phrase("mail: write one address of at most %(most)s characters", most=fields.MAIL_MAX), param="mail"
        )
    return address


def read_window(text: str) -> WindowKind:
    """Raises BadRequest."""
    for known in WINDOWS:
        if known == text:
            return known
    raise no_such("window", text, WINDOWS)


def read_webhook(services: ServiceContext, url: str) -> str:
    """An address to which a notice may be sent, as far as its text tells. Raises BadRequest."""
    if services.channels.of(url) is None or len(url) > _WEBHOOK_MAX or not url.isprintable() or " " in url:
        raise BadRequest("webhook: write an address that begins with https://, or a chat service's", param="webhook")
    if words := exposed_in_address(url):
        raise BadRequest(Phrase("webhook: %(reason)s", reason=words), param="webhook")
    if reason := services.post.refuses(url):
        raise BadRequest(Phrase("webhook: %(reason)s", reason=reason), param="webhook")
    return url


def keep_encrypted(services: ServiceContext, tables: SqlRepositories) -> None:
    """Signing secrets from before there was a master key are encrypted now."""
    if services.vault.seals:
        for budget_id, secret in tables.outbox.secrets_without(SEALED).items():
            tables.outbox.keep_secret(budget_id, _kept(services, secret))


def _kept(services: ServiceContext, secret: str) -> str:
    """Raises Conflict."""
    return services.vault.seal(secret, SIGNING, services.random.bytes(NONCE_BYTES))


def _sign(
    services: ServiceContext, tables: SqlRepositories, budget: Budget, before: Budget | None, secret: str
) -> None:
    """A webhook that stays keeps what its receiver verifies by; a new one gets the new secret. Raises Conflict."""
    if before is not None and before.id != budget.id:
        tables.outbox.move_secret(before.id, budget.id)
    known = tables.outbox.secret(budget.id)
    url = budget.webhook
    channel = None if url is None else services.channels.of(url)
    if url is None or channel is None or not channel.signed:
        tables.outbox.forget_secret(budget.id)
    elif known is None or known[0] != url:
        tables.outbox.put_secret(budget.id, url, _kept(services, secret))
