"""/console/budgets: what is left of each budget; set one, try whom it tells, and see what was told."""

from msgspec import Struct, structs

from tollhouse.billing.budgets import Budget
from tollhouse.billing.holds import SpendingCounter
from tollhouse.console.objects import chosen, name_of, named, of_account
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.failure import BadRequest, Conflict, Failure, PathNotFound, RateLimited, ScopeMissing
from tollhouse.core.notice import QueuedDelivery
from tollhouse.services import alerts, budgets, rehearsal
from tollhouse.services.alerts import Trial
from tollhouse.services.given.budgets import WINDOWS, NewBudget
from tollhouse.services.pages import Page
from tollhouse.services.rehearsal import Rehearsal
from tollhouse.services.wording import subject

_TROUBLE = (BadRequest, Conflict, PathNotFound, RateLimited, ScopeMissing)
_SOFT = "50 80 100"
_SHOWN = 100
_TOLD = 10


class BudgetView(Struct, frozen=True, kw_only=True):
    """A budget as the page shows it. `counter`: of its present window; None: it binds no more."""

    budget: Budget
    name: str
    counter: SpendingCounter | None
    is_unconfirmed: bool


@page("GET /console/budgets", may="budgets.list")
async def listing(visit: Visit) -> Answer:
    account = visit.shown_account
    return await _listing(visit, account)


@page("GET /console/budgets/new", may="budgets.set")
async def form(visit: Visit) -> Answer:
    account = visit.shown_account
    return await _form(visit, account)


@page("POST /console/budgets", may="budgets.set")
async def put(visit: Visit) -> Answer:
    """`do=rehearse` only says what it would have done."""
    account = visit.shown_account
    is_edited = visit.given("budget") != ""
    try:
        wanted = _wanted(visit, account)
        if visit.given("do") == "rehearse":
            tried = await _rehearsed(visit, wanted)
            return await (_listing(visit, account, tried=tried) if is_edited else _form(visit, account, tried=tried))
        made = await budgets.put(visit.context.services, visit.actor, **structs.asdict(wanted))
        secret = await budgets.reveal(visit.context.services, made)
    except _TROUBLE as trouble:
        return await (_listing(visit, account, trouble) if is_edited else _form(visit, account, trouble))
    if secret is not None:
        return Shown("budget_secret.html", {"budget": made, "secret": secret})
    return Elsewhere(f"/console/budgets#{made.id}")


@page("POST /console/budgets/{id}/remove", may="budgets.remove")
async def remove(visit: Visit) -> Answer:
    await budgets.remove(visit.context.services, visit.actor, visit.id)
    return Elsewhere("/console/budgets")


@page("POST /console/budgets/{id}/test", may="alerts.test")
async def send_test(visit: Visit) -> Answer:
    account = visit.shown_account
    try:
        sent = await alerts.try_out(visit.context.services, visit.actor, budget=visit.id)
    except (BadRequest, RateLimited) as trouble:
        return await _listing(visit, account, trouble)
    return await _listing(visit, account, sent=sent)


@page("GET /console/budgets/alerts", may="alerts.list")
async def told(visit: Visit) -> Answer:
    found = await alerts.list_page(visit.context.services, visit.actor, after=visit.asked("after") or None)
    return Shown("alerts.html", {"alerts": _told(visit, found), "next": found.next})


async def _listing(
    visit: Visit,
    account: Account,
    trouble: Failure | None = None,
    tried: Rehearsal | None = None,
    sent: list[Trial] | None = None,
) -> Shown:
    services = visit.context.services
    found = await budgets.list_page(services, visit.actor, account=account.id, limit=_SHOWN)
    unconfirmed = await budgets.unconfirmed(services, found.records)
    views = [
        BudgetView(
            budget=one,
            name=name_of(visit, one.level, one.object_id),
            counter=services.counters.present(one.id, visit.now_ms),
            is_unconfirmed=one.id in unconfirmed,
        )
        for one in found.records
    ]
    latest = Page[QueuedDelivery](())
    if visit.may("alerts.list"):
        latest = await alerts.list_page(services, visit.actor, account=account.id, limit=_TOLD)
    return Shown(
        "budgets.html",
        {
            "budgets": views,
            "alerts": _told(visit, latest),
            "edited": visit.given("budget") or (visit.id if trouble or sent is not None else ""),
            "tested": visit.id if sent is not None else "",
            "sent": sent,
            "tried": tried,
            "given": visit.given,
            "trouble": trouble,
            "has_mail": bool(visit.context.settings.mail.smtp),
        },
        200 if trouble is None else trouble.status,
    )


async def _form(
    visit: Visit, account: Account, trouble: Failure | None = None, tried: Rehearsal | None = None
) -> Shown:
    objects = await of_account(visit, account)
    return Shown(
        "budget_new.html",
        {
            "objects": objects,
            "on": chosen(visit, objects),
            "windows": WINDOWS,
            "soft": visit.form.get("soft", [_SOFT])[0],
            "models": sorted(visit.context.services.catalogue.models)[:500],
            "given": visit.given,
            "tried": tried,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


def _wanted(visit: Visit, account: Account) -> NewBudget:
    """Raises BadRequest."""
    words = visit.given("soft").replace(",", " ").replace("%", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words):
        raise BadRequest("soft: write whole percents with spaces between, such as 50 80 100", param="soft")
    place = named(visit.given("on"), account.id)
    return NewBudget(
        account=place.get("account"),
        project=place.get("project"),
        key=place.get("key"),
        amount_usd=visit.given("amount_usd").removeprefix("$").replace(",", ""),
        window=visit.given("window"),
        zone=visit.given("zone") or None,
        model=visit.given("model") or None,
        soft=tuple(int(word) for word in words),
        mail=visit.given("mail") or None,
        webhook=visit.given("webhook") or None,
    )


async def _rehearsed(visit: Visit, wanted: NewBudget) -> Rehearsal:
    return await rehearsal.rehearse(
        visit.context.services,
        visit.actor,
        amount_usd=wanted.amount_usd,
        window=wanted.window,
        account=wanted.account,
        project=wanted.project,
        key=wanted.key,
        model=wanted.model,
    )


def _told(visit: Visit, found: Page[QueuedDelivery]) -> list[tuple[QueuedDelivery, str]]:
    """Each with its subject, as a mail has it."""
    return [(one, subject(one.notice, visit.context.services.directory)) for one in found.records]
