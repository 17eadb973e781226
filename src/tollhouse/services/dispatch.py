"""Which deliveries leave next: accounts take turns, and nobody's waits for what another's receiver does.

Each channel has a lane of its own. In each lane an account has few deliveries under way, and a receiver
one at a time, in the order in which its notices were reached. The account with the fewest under way comes first; among
equals, the one behind the account that was served last.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, field

from tollhouse.core.channel import Channel, ChannelBounds, Channels
from tollhouse.core.notice import DueDelivery, QueuedDelivery, Receiver
from tollhouse.services.receivers import Receivers
from tollhouse.store.tables import SqlRepositories

ACCOUNTS_MAX: Final = 256  # that are looked at at once
_LOOKED_AT: Final = 32  # deliveries of one account


class NextDeliveries(Struct):
    """`ids`: deliveries to claim. `paused`: receivers that are, and until when, though something is due there.
    `blocked`: more is due than may be under way at once."""

    ids: list[str] = field(default_factory=list)
    paused: list[tuple[Receiver, int]] = field(default_factory=list)
    blocked: bool = False


class DeliveriesInProgress:
    """The deliveries that this process is trying."""

    def __init__(self) -> None:
        self._receivers: dict[str, Receiver] = {}  # by the delivery's id
        self._of_account: Counter[tuple[str, str]] = Counter()  # by channel and account
        self._after: dict[str, str] = {}  # by channel: the account that was served last

    def begin(self, queued: QueuedDelivery) -> None:
        receiver = receiver_of(queued)
        self._receivers[queued.delivery.id] = receiver
        self._of_account[receiver[1], receiver[0]] += 1
        self._after[receiver[1]] = receiver[0]

    def end(self, queued: QueuedDelivery) -> None:
        account_id, channel, _ = self._receivers.pop(queued.delivery.id)
        self._of_account[channel, account_id] -= 1
        if not self._of_account[channel, account_id]:
            del self._of_account[channel, account_id]

    def copy(self) -> "DeliveriesInProgress":
        """As it stands, for a thread."""
        made = DeliveriesInProgress()
        made._receivers, made._of_account, made._after = self._receivers.copy(), self._of_account.copy(), self._after
        return made

    def choose(self, tables: SqlRepositories, receivers: Receivers, channels: Channels, now_ms: int) -> NextDeliveries:
        """What may leave now."""
        chosen = NextDeliveries()
        for lane in channels.by_name.values():
            self._choose_in(lane, tables, receivers, now_ms, chosen)
        return chosen

    def _choose_in(
        self,
        lane: ChannelBounds,
        tables: SqlRepositories,
        receivers: Receivers,
        now_ms: int,
        chosen: NextDeliveries,
    ) -> None:
        channel, busy = lane.name, set(self._receivers.values())
        running = {account_id: count for (way, account_id), count in self._of_account.items() if way == channel}
        free = lane.in_all - sum(running.values())
        due = self._accounts_due(tables, channel, now_ms)
        for account_id in sorted(due, key=lambda one: running.get(one, 0)):
            room = min(free, lane.each - running.get(account_id, 0))
            if room <= 0:
                chosen.blocked = True
                continue
            waiting = tables.outbox.waiting(channel, account_id, now_ms, _LOOKED_AT)
            taken = 0
            for one in _first_of_each(waiting):
                receiver = account_id, channel, one.address
                until_ms = receivers.paused_until_ms(receiver)
                if until_ms > now_ms:
                    chosen.paused.append((receiver, until_ms))
                elif receiver not in busy and taken < room:
                    chosen.ids.append(one.id)
                    taken += 1
            free -= taken
            chosen.blocked = chosen.blocked or len(waiting) > taken

    def _accounts_due(self, tables: SqlRepositories, channel: Channel, now_ms: int) -> list[str]:
        """All round, from behind the account that was served last."""
        after = self._after.get(channel, "")
        due = tables.outbox.accounts_due(channel, after, now_ms, ACCOUNTS_MAX)
        if after and len(due) < ACCOUNTS_MAX:
            around = tables.outbox.accounts_due(channel, "", now_ms, ACCOUNTS_MAX - len(due))
            due += [account_id for account_id in around if account_id <= after]
        return due


def receiver_of(queued: QueuedDelivery) -> Receiver:
    return queued.notice.account_id, queued.delivery.channel, queued.delivery.address


def _first_of_each(waiting: Iterable[DueDelivery]) -> Iterator[DueDelivery]:
    """The delivery that comes first of each address."""
    seen = set()
    for one in sorted(waiting, key=lambda one: (one.due_ms, one.attempts, one.time_ms, one.mark, one.id)):
        if one.address not in seen:
            seen.add(one.address)
            yield one
