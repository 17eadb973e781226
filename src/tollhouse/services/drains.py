"""Taking a provider out of use without a stop: no new call goes to it, those under way end, and nothing is configured
anew. It outlives restarts and new configurations, until somebody ends it."""

from tollhouse.core.audit import Actor
from tollhouse.core.drain import Drain
from tollhouse.services import audit, fields, offers, reach
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories


async def begin(services: ServiceContext, actor: Actor, provider_id: str, reason: str | None = None) -> Drain:
    """For one that is drained already, the new reason counts. Raises ScopeMissing, PathNotFound, BadRequest."""
    reach.require_operator(actor, "drain a provider")
    checked = fields.reason(reason) or ""
    provider = offers.known(services, provider_id)
    before = services.drains.get(provider.id)
    since_ms = services.clock.now_ms() if before is None else before.since_ms
    drain = Drain(id=provider.id, since_ms=since_ms, actor_id=actor.id, reason=checked)
    put_in_force = services.prepare(services.catalogue)
    row = audit.entry(services, actor, "provider.drain", provider.id)

    def transaction(tables: SqlRepositories) -> Drain:
        tables.drains.remove(drain.id)
        tables.drains.add(drain)
        tables.audit.add(audit.changed(row, before, drain))
        return drain

    def publish(one: Drain) -> None:
        services.drains[one.id] = one
        put_in_force()

    return await services.rows.change(transaction, publish)


async def end(services: ServiceContext, actor: Actor, provider_id: str) -> None:
    """New calls may go there again. Twice changes nothing; a provider that is configured no more can be named, too.
    Raises ScopeMissing, PathNotFound."""
    reach.require_operator(actor, "drain a provider")
    before = services.drains.get(provider_id)
    if before is None:
        offers.known(services, provider_id)
        return
    put_in_force = services.prepare(services.catalogue)
    row = audit.entry(services, actor, "provider.resume", provider_id, before={"reason": before.reason})

    def transaction(tables: SqlRepositories) -> None:
        tables.drains.remove(provider_id)
        tables.audit.add(row)

    def publish(_: None) -> None:
        services.drains.pop(provider_id, None)
        put_in_force()

    await services.rows.change(transaction, publish)
