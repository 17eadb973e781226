"""The process that is struck: the real writer settles calls, and says on its output which of them are durable.

It settles `COUNT` calls, `AT_ONCE` of them at a time, and writes the id of each as soon as its commit has returned;
on the way the WAL is moved into the database and begun anew a few times. Between calls people do what they do: grants
and refunds. What failed is written as `refused ID`, and stays refused.

`python -m tests.crash.settlements` is a nursery: for each line `URL OUTPUT` it forks such a process, which stops itself
before its first step; the nursery says its pid, and then how it ended. Thus a crash point costs no start of Python. A
third word, `dies`, has the process killed once anything was refused.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection

from tests.store.samples import NOW_MS, request
from tollhouse.billing.ledger import Transfer
from tollhouse.clock import SystemClock
from tollhouse.core.charge import Charge
from tollhouse.core.failure import Overloaded
from tollhouse.core.ids import make_id
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.engines import connect
from tollhouse.store.tables import SqlRepositories
from tollhouse.store.writer import Writer

COUNT = 200
AT_ONCE = 8
ACCOUNTS = 3
DEED_EVERY = 10
ROWS_PER_CHECKPOINT = 60


def settled(number: int) -> UsageRecord:
    """A call that was answered: each has its own price, some cost more than was held."""
    return request(
        number,
        id=make_id("req", NOW_MS + number, number.to_bytes(10, "big")),
        time_ms=NOW_MS + number,
        account_id=f"acc_{number % ACCOUNTS}",
        mode="live",
        error=None,
        charge=Charge(
            amount=number,
            price_id="price_1",
            held=number - number % 2,
            overrun=number % 2,
            budgets=((f"bud_{number % ACCOUNTS}", NOW_MS),),
        ),
    )


def transaction(number: int) -> Transfer:
    """A grant, or the money of a call back."""
    account_id, name = f"acc_{number % ACCOUNTS}", f"txn_deed_{number}"
    if number % (2 * DEED_EVERY):
        return Transfer(id=name, account_id=account_id, kind="grant", amount=1_000, time_ms=NOW_MS)
    call = settled(number)
    return Transfer(id=name, account_id=account_id, kind="refund", amount=number, time_ms=NOW_MS, request_id=call.id)


def append(transfer: Transfer) -> Callable[[Connection], object]:
    return lambda connection: SqlRepositories(connection).ledger.append(transfer)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # at once, and whole


async def settle(writer: Writer, numbers: Iterator[int], refused: Callable[[], None]) -> None:
    for number in numbers:
        record = settled(number)
        if await stands(record.id, writer.commit(record), refused) and number % DEED_EVERY == 0:
            await stands(f"txn_deed_{number}", writer.change(append(transaction(number))), refused)


async def stands(name: str, done: Awaitable[object], refused: Callable[[], None]) -> bool:
    """Say what became of it."""
    try:
        await done
    except Overloaded:
        say(f"refused {name}")
        refused()
        return False
    say(name)
    return True


def die() -> None:
    """As by `kill -9`, after all who wait for the same commit have heard of it."""
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGKILL)


async def work(url: str, refused: Callable[[], None]) -> None:
    engines = connect(url, Path())
    with engines.reading.connect():  # as the platform's own readers: the WAL is not removed while they are there
        writer = Writer(engines.writing, SystemClock(), rows_per_checkpoint=ROWS_PER_CHECKPOINT)
        numbers = iter(range(1, COUNT + 1))
        await asyncio.gather(*(settle(writer, numbers, refused) for _ in range(AT_ONCE)))
        await writer.close()
    engines.dispose()


def nursery() -> None:
    for line in sys.stdin:
        url, output, *fate = line.split()
        pid = os.fork()
        if not pid:
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
            os.kill(os.getpid(), signal.SIGSTOP)
            asyncio.run(work(url, die if fate else lambda: None))
            os._exit(0)
        os.waitpid(pid, os.WUNTRACED)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    nursery()
