"""How well models serve, from the calls that ended.

The observer of calls leaves their records in `ServiceLevels.ended`. A thread counts them once a second, so that neither
a call nor the event loop waits for it, and makes the report that pages read: however many read it, it costs nothing
more. The rows are written once a minute; a process that is killed loses the sums of a minute at most.
"""

import asyncio
from contextlib import suppress
from typing import Final, Protocol

from tollhouse.core.failure import Overloaded
from tollhouse.services.context import ServiceContext
from tollhouse.services.service_sums import ServiceChanges
from tollhouse.store.tables import SqlRepositories

COUNT_SECONDS: Final = 1.0
_TIMES_PER_WRITE: Final = 60
_PLACES_AT_ONCE: Final = 200
"""Rows of a transaction, a millisecond or two of the writer's."""


class DefectReport(Protocol):
    def defect(self, request_id: str, error: BaseException) -> None: ...


async def run(services: ServiceContext, report: DefectReport) -> None:
    """Never returns: count each second, write each minute."""
    times = 0
    while True:
        await asyncio.sleep(COUNT_SECONDS)
        times += 1
        try:
            await count_ended(services)
            if times % _TIMES_PER_WRITE == 0:
                await write(services)
        except Overloaded:  # the database is away: the next minute writes it all
            pass
        except Exception as error:  # guard: a defect here must not end the counting for good
            report.defect("", error)


async def load(services: ServiceContext) -> None:
    """Read what was written down."""
    rows = await services.rows.read(lambda tables: tables.service_levels.list_all())
    services.levels.load(rows, services.clock.now_ms())


async def count_ended(services: ServiceContext) -> None:
    """Count the calls that ended since the last time, in a thread."""
    levels = services.levels
    ended = list(levels.ended)
    levels.ended.clear()
    await asyncio.to_thread(levels.count, ended, services.catalogue.models, services.clock.now_ms())


async def write(services: ServiceContext) -> None:
    """Write down what has changed, a portion at a time. Raises Overloaded; then the next time writes it."""
    levels = services.levels
    changes = await asyncio.to_thread(levels.changes)
    for portion in changes.portions(_PLACES_AT_ONCE):
        written = False

        def put(tables: SqlRepositories, portion: ServiceChanges = portion) -> None:
            tables.service_levels.put(portion.rows)
            tables.service_levels.remove(portion.gone)

        try:
            await services.rows.change(put)
            written = True
        finally:
            if not written:  # also where this task was cancelled
                levels.unwritten(changes)


async def finish(services: ServiceContext) -> None:
    """Before the store closes: nothing that was counted is lost."""
    with suppress(Overloaded):
        await count_ended(services)
        await write(services)
