"""Receipts: what a call was, what it cost and why, put together from its record, its price row and the ledger.

A receipt is made when it is read: its lines are made again from the price row that the charge names, and must come out
the same. Calls are looked for in their records, newest first; a search that finds little stops after a while, and says
where to go on.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from tollhouse.billing.budgets import matches
from tollhouse.billing.charges import ChargeLine, lines
from tollhouse.billing.ledger import Entry
from tollhouse.core.account import KeyMode
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.operation import Dialect
from tollhouse.core.phrase import Phrase
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import reach, retention
from tollhouse.services.choices import require_code, require_dialect, require_operation
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.paging import LIMIT
from tollhouse.services.pages import Page, cursor, limit, parse_cursor
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories

LOOKED_AT_MAX: Final = 20_000  # records that one search decodes, some 100 ms in its thread
DEAREST: Final = 20
DEAREST_OF: Final = 20_000
"""Records that the database looks into to find the dearest: some 0.3 s of its own time."""
_DEAREST_MS: Final = 3_000
_AT_ONCE: Final = 500

Holds = Callable[[UsageRecord], bool]


class Receipt(Struct, frozen=True, kw_only=True):
    """`last4`: of the secret the key had when the call came. `entry`: its charge in the ledger; None: there is none.
    `given_back`: nano-USD, by a refund."""

    call: UsageRecord
    last4: str
    lines: tuple[ChargeLine, ...] = ()
    entry: Entry | None = None
    given_back: int = 0


class ReceiptFilter(Struct, frozen=True, kw_only=True):
    """Which calls somebody asks for; None: all. `statuses`: the lowest and the highest. Time: Unix milliseconds,
    `until_ms` outside."""

    account_id: str | None = None
    project_id: str | None = None
    key_id: str | None = None
    model: str | None = None
    statuses: tuple[int, int] | None = None
    error: str | None = None
    client: str | None = None
    mode: KeyMode | None = None
    dialect: Dialect | None = None
    operation: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def holds(self, call: UsageRecord) -> bool:
        return (
            self.account_id in (None, call.account_id)
            and self.project_id in (None, call.project_id)
            and self.key_id in (None, call.key_id)
            and (self.model is None or matches(self.model, call.model))
            and (self.statuses is None or self.statuses[0] <= call.status <= self.statuses[1])
            and self.error in (None, call.error)
            and self.client in (None, call.client)
            and self.mode in (None, call.mode)
            and self.dialect in (None, call.dialect)
            and self.operation in (None, call.operation)
            and (self.since_ms is None or call.time_ms >= self.since_ms)
            and (self.until_ms is None or call.time_ms < self.until_ms)
        )


async def show(services: ServiceContext, actor: Actor, request_id: str, own_key_id: str | None = None) -> Receipt:
    """`own_key_id`: who asks is this API key, and sees its own calls only.

    Raises PathNotFound: word for word the same for a call of somebody else's and for one that never was. An id that is
    older than records are kept is told so.
    """

    def question(tables: SqlRepositories) -> tuple[UsageRecord, list[Entry]]:
        call = tables.requests.get(request_id)
        if call is None or actor.account_id not in (None, call.account_id) or own_key_id not in (None, call.key_id):
            gone = retention.expired(services, request_id, tables.retention.load())
            named = reach.shown(request_id)
            raise PathNotFound(
                Phrase("no request %(request)s: %(why)s", request=named, why=gone)
                if gone
                else Phrase("no request %(request)s", request=named)
            )
        return call, tables.ledger.of_request(request_id)

    call, entries = await services.rows.read(question)
    given_back = sum(entry.transfer.amount for entry in entries if entry.transfer.kind == "refund")
    return Receipt(
        call=call,
        last4=last4(services, call),
        lines=tuple(_lines(services, call)),
        entry=next((entry for entry in entries if entry.transfer.kind == "charge"), None),
        given_back=given_back,
    )


async def list_page(
    services: ServiceContext,
    wanted: ReceiptFilter,
    *,
    after: str | None = None,
    count: int = LIMIT,
    most_looked_at: int = LOOKED_AT_MAX,
) -> Page[UsageRecord]:
    """Calls, newest first. A page may hold fewer than `count` and yet have a next one: after so many calls it stops
    looking. Raises BadRequest."""
    before, maximum = parse_cursor(after), limit(count)
    if wanted.until_ms is not None:
        before = min(before or (wanted.until_ms, ""), (wanted.until_ms, ""))
    return await services.rows.read(lambda tables: _search(tables, wanted, before, maximum, most_looked_at))


async def dearest(
    services: ServiceContext,
    wanted: ReceiptFilter,
    *,
    after: str | None = None,
    count: int = DEAREST,
    most_looked_at: int = DEAREST_OF,
) -> Page[UsageRecord]:
    """The calls that cost the most, the dearest first; those that cost nothing are none of them. Where the time asked
    for has more than `most_looked_at` calls, the dearest of the newest of them: `next` leads to those before. Raises
    BadRequest, Overloaded where it takes too long."""
    before, maximum = parse_cursor(after), min(limit(count), DEAREST)
    exact: dict[str, str | None] = {name: getattr(wanted, name) for name in ("project_id", "key_id", "error", "client")}
    exact |= {"mode": wanted.mode, "dialect": wanted.dialect, "operation": wanted.operation}
    found, oldest = await services.rows.read(
        lambda tables: tables.requests.dearest(
            {name: value for name, value in exact.items() if value is not None},
            account_id=wanted.account_id,
            model=wanted.model,
            statuses=wanted.statuses,
            from_ms=wanted.since_ms,
            to_ms=wanted.until_ms,
            before=before,
            looked_at=most_looked_at,
            limit=maximum,
        ),
        deadline_ms=_DEAREST_MS,
    )
    return Page(tuple(found), None if oldest is None else cursor(oldest))


def wanted_by(
    services: ServiceContext,
    actor: Actor,
    *,
    account: str | None = None,
    project: str | None = None,
    key: str | None = None,
    model: str | None = None,
    status: str | None = None,
    error: str | None = None,
    client: str | None = None,
    mode: KeyMode | None = None,
    dialect: Dialect | None = None,
    operation: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> ReceiptFilter:
    """Within what the actor can reach. `status`: one, a class as `4xx`, or `failed`. Raises
    PathNotFound, BadRequest."""
    account_id = reach.narrowed(services, actor, account)
    require_dialect(services, dialect)
    require_operation(operation)
    require_code(error)
    return ReceiptFilter(
        account_id=account_id,
        project_id=None if project is None else reach.project(services, actor, project, account_id).id,
        key_id=None if key is None else reach.key(services, actor, key, account_id).id,
        model=model,
        statuses=None if status is None else _statuses(status),
        error=error,
        client=client,
        mode=mode,
        dialect=dialect,
        operation=operation,
        since_ms=since_ms,
        until_ms=until_ms,
    )


def last4(services: ServiceContext, call: UsageRecord) -> str:
    """The end of the secret that the call's key had at that time; empty where the key or that secret is gone."""
    key = services.directory.keys.get(call.key_id)
    secrets = () if key is None else key.secrets
    return next((one.last4 for one in secrets if one.created_at_ms <= call.time_ms), "")


