"""What waits for the writer: how much of it there may be, in all and of one account, and what the next batch takes.

An account may have as many jobs waiting as there is room left, so that there is always room for another; who fills the
queue is refused first. A batch takes accounts in turns, so that a commit waits for one batch at most, whatever others
have waiting. Changes of people wait in one line, in their order.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from tollhouse.core.failure import Overloaded
from tollhouse.store.batch import Job

WAITING_MAX: Final = 8_192
BATCH_MAX: Final = 256


class WriteQueue:
    """Counts of what waits, by account. Belongs to the event loop."""

    def __init__(self, maximum: int = WAITING_MAX) -> None:
        self._maximum = maximum
        self.in_all = 0
        self._of_account: dict[str, int] = {}

    def admit(self, job: Job) -> None:
        """Raises Overloaded."""
        account_id = job.account_id
        waiting = self._of_account.get(account_id, 0)
        if waiting >= self._maximum - self.in_all:
            raise Overloaded("too much of this account waits to be written down: try again", retry_after_ms=1_000)
        self.in_all += 1
        self._of_account[account_id] = waiting + 1

    def written(self, jobs: Sequence[Job]) -> None:
        self.in_all -= len(jobs)
        for job in jobs:
            account_id = job.account_id
            left = self._of_account[account_id] - 1
            if left:
                self._of_account[account_id] = left
            else:
                del self._of_account[account_id]


def share(jobs: Iterable[Job], maximum: int = BATCH_MAX) -> tuple[list[Job], list[Job]]:
    """A batch of at most so many, accounts in turns, and what is left; each in the order in which it came."""
    lines: dict[str, deque[tuple[int, Job]]] = {}
    for number, job in enumerate(jobs):
        lines.setdefault(job.account_id, deque()).append((number, job))
    taken: list[tuple[int, Job]] = []
    while lines and len(taken) < maximum:
        for account_id in list(lines)[: maximum - len(taken)]:
            taken.append(lines[account_id].popleft())
            if not lines[account_id]:
                del lines[account_id]
    left = [one for line in lines.values() for one in line]
    return _in_order(taken), _in_order(left)


def _in_order(numbered: list[tuple[int, Job]]) -> list[Job]:
    return [job for _, job in sorted(numbered, key=lambda one: one[0])]
