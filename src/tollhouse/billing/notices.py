"""What a budget has to tell, and whom: pure, for the store (with a charge) and the services (when a budget is set)."""

from collections.abc import Collection, Container, Iterable, Iterator

from msgspec import structs

from tollhouse.billing.budgets import Budget, thresholds_due
from tollhouse.billing.windows import BadZone
from tollhouse.core.amount import format_usd
from tollhouse.core.channel import Channels
from tollhouse.core.instant import rfc3339
from tollhouse.core.notice import Delivery, Notice, notice_id
from tollhouse.core.phrase import translatable

UNCONFIRMED = translatable(
    "the address is not confirmed: nothing is sent to it before its reader has followed the mail that asks"
)
FOLDED = translatable("more than an account may cause to be sent in a day: an hourly notice tells of it")
NO_CHANNEL = translatable("no alert channel of this platform takes an address of this kind")
NOBODY = translatable("nobody to tell: no owner of the account has a mail address, and no webhook is set")


def crossed(
    budget: Budget,
    starts_at_ms: int,
    spent: int,
    time_ms: int,
    *,
    project_id: str | None = None,
    notified: Container[int],
) -> list[Notice]:
    """The thresholds that a window has reached and nobody was told of.

    spent: nano-USD. time_ms: when that was. project_id: of the key a budget stands on.
    """
    return [
        Notice(
            id=notice_id("budget.threshold", budget.id, starts_at_ms, percent),
            type="budget.threshold",
            object_id=budget.id,
            episode=starts_at_ms,
            mark=percent,
            account_id=budget.account_id,
            time_ms=time_ms,
            data=_data(budget, percent, starts_at_ms, spent, project_id),
        )
        for percent in thresholds_due(budget, spent, notified)
    ]


def ways(
    notice: Notice,
    owners: Iterable[str],
    budgets: Iterable[Budget],
    channels: Channels,
    unconfirmed: Collection[str] = (),
) -> Iterator[Delivery]:
    """How a notice leaves: one mail to all who get one, and each webhook once. owners: mail addresses. budgets: whose
    mail address and webhook are told too. channels: which of them takes a webhook's address is told by its scheme.
    unconfirmed: addresses, in lower case, to which nothing goes: that is said in a delivery of its own. With nobody to
    tell there is one delivery, which says so."""
    notified = list(budgets)
    addresses = {address.lower(): address for address in (*owners, *(one.mail for one in notified)) if address}
    silent = [addresses.pop(address) for address in sorted(addresses.keys() & set(unconfirmed))]
    hooks: dict[str, str] = {}
    for one in notified:
        if one.webhook:
            hooks.setdefault(one.webhook, one.id)
    number = 0
    if addresses:
        number += 1
        yield Delivery(
            id=f"{notice.id}_{number}",
            notice_id=notice.id,
            channel="mail",
            address=", ".join(addresses.values()),
        )
    for url, budget_id in hooks.items():
        number += 1
        channel = channels.of(url)
        way = Delivery(
            id=f"{notice.id}_{number}",
            notice_id=notice.id,
            channel="none" if channel is None else channel.name,
            address=url,
            budget_id=budget_id,
        )
        yield way if channel is not None else _failed(way, notice, NO_CHANNEL)
    for address in silent:
        number += 1
        yield Delivery(
            id=f"{notice.id}_{number}",
            notice_id=notice.id,
            channel="mail",
            address=address,
            state="failed",
            ended_at_ms=notice.time_ms,
            answer=UNCONFIRMED,
        )
    if not number:
        yield Delivery(
            id=f"{notice.id}_0",
            notice_id=notice.id,
            channel="none",
            address="",
            state="failed",
            ended_at_ms=notice.time_ms,
            answer=NOBODY,
        )


def _failed(way: Delivery, notice: Notice, answer: str) -> Delivery:
    """The delivery as one that never leaves."""
    return structs.replace(way, state="failed", ended_at_ms=notice.time_ms, answer=answer)


def _data(
    budget: Budget, percent: int, starts_at_ms: int, spent: int, project_id: str | None
) -> dict[str, str | int | None]:
    try:
        resets_at_ms = budget.window(starts_at_ms).end_ms
    except BadZone:  # this machine does not know the zone: a charge must not fail for it
        resets_at_ms = None
    data: dict[str, str | int | None] = {
        "budget_id": budget.id,
        "level": budget.level,
        "threshold_percent": percent,
        "limit_usd": format_usd(budget.amount),
        "used_usd": format_usd(spent),
        "resets_at": None if resets_at_ms is None else rfc3339(resets_at_ms),
        "account": budget.account_id,
    }
    project = budget.object_id if budget.level == "project" else project_id
    if project is not None and budget.level != "account":
        data["project"] = project
    if budget.level == "key":
        data["key"] = budget.object_id
    return data