def _lines(services: ServiceContext, call: UsageRecord) -> Iterable[ChargeLine]:
    charge = call.charge
    if charge is None or charge.price_id is None:
        return ()
    price = services.prices.charged_by(charge.price_id, charge.multiplier_ppm)
    return () if price is None else lines(price, call.usage)


def _search(
    tables: SqlRepositories, wanted: ReceiptFilter, before: Cursor | None, maximum: int, most_looked_at: int
) -> Page[UsageRecord]:
    found: list[UsageRecord] = []
    for looked_at, call in enumerate(_newest(tables, wanted, before), start=1):
        if wanted.holds(call):
            if len(found) == maximum:
                return Page(tuple(found), cursor((found[-1].time_ms, found[-1].id)))
            found.append(call)
        if looked_at == most_looked_at:
            return Page(tuple(found), cursor((call.time_ms, call.id)))
    return Page(tuple(found))


def _newest(tables: SqlRepositories, wanted: ReceiptFilter, before: Cursor | None) -> Iterator[UsageRecord]:
    while True:
        calls = tables.requests.page(before=before, limit=_AT_ONCE, account_id=wanted.account_id)
        for call in calls:
            if wanted.since_ms is not None and call.time_ms < wanted.since_ms:
                return
            yield call
        if len(calls) < _AT_ONCE:
            return
        before = calls[-1].time_ms, calls[-1].id


def _statuses(text: str) -> tuple[int, int]:
    if text == "failed":
        return 400, 599
    if len(text) == 3 and text.isascii() and text[0] in "12345":
        if text[1:] == "xx":
            return int(text[0]) * 100, int(text[0]) * 100 + 99
        if text.isdigit():
            return int(text), int(text)
    raise BadRequest(
        Phrase("status: %(given)s is none: write 429, 4xx for a whole class, or failed", given=repr(text[:40])),
        param="status",
    )
