"""Who uses a key: how many calls in the last day, by which clients, and which of them still bring its old secret."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tollhouse.core.account import ApiKey
from tollhouse.core.audit import Actor
from tollhouse.core.roll_up import DAY_MS, FOREVER_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import keys, reach, usage
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

LOOKED_AT_MAX: Final = 1_500
"""Records of the account's calls that are looked through for the clients of one key, the newest first."""
_AT_ONCE: Final = 500


class ClientUse(Struct, frozen=True, kw_only=True):
    """Calls of one client with one secret. `old_secret`: its last characters; empty: the key's newest. `last_ms`: of
    the newest of them, whose id is `request_id`."""

    client: str
    old_secret: str
    calls: int
    last_ms: int
    request_id: str


class KeyUse(Struct, frozen=True, kw_only=True):
    """`calls`, `failed` and `charge`: of the last 24 hours, begun quarters of an hour included. `clients`: as far as
    `since_ms`, the one that called last first."""

    key: ApiKey
    calls: int
    failed: int
    charge: int  # nano-USD
    clients: tuple[ClientUse, ...]
    since_ms: int

    @property
    def old(self) -> tuple[ClientUse, ...]:
        """Those who bring a secret that was replaced."""
        return tuple(one for one in self.clients if one.old_secret)


async def recent(services: ServiceContext, actor: Actor, reference: str) -> KeyUse:
    """Raises PathNotFound, BadRequest."""
    key = await keys.show(services, actor, reference)
    now_ms = services.clock.now_ms()
    day_ago_ms = now_ms - DAY_MS
    sums = await usage.report(services, actor, by="key", from_ms=day_ago_ms, to_ms=now_ms + 1, key=key.id)
    calls, since_ms = await services.rows.read(lambda tables: _newest(tables, key.account_id, day_ago_ms))
    return KeyUse(
        key=key,
        calls=sum(one.calls for one in sums),
        failed=sum(one.failed for one in sums),
        charge=sum(one.charge for one in sums),
        clients=tuple(_by_client(one for one in calls if one.key_id == key.id)),
        since_ms=since_ms,
    )


async def latest(services: ServiceContext, actor: Actor, reference: str, since_ms: int) -> UsageRecord | None:
    """The newest call with a key's newest secret that came since an instant, among the account's last ones; None: none
    has come. A key that was not used since is not looked for. Raises PathNotFound, BadRequest."""
    key = await keys.show(services, actor, reference)
    if (key.last_used_at_ms or 0) < since_ms:
        return None
    calls = await services.rows.read(
        lambda tables: tables.requests.page(before=None, limit=_AT_ONCE, account_id=key.account_id)
    )
    newest = (one for one in calls if one.key_id == key.id and one.time_ms >= since_ms and not one.old_secret)
    return next(newest, None)


async def spent(
    services: ServiceContext, actor: Actor, account: str, key_ids: Iterable[str], from_ms: int
) -> dict[str, int]:
    """What keys of an account were charged since the start of a day of UTC, in nano-USD by their ids. Raises
    PathNotFound."""
    account_id, wanted = reach.account(services, actor, account).id, tuple(key_ids)
    if not wanted:
        return {}
    sums = await services.rows.read(
        lambda tables: tables.usage.in_buckets(
            None,
            account_id,
            from_ms=from_ms,
            to_ms=FOREVER_MS,
            width_ms=FOREVER_MS,
            by=("key_id",),
            narrowed={"key_id": wanted},
        )
    )
    return {one.key_id: one.charge for one in sums if one.key_id is not None}


def _newest(tables: SqlRepositories, account_id: str, from_ms: int) -> tuple[list[UsageRecord], int]:
    """Calls of an account, and since when they are all there."""
    found: list[UsageRecord] = []
    before = None
    while len(found) < LOOKED_AT_MAX:
        calls = tables.requests.page(before=before, limit=_AT_ONCE, account_id=account_id)
        found += [one for one in calls if one.time_ms >= from_ms]
        if len(calls) < _AT_ONCE or calls[-1].time_ms < from_ms:
            return found, from_ms
        before = calls[-1].time_ms, calls[-1].id
    return found, found[-1].time_ms


def _by_client(calls: Iterable[UsageRecord]) -> Iterable[ClientUse]:
    counted: dict[tuple[str, str], list[UsageRecord]] = {}
    for one in calls:
        counted.setdefault((one.client, one.old_secret), []).append(one)
    for (client, old_secret), theirs in counted.items():
        newest = theirs[0]
        yield ClientUse(
            client=client,
            old_secret=old_secret,
            calls=len(theirs),
            last_ms=newest.time_ms,
            request_id=newest.id,
        )
