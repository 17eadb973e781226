"""The outbox: what was written down to be told leaves from here, is tried again where it did not arrive, and given up
after three days. `dispatch` says what leaves next.

A delivery is sent at least once, and marked as sent when the receiver has said so: where the process ends between the
two, it is sent again under the same id.
"""

import asyncio
from typing import Final, Protocol

from msgspec import structs

from tollhouse.access.vault import Sealed
from tollhouse.core.failure import Overloaded
from tollhouse.core.notice import (
    Delivery,
    DeliveryResult,
    DeliveryState,
    Notice,
    Outgoing,
    QueuedDelivery,
    Receiver,
    notice_id,
    shown,
)
from tollhouse.core.phrase import translatable
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import budgets, mailed_links, ticket_words, wording
from tollhouse.services.context import ServiceContext
from tollhouse.services.dispatch import receiver_of
from tollhouse.services.mail_languages import readers_by_language, together
from tollhouse.services.receivers import BACK_OFF_MS
from tollhouse.services.translation import Said, said
from tollhouse.store.tables import SqlRepositories

GIVE_UP_MS: Final = sum(BACK_OFF_MS)
TELL_AFTER: Final = 4
"""So many failures in a row of one receiver, some six minutes after the first, are told to the account's owners."""

_CLAIM_MS: Final = 60_000  # longer than a try takes
_LOOK_SECONDS: Final = 5.0  # for what another process has written, and for what it left behind

GIVEN_UP: Final = translatable("the receiver has taken nothing for three days")
NO_WEBHOOK: Final = DeliveryResult(ok=False, final=True, words=translatable("the budget has no webhook any more"))

NO_TOKEN: Final = DeliveryResult(
    ok=False, final=True, words=translatable("the address is confirmed already, or was named anew")
)
NO_LINK: Final = DeliveryResult(ok=False, final=True, words=translatable("its link was used already, or is over"))
A_DEFECT: Final = DeliveryResult(ok=False, words=translatable("a defect of this platform; its log says more"))


WebhookTarget = tuple[str, str]
"""URL and secret of a webhook, the secret as it is kept or as it is; or address and token of a mail that asks its
reader to confirm; or the path of a mailed link."""


class DeliveryObserver(Protocol):
    """Hears what becomes of the outbox; the log."""

    def tried(self, queued: QueuedDelivery) -> None:
        """One try is over; the delivery is as it stands after it."""
        ...

    def defect(self, request_id: str, error: BaseException) -> None: ...


class NoObserver:
    def tried(self, queued: QueuedDelivery) -> None:
        pass

    def defect(self, request_id: str, error: BaseException) -> None:
        raise error


NOBODY: Final = NoObserver()


async def run(services: ServiceContext, watcher: DeliveryObserver) -> None:
    """Never returns: send what is due, then wait for what becomes due. A defect is reported, and does not end it."""
    started = False
    while True:
        wait_seconds = _LOOK_SECONDS
        try:
            if not started:
                await services.rows.change(lambda tables: _begin(services, tables))
                started = True
            services.news.clear()
            begun, blocked = await _begin_due(services, watcher)
            if not begun and not blocked:
                due_ms = await services.rows.read(lambda tables: tables.outbox.next_due_ms())
                if due_ms is not None:
                    wait_seconds = min(wait_seconds, max(0.01, (due_ms - services.clock.now_ms()) / 1000))
        except Overloaded:  # the database is away: later
            pass
        except Exception as error:  # guard: one notice that cannot be sent must not silence all others for ever
            watcher.defect("", error)
        try:
            async with asyncio.timeout(wait_seconds):
                await services.news.wait()
        except TimeoutError:
            pass


def _begin(services: ServiceContext, tables: SqlRepositories) -> None:
    tables.outbox.resume(services.clock.now_ms())
    budgets.keep_encrypted(services, tables)


async def deliver(services: ServiceContext, watcher: DeliveryObserver = NOBODY) -> int:
    """Try what may leave now, and wait for it; the answer is how many were tried. Raises Overloaded."""
    begun, _ = await _begin_due(services, watcher)
    await asyncio.shield(asyncio.gather(*begun))
    return len(begun)


async def _begin_due(services: ServiceContext, watcher: DeliveryObserver) -> "tuple[list[asyncio.Task[None]], bool]":
    """Begin to try what may leave now. True: more is due, and waits for what is under way."""
    now_ms, under_way, receivers = services.clock.now_ms(), services.under_way.copy(), services.receivers
    due_ms = await services.rows.read(lambda tables: tables.outbox.next_due_ms())
    if due_ms is None or due_ms > now_ms:
        return [], False
    channels = services.channels
    chosen = await services.rows.read(lambda tables: under_way.choose(tables, receivers, channels, now_ms))
    if not chosen.ids and not chosen.paused:
        return [], chosen.blocked

    def take(tables: SqlRepositories) -> list[tuple[QueuedDelivery, WebhookTarget | None]]:
        for receiver, until_ms in chosen.paused:
            tables.outbox.pause(receiver, until_ms)
        claimed = tables.outbox.claim(chosen.ids, now_ms, now_ms + _CLAIM_MS)
        return [(told, _hook(services, tables, told)) for told in claimed]

    begun = []
    for told, hook in await services.rows.change(take):
        services.under_way.begin(told)
        begun.append(asyncio.create_task(_try(services, told, hook, watcher)))
    for task in begun:  # a process that ends in good order waits for them: what has left must be noted
        services.tasks.add(task)
        task.add_done_callback(services.tasks.discard)
    if begun or chosen.paused:
        services.news.set()  # to look at once whether there is room for more
    return begun, chosen.blocked


