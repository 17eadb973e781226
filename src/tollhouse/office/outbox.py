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
from tollhouse.core.notice import Answer, Delivery, DeliveryState, Notice, Receiver, Told, notice_id
from tollhouse.core.roll_up import DAY_MS
from tollhouse.office import budgets, wording
from tollhouse.office.dispatch import receiver_of
from tollhouse.office.office import Office
from tollhouse.office.ports import Tables
from tollhouse.office.receivers import BACK_OFF_MS

GIVE_UP_MS: Final = sum(BACK_OFF_MS)
TELL_AFTER: Final = 4
"""So many failures in a row of one receiver, some six minutes after the first, are told to the account's owners."""

_CLAIM_MS: Final = 60_000  # longer than a try takes
_LOOK_SECONDS: Final = 5.0  # for what another process has written, and for what it left behind

GIVEN_UP: Final = "the receiver has taken nothing for three days"
NO_WEBHOOK: Final = Answer(ok=False, final=True, words="the budget has no webhook any more")

NO_TOKEN: Final = Answer(ok=False, final=True, words="the address is confirmed already, or was named anew")
A_DEFECT: Final = Answer(ok=False, words="a defect of this platform; its log says more")


Hook = tuple[str, str]
"""URL and secret of a webhook, the secret as it is kept or as it is; or address and token of a mail that asks its
reader to confirm."""


class Watcher(Protocol):
    """Hears what becomes of the outbox; the log."""

    def tried(self, told: Told) -> None:
        """One try is over; the delivery is as it stands after it."""
        ...

    def defect(self, request_id: str, error: BaseException) -> None: ...


class NobodyWatches:
    def tried(self, told: Told) -> None:
        pass

    def defect(self, request_id: str, error: BaseException) -> None:
        raise error


NOBODY: Final = NobodyWatches()


async def run(office: Office, watcher: Watcher) -> None:
    """Never returns: send what is due, then wait for what becomes due. A defect is reported, and does not end it."""
    started = False
    while True:
        wait_seconds = _LOOK_SECONDS
        try:
            if not started:
                await office.rows.change(lambda tables: _begin(office, tables))
                started = True
            office.news.clear()
            begun, blocked = await _begin_due(office, watcher)
            if not begun and not blocked:
                due_ms = await office.rows.read(lambda tables: tables.outbox.next_due_ms())
                if due_ms is not None:
                    wait_seconds = min(wait_seconds, max(0.01, (due_ms - office.clock.now_ms()) / 1000))
        except Overloaded:  # the database is away: later
            pass
        except Exception as error:  # guard: one notice that cannot be sent must not silence all others for ever
            watcher.defect("", error)
        try:
            async with asyncio.timeout(wait_seconds):
                await office.news.wait()
        except TimeoutError:
            pass


def _begin(office: Office, tables: Tables) -> None:
    tables.outbox.resume(office.clock.now_ms())
    budgets.keep_encrypted(office, tables)


async def deliver(office: Office, watcher: Watcher = NOBODY) -> int:
    """Try what may leave now, and wait for it; the answer is how many were tried. Raises Overloaded."""
    begun, _ = await _begin_due(office, watcher)
    await asyncio.shield(asyncio.gather(*begun))
    return len(begun)


async def _begin_due(office: Office, watcher: Watcher) -> "tuple[list[asyncio.Task[None]], bool]":
    """Begin to try what may leave now. True: more is due, and waits for what is under way."""
    now_ms, under_way, receivers = office.clock.now_ms(), office.under_way.copy(), office.receivers
    due_ms = await office.rows.read(lambda tables: tables.outbox.next_due_ms())
    if due_ms is None or due_ms > now_ms:
        return [], False
    chosen = await office.rows.read(lambda tables: under_way.choose(tables, receivers, now_ms))
    if not chosen.ids and not chosen.paused:
        return [], chosen.blocked

    def take(tables: Tables) -> list[tuple[Told, Hook | None]]:
        for receiver, until_ms in chosen.paused:
            tables.outbox.pause(receiver, until_ms)
        claimed = tables.outbox.claim(chosen.ids, now_ms, now_ms + _CLAIM_MS)
        return [(told, _hook(tables, told)) for told in claimed]

    begun = []
    for told, hook in await office.rows.change(take):
        office.under_way.begin(told)
        begun.append(asyncio.create_task(_try(office, told, hook, watcher)))
    for task in begun:  # a process that ends in good order waits for them: what has left must be noted
        office.tasks.add(task)
        task.add_done_callback(office.tasks.discard)
    if begun or chosen.paused:
        office.news.set()  # to look at once whether there is room for more
    return begun, chosen.blocked


