"""How the installation stands: its configuration, its database, what waits in it, who is signed in."""

from msgspec import Struct

from tollhouse.access.sessions import is_over
from tollhouse.core.audit import Actor
from tollhouse.core.retention import Retention
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories


class SystemState(Struct, frozen=True, kw_only=True):
    """Times are Unix milliseconds. `applied_ms`: when the configuration in force was applied; None: that is not known.
    `deliveries`: notices that wait to leave. `oldest_ms`: of the records of calls; None: there is none."""

    generation: int
    applied_ms: int | None
    database_bytes: int
    deliveries: int
    sessions: int
    retention: Retention
    retention_days: int
    oldest_ms: int | None


async def show(services: ServiceContext, actor: Actor) -> SystemState:
    """Raises ScopeMissing, Overloaded."""
    reach.require_operator(actor, "see how the installation stands")
    generation, now_ms = services.catalogue.generation, services.clock.now_ms()

    def question(tables: SqlRepositories) -> SystemState:
        applied = tables.audit.page(before=None, limit=1, object_id=f"generation {generation}")
        return SystemState(
            generation=generation,
            applied_ms=applied[0].time_ms if applied else None,
            database_bytes=tables.size.bytes(),
            deliveries=tables.outbox.pending(),
            sessions=sum(not is_over(one, now_ms) for one in tables.sessions.list_all()),
            retention=tables.retention.load(),
            retention_days=services.retention_days,
            oldest_ms=tables.requests.oldest_ms(),
        )

    return await services.rows.read(question)