def _hook(services: ServiceContext, tables: SqlRepositories, queued: QueuedDelivery) -> WebhookTarget | None:
    """What a delivery is sent with, as it stands now."""
    delivery = queued.delivery
    if queued.notice.type in wording.WITH_LINK and delivery.channel == "mail":
        return mailed_links.token_to_send(services, tables, queued.notice.object_id)
    if queued.notice.type == "address.confirm":
        named = tables.mail_addresses.get(queued.notice.account_id, delivery.address)
        return None if named is None or named.token is None else (delivery.address, named.token)
    return None if delivery.budget_id is None else tables.outbox.secret(delivery.budget_id)


async def send(services: ServiceContext, queued: QueuedDelivery, hook: WebhookTarget | None) -> DeliveryResult:
    """One try."""
    notice, delivery = queued.notice, queued.delivery
    if notice.type == "address.confirm" and hook is None:
        return NO_TOKEN
    if notice.type in wording.WITH_LINK and delivery.channel == "mail" and hook is None:
        return NO_LINK
    address, secret = delivery.address, ""
    if services.channels.by_name[delivery.channel].signed:
        if hook is None:
            return NO_WEBHOOK
        try:
            address, secret = hook[0], services.vault.open(hook[1], budgets.SIGNING)
        except Sealed as error:
            return DeliveryResult(ok=False, words=f"its signing secret cannot be read: {error}")
    readers = {services.languages[0]: address}
    if delivery.channel == "mail":
        readers = await readers_by_language(services, notice, address)
    results = []
    for language, some in readers.items():
        say = said(language)
        outgoing = Outgoing(
            id=notice.id,
            account_id=notice.account_id,
            address=some,
            subject=say(wording.subject(notice, services.directory)),
            text=_text(services, queued, hook, say),
            body=notice.body(),
            secret=secret,
        )
        results.append(await services.post.deliver(delivery.channel, outgoing))
    return together(results)


def _text(services: ServiceContext, queued: QueuedDelivery, hook: WebhookTarget | None, say: Said) -> str:
    notice, is_mail = queued.notice, queued.delivery.channel == "mail"
    if notice.type == "key.leaked" and hook is not None and is_mail:
        return wording.leaked(notice, services.public_url, hook[0], services.directory, say)
    if notice.type in wording.WITH_LINK and hook is not None and is_mail:
        return wording.letter(notice, services.public_url, hook[0], say)
    if notice.type == "address.confirm" and hook is not None:
        return wording.confirmation(services.public_url, notice.account_id, hook[1], say)
    if notice.type in ticket_words.TYPES:
        return ticket_words.mail(notice, services.public_url, say)
    return wording.text(notice, services.directory, say)


async def _try(
    services: ServiceContext, queued: QueuedDelivery, hook: WebhookTarget | None, watcher: DeliveryObserver
) -> None:
    try:
        try:
            answer = await send(services, queued, hook)
        except Exception as error:  # guard: what cannot be sent counts as tried, and lets the next one pass
            watcher.defect("", error)
            answer = A_DEFECT
        after = structs.replace(queued, delivery=_after(queued, answer, services.clock.now_ms()))
        await _keep(services, after, answer)
        watcher.tried(after)
    finally:
        services.under_way.end(queued)
        services.news.set()


async def _keep(services: ServiceContext, queued: QueuedDelivery, answer: DeliveryResult) -> None:
    """Write down what has become of a delivery, and of what else waits for its receiver; while that cannot be, wait: to
    try again would be to tell twice."""
    now_ms, receiver = services.clock.now_ms(), receiver_of(queued)
    pending = queued.delivery.state == "pending"
    over = None if pending else services.receivers.works(receiver)
    pause = services.receivers.failed(receiver, now_ms) if pending and answer is not A_DEFECT else None

    def note(tables: SqlRepositories) -> None:
        tables.outbox.note(queued.delivery)
        if over is not None and answer.ok:
            tables.outbox.resume_receiver(receiver, over.until_ms, now_ms)
        if not answer.ok and not answer.final:
            tables.outbox.give_up(receiver, now_ms - GIVE_UP_MS, now_ms, GIVEN_UP)
        if pause is not None:
            waiting = tables.outbox.pause(receiver, pause.until_ms)
            if pause.failures == TELL_AFTER and receiver[1] != "mail":
                tables.outbox.add(_paused(receiver, waiting, now_ms))

    while True:
        try:
            await services.rows.change(note)
        except Overloaded:
            await asyncio.sleep(1)
        else:
            return


def _paused(receiver: Receiver, waiting: int, now_ms: int) -> Notice:
    """Told once a day and account."""
    account_id, _, address = receiver
    day_ms = now_ms - now_ms % DAY_MS
    return Notice(
        id=notice_id("alerts.paused", account_id, day_ms, 0),
        type="alerts.paused",
        object_id=account_id,
        episode=day_ms,
        mark=0,
        account_id=account_id,
        time_ms=now_ms,
        data={"account": account_id, "receiver": shown(address), "waiting": max(1, waiting), "failures": TELL_AFTER},
    )


def _after(queued: QueuedDelivery, answer: DeliveryResult, now_ms: int) -> Delivery:
    delivery = queued.delivery
    attempts = delivery.attempts + 1
    answered = answer.words if answer.status is None else f"{answer.status} {answer.words}".rstrip()
    given_up = answer.final or attempts > len(BACK_OFF_MS) or now_ms - queued.notice.time_ms > GIVE_UP_MS
    if answer.ok or given_up:
        state: DeliveryState = "sent" if answer.ok else "failed"
        return structs.replace(delivery, state=state, attempts=attempts, ended_at_ms=now_ms, answer=answered)
    address = ", ".join(answer.left) or delivery.address
    due_ms = now_ms + BACK_OFF_MS[attempts - 1]
    return structs.replace(delivery, attempts=attempts, due_ms=due_ms, address=address, answer=answered)