def _hook(tables: Tables, told: Told) -> Hook | None:
    """What a delivery is sent with, as it stands now."""
    delivery = told.delivery
    if told.notice.type == "address.confirm":
        named = tables.mail_addresses.get(told.notice.account_id, delivery.address)
        return None if named is None or named.token is None else (delivery.address, named.token)
    return None if delivery.budget_id is None else tables.outbox.secret(delivery.budget_id)


async def send(office: Office, told: Told, hook: Hook | None) -> Answer:
    """One try."""
    notice, delivery = told.notice, told.delivery
    if notice.type == "address.confirm" and hook is None:
        return NO_TOKEN
    if delivery.channel in ("mail", "chat"):
        words = wording.subject(notice, office.directory), wording.text(notice, office.directory)
        if notice.type == "address.confirm" and hook is not None:
            words = words[0], wording.confirmation(office.public_url, notice.account_id, hook[1])
        if delivery.channel == "chat":
            return await office.post.chat(delivery.address, *words)
        return await office.post.mail(tuple(delivery.address.split(", ")), *words, notice.id)
    if hook is None:
        return NO_WEBHOOK
    try:
        secret = office.vault.open(hook[1], budgets.SIGNING)
    except Sealed as error:
        return Answer(ok=False, words=f"its signing secret cannot be read: {error}")
    return await office.post.webhook(hook[0], secret, notice.id, notice.body(), notice.account_id)


async def _try(office: Office, told: Told, hook: Hook | None, watcher: Watcher) -> None:
    try:
        try:
            answer = await send(office, told, hook)
        except Exception as error:  # guard: what cannot be sent counts as tried, and lets the next one pass
            watcher.defect("", error)
            answer = A_DEFECT
        after = structs.replace(told, delivery=_after(told, answer, office.clock.now_ms()))
        await _keep(office, after, answer)
        watcher.tried(after)
    finally:
        office.under_way.end(told)
        office.news.set()


async def _keep(office: Office, told: Told, answer: Answer) -> None:
    """Write down what has become of a delivery, and of what else waits for its receiver; while that cannot be, wait: to
    try again would be to tell twice."""
    now_ms, receiver = office.clock.now_ms(), receiver_of(told)
    pending = told.delivery.state == "pending"
    over = None if pending else office.receivers.works(receiver)
    pause = office.receivers.failed(receiver, now_ms) if pending and answer is not A_DEFECT else None

    def note(tables: Tables) -> None:
        tables.outbox.note(told.delivery)
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
            await office.rows.change(note)
        except Overloaded:
            await asyncio.sleep(1)
        else:
            return


def _paused(receiver: Receiver, waiting: int, now_ms: int) -> Notice:
    """Told once a day and account."""
    account_id, channel, address = receiver
    day_ms = now_ms - now_ms % DAY_MS
    scheme, _, rest = address.partition("://")
    shown = f"{scheme}://{rest.partition('/')[0]}/..." if channel == "webhook" else f"{scheme}://..."
    return Notice(
        id=notice_id("alerts.paused", account_id, day_ms, 0),
        type="alerts.paused",
        object_id=account_id,
        episode=day_ms,
        mark=0,
        account_id=account_id,
        time_ms=now_ms,
        data={"account": account_id, "receiver": shown, "waiting": max(1, waiting), "failures": TELL_AFTER},
    )


def _after(told: Told, answer: Answer, now_ms: int) -> Delivery:
    delivery = told.delivery
    attempts = delivery.attempts + 1
    shown = answer.words if answer.status is None else f"{answer.status} {answer.words}".rstrip()
    given_up = answer.final or attempts > len(BACK_OFF_MS) or now_ms - told.notice.time_ms > GIVE_UP_MS
    if answer.ok or given_up:
        state: DeliveryState = "sent" if answer.ok else "failed"
        return structs.replace(delivery, state=state, attempts=attempts, ended_at_ms=now_ms, answer=shown)
    address = ", ".join(answer.left) or delivery.address
    due_ms = now_ms + BACK_OFF_MS[attempts - 1]
    return structs.replace(delivery, attempts=attempts, due_ms=due_ms, address=address, answer=shown)
