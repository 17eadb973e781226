"""The outbox: what was written down to be told leaves from here, is tried again where it did not arrive, and given up
after three days.

A delivery is sent at least once, and marked as sent when the receiver has said so: where the process ends between the
two, it is sent again under the same id.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import structs

from tollhouse.access.vault import Sealed
from tollhouse.core.failure import Overloaded
from tollhouse.core.notice import Answer, Delivery, DeliveryState, Told
from tollhouse.office import budgets, wording
from tollhouse.office.office import Office
from tollhouse.office.ports import Tables

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
BACK_OFF_MS: Final = (
    *(5 * _SECOND, _MINUTE, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 20 * _HOUR),
)
"""How long after each failed try the next one comes: 72 hours in all."""

_AT_ONCE: Final = 4
_CLAIM_MS: Final = 60 * _SECOND  # longer than so many tries take, one after the other
_LOOK_SECONDS: Final = 5.0  # for what another process has written, and for what it left behind

NO_WEBHOOK: Final = Answer(ok=False, final=True, words="the budget has no webhook any more")

A_DEFECT: Final = Answer(ok=False, words="a defect of this platform; its log says more")


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
            while await deliver(office, watcher):
                pass
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
    """Try a few deliveries that are due; the answer is how many. Raises Overloaded.

    Those to one address go one after the other, in the order in which they were crossed.
    """
    now_ms = office.clock.now_ms()
    if (due_ms := await office.rows.read(lambda tables: tables.outbox.next_due_ms())) is None or due_ms > now_ms:
        return 0

    def take(tables: Tables) -> tuple[list[Told], dict[str, tuple[str, str]]]:
        claimed = tables.outbox.claim(now_ms, now_ms + _CLAIM_MS, _AT_ONCE)
        return claimed, tables.outbox.secrets([told.delivery.budget_id for told in claimed if told.delivery.budget_id])

    claimed, secrets = await office.rows.change(take)
    lanes: dict[str, list[Told]] = defaultdict(list)
    for told in claimed:
        lanes[told.delivery.address].append(told)
    running = [asyncio.create_task(_along(office, lane, secrets, watcher)) for lane in lanes.values()]
    for task in running:  # a process that ends in good order waits for them: what has left must be noted
        office.tasks.add(task)
        task.add_done_callback(office.tasks.discard)
    await asyncio.shield(asyncio.gather(*running))
    return len(claimed)


async def send(office: Office, told: Told, hook: tuple[str, str] | None) -> Answer:
    """One try. hook: URL and secret of the webhook as they stand now, the secret as it is kept or as it is."""
    notice, delivery = told.notice, told.delivery
    if delivery.channel in ("mail", "chat"):
        words = wording.subject(notice, office.directory), wording.text(notice, office.directory)
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


async def _along(office: Office, lane: Sequence[Told], secrets: dict[str, tuple[str, str]], watcher: Watcher) -> None:
    for told in lane:
        try:
            answer = await send(office, told, secrets.get(told.delivery.budget_id or ""))
        except Exception as error:  # guard: what cannot be sent counts as tried, and lets the next one pass
            watcher.defect("", error)
            answer = A_DEFECT
        after = structs.replace(told, delivery=_after(told, answer, office.clock.now_ms()))
        await _keep(office, after)
        watcher.tried(after)


async def _keep(office: Office, told: Told) -> None:
    """Write down what has become of a delivery; while that cannot be, wait: to try again would be to tell twice."""
    while True:
        try:
            await office.rows.change(lambda tables: tables.outbox.note(told.delivery))
        except Overloaded:
            await asyncio.sleep(1)
        else:
            return


def _after(told: Told, answer: Answer, now_ms: int) -> Delivery:
    delivery = told.delivery
    attempts = delivery.attempts + 1
    shown = answer.words if answer.status is None else f"{answer.status} {answer.words}".rstrip()
    given_up = answer.final or attempts > len(BACK_OFF_MS)
    if answer.ok or given_up:
        state: DeliveryState = "sent" if answer.ok else "failed"
        return structs.replace(delivery, state=state, attempts=attempts, ended_at_ms=now_ms, answer=shown)
    address = ", ".join(answer.left) or delivery.address
    due_ms = now_ms + BACK_OFF_MS[attempts - 1]
    return structs.replace(delivery, attempts=attempts, due_ms=due_ms, address=address, answer=shown)
