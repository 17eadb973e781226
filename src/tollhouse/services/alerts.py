"""Alerts, as people look at them: what was told and what became of it, and a test that shows the receiver's answer."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from tollhouse.billing.notices import ways
from tollhouse.core.audit import Actor
from tollhouse.core.channel import Channels
from tollhouse.core.failure import BadRequest, PathNotFound, RateLimited
from tollhouse.core.notice import Delivery, DeliveryResult, Notice, QueuedDelivery
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, budgets, fields, outbox, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.alerts import AlertQuery, AlertTest
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories

TESTS_MAX: Final = 16  # under way at once
ACCOUNT_TESTS_MAX: Final = 2
TEXT: Final = "Somebody asked for a test of this alert."


class Trial(Struct, frozen=True, kw_only=True):
    """One way, tried now. `secret`: what a webhook was signed with, where it was named by its address."""

    delivery: Delivery
    answer: DeliveryResult
    secret: str | None = None


@WithFieldsOf(AlertQuery)
async def list_page(services: ServiceContext, actor: Actor, given: AlertQuery) -> Page[QueuedDelivery]:
    """What was told, a row for each way, newest first; of a bounded actor, that of his account."""
    account_id = reach.narrowed(services, actor, given.account)
    return await read_page(services, given, lambda tables: tables.outbox.page, _newest_by, account_id=account_id)


def _newest_by(queued: QueuedDelivery) -> Cursor:
    return queued.notice.time_ms, queued.delivery.id


@WithFieldsOf(AlertTest)
async def try_out(services: ServiceContext, actor: Actor, given: AlertTest) -> list[Trial]:
    """Send a notice of the type `alert.test` now, once, to whom a budget tells, or to one webhook or mail address.

    A webhook named by its address is signed with a secret made for this test. Raises BadRequest, PathNotFound,
    RateLimited for an owner who tests too often, ScopeMissing.
    """
    budget, webhook, mail = given.budget, given.webhook, given.mail
    if sum(one is not None for one in (budget, webhook, mail)) != 1:
        raise BadRequest("budget: name one budget, one webhook or one mail address", param="budget")
    row = audit.entry(services, actor, "alert.test", budget or "", account_id=actor.account_id)
    payer = actor.account_id or ""
    if actor.account_id is not None:  # what customers may cause to be sent to others is little
        services.testing.admit(actor.account_id, actor.address, services.clock.now_ms())
        if services.trying.total() >= TESTS_MAX or services.trying[payer] >= ACCOUNT_TESTS_MAX:
            raise RateLimited("tests of alerts are still under way: wait for them", retry_after_ms=10_000)
    address = None if mail is None else fields.email(mail, "mail")
    url = None if webhook is None else budgets.read_webhook(services, webhook)
    notice = _notice(services, budget, actor.account_id)

    def prepare(tables: SqlRepositories) -> tuple[list[Delivery], dict[str, tuple[str, str]]]:
        tables.audit.add(row)
        if budget is None:
            if address is not None and actor.account_id is not None:
                _require_confirmed(tables, actor.account_id, address)
            return _within_the_day(tables, services.channels, actor, notice, [_way(services, notice, address, url)]), {}
        found = tables.budgets.get(budget)
        if found is None or actor.account_id not in (None, found.account_id):
            raise PathNotFound(Phrase("no budget %(budget)s", budget=reach.shown(budget)))
        silent = tables.mail_addresses.unconfirmed(found.account_id, [found.mail] if found.mail else [])
        told = ways(notice, tables.outbox.owners(found.account_id), [found], services.channels, silent)
        return _within_the_day(tables, services.channels, actor, notice, told), tables.outbox.secrets([found.id])

    services.trying[payer] += 1
    try:
        deliveries, hooks = await services.rows.change(prepare)
        return [await _try(services, notice, way, hooks) for way in deliveries]
    finally:
        services.trying[payer] -= 1
        if not services.trying[payer]:
            del services.trying[payer]


def _require_confirmed(tables: SqlRepositories, account_id: str, address: str) -> None:
    if tables.mail_addresses.unconfirmed(account_id, [address]):
        raise BadRequest(
            "mail: this address is neither of this account nor confirmed: name it with a budget (--mail), and its "
            "reader is asked",
            param="mail",
        )


def _within_the_day(
    tables: SqlRepositories, channels: Channels, actor: Actor, notice: Notice, queued: Iterable[Delivery]
) -> list[Delivery]:
    """Tests count as what they send. Raises RateLimited."""
    deliveries = list(queued)
    for way in deliveries:
        channel = channels.by_name.get(way.channel)
        if actor.account_id is None or channel is None or way.state != "pending":
            continue
        if not tables.sendings.admit_on(channel, actor.account_id, notice.time_ms):
            raise RateLimited("this account has caused as much to be sent today as it may", should_retry=False)
    return deliveries


def _notice(services: ServiceContext, budget: str | None, account_id: str | None) -> Notice:
    now_ms = services.clock.now_ms()
    about = {"budget_id": budget, "account": account_id}
    return Notice(
        id=services.new_id("msg"),
        type="alert.test",
        object_id=budget or account_id or "",
        episode=now_ms,
        mark=0,
        account_id=account_id or "",
        time_ms=now_ms,
        data={"message": TEXT, **{name: value for name, value in about.items() if value is not None}},
    )


def _way(services: ServiceContext, notice: Notice, address: str | None, url: str | None) -> Delivery:
    channel = None if url is None else services.channels.of(url)
    return Delivery(
        id=f"{notice.id}_1",
        notice_id=notice.id,
        channel="mail" if channel is None else channel.name,
        address=address or url or "",
    )


async def _try(services: ServiceContext, notice: Notice, way: Delivery, hooks: Mapping[str, tuple[str, str]]) -> Trial:
    if way.state != "pending":
        return Trial(delivery=way, answer=DeliveryResult(ok=False, words=way.answer or ""))
    hook, secret = hooks.get(way.budget_id or ""), None
    if services.channels.by_name[way.channel].signed and way.budget_id is None:
        secret = budgets.new_secret(services)
        hook = way.address, secret
    answer = await outbox.send(services, QueuedDelivery(notice=notice, delivery=way), hook)
    return Trial(delivery=way, answer=answer, secret=secret)
