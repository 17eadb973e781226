"""/api/v1/alerts"""

from html import escape
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from tollhouse.core.notice import MailAddress, QueuedDelivery
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, PUBLIC, AdminRequest, route
from tollhouse.services import addresses, alerts
from tollhouse.services.given.alerts import AlertQuery, AlertTest


class AlertObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="alert"):
    """A notice on one of its ways. `about`: the budget, account or key. `state`: pending, sent, failed (given up), or
    folded (beyond what an account may cause to be sent in a day: an `alerts.folded` tells of it).
    `last_answer`: what the receiver said, or why it was not reached."""

    id: str
    notice_id: str  # what a webhook calls webhook-id
    type: str
    account_id: str
    about: str
    threshold_percent: int | None
    data: dict[str, Any]
    channel: str
    address: str
    state: str
    attempts: int
    last_answer: str | None
    created_at: str | None
    next_try_at: str | None
    ended_at: str | None


class TrialObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="alert_test"):
    """`status`: of HTTP or SMTP, null where nobody answered. `answer`: the first words of the receiver, or why he was
    not reached. `secret`: what a webhook of no budget was signed with, for this once."""

    channel: str
    address: str
    delivered: bool
    status: int | None
    answer: str
    webhook_id: str
    secret: str | None


class ConfirmationToken(Struct, frozen=True, kw_only=True):
    """As it stands in the mail that asks."""

    token: str


class AlertAddressObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="alert_address"):
    """A mail address that an account has named. `state`: unconfirmed, confirmed."""

    account_id: str
    address: str
    state: str
    confirmed_at: str | None


def _page(token: ConfirmationToken, answer: AlertAddressObject) -> str:
    """What the link of the mail shows: a button, or that all is done."""
    address, account_id = escape(answer.address), escape(answer.account_id)
    if answer.state == "confirmed":
        said = f"<p>Alerts of account {account_id} are sent to {address} from now on.</p>"
    else:
        said = (
            f"<p>Account {account_id} would like to send its alerts to {address}.</p>"
            f'<form method="post" action="?token={quote(token.token)}"><button>Confirm</button></form>'
        )
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Alerts</title>{said}</html>\n'


@route("alerts.list", "GET /api/v1/alerts", ACCOUNT, "What people were told")
async def list_all(context: AdminContext, request: AdminRequest[AlertQuery]) -> PageObject[AlertObject]:
    return page_object(await alerts.list_page(context.services, request.actor, **request.given), alert_object)


@route("alerts.test", "POST /api/v1/alerts/test", ACCOUNT, "Try an alert now")
async def try_out(context: AdminContext, request: AdminRequest[AlertTest]) -> PageObject[TrialObject]:
    trials = await alerts.try_out(context.services, request.actor, **request.given)
    return PageObject(data=tuple(_trial_object(trial) for trial in trials))


@route("alerts.ask", "GET /api/v1/alerts/confirm", PUBLIC, "Whom a token asks to confirm", as_page=_page)
async def ask(context: AdminContext, request: AdminRequest[ConfirmationToken]) -> AlertAddressObject:
    """Changes nothing: mail programs follow links before people do."""
    context.services.admit_confirmation(request.actor.address, request.now_ms)
    return _address_object(await addresses.look_up(context.services, request.body.token))


@route("alerts.confirm", "POST /api/v1/alerts/confirm", PUBLIC, "Agree to get alerts", takes_query=True, as_page=_page)
async def confirm(context: AdminContext, request: AdminRequest[ConfirmationToken]) -> AlertAddressObject:
    context.services.admit_confirmation(request.actor.address, request.now_ms)
    return _address_object(await addresses.confirm(context.services, request.body.token))


def _address_object(named: MailAddress) -> AlertAddressObject:
    return fill(AlertAddressObject, named, state="unconfirmed" if named.confirmed_at_ms is None else "confirmed")


def alert_object(queued: QueuedDelivery) -> AlertObject:
    notice, delivery = queued.notice, queued.delivery
    return fill(
        AlertObject,
        delivery,
        notice_id=notice.id,
        type=notice.type,
        account_id=notice.account_id,
        about=notice.object_id,
        threshold_percent=notice.mark if notice.type == "budget.threshold" else None,
        data=dict(notice.data),
        last_answer=delivery.answer,
        created_at=written(notice.time_ms),
        next_try_at=written(max(delivery.due_ms, notice.time_ms)) if delivery.state == "pending" else None,
    )


def _trial_object(trial: alerts.Trial) -> TrialObject:
    return TrialObject(
        channel=trial.delivery.channel,
        address=trial.delivery.address,
        delivered=trial.answer.ok,
        status=trial.answer.status,
        answer=trial.answer.words,
        webhook_id=trial.delivery.notice_id,
        secret=trial.secret,
    )
