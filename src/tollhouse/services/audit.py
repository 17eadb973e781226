"""The audit: every change leaves a row in its own transaction; nobody edits one, and no secret stands in any."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from tollhouse.billing.ledger import CreditFields, Transfer
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor, AuditRow
from tollhouse.core.failure import BadRequest, RateLimited, ScopeMissing
from tollhouse.core.notice import shown
from tollhouse.core.phrase import Phrase
from tollhouse.limits.row_allowance import CHANGES_AT_ONCE, CHANGES_EVERY_MS
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.audit import AuditQuery
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.pages import Cursor

_NEVER = frozenset(("secrets", "password_hash", "digest", "totp", "totp_step", "recovery", "networks"))
_OF_NO_INTEREST = frozenset(("signed_in_at_ms", "signed_in_from", "signed_in_with"))  # sign-ins have rows of their own
_MEMBERS_MAX = 500
_ONLY_LOOK = frozenset(("api_key", "public"))
LEAK_REPORT: Final = "leak report"
"""The actor that froze a key whose secret somebody reported; its address is theirs."""
_STRANGERS: Final = frozenset((LEAK_REPORT,))


@WithFieldsOf(AuditQuery)
async def list_page(services: ServiceContext, actor: Actor, given: AuditQuery) -> Page[AuditRow]:
    """The newest rows first, of one account (the actor's own if they have one) and of one object, if named. To an
    account no address is told but its own people's: neither who runs the platform, nor who reported a key."""
    if given.object_id is not None and len(given.object_id) > 200:
        raise BadRequest("object: this is no id", param="object")
    within = {"account_id": reach.narrowed(services, actor, given.account), "object_id": given.object_id}
    found = await read_page(services, given, lambda tables: tables.audit.page, _newest_by, **within)
    if actor.account_id is None:
        return found
    ids = sorted({row.actor_id for row in found.records if row.actor_kind == "person"})
    people = await services.rows.read(lambda tables: tables.people.with_ids(ids))
    strangers = {one.id for one in people if one.account_id != actor.account_id} | _STRANGERS
    shown = (structs.replace(row, address=None) if row.actor_id in strangers else row for row in found.records)
    return structs.replace(found, records=tuple(shown))


async def members(services: ServiceContext, account_id: str) -> dict[str, str]:
    """Mail addresses of an account's members by their ids, to name those who changed something."""
    found = await services.rows.read(
        lambda tables: tables.people.page(before=None, limit=_MEMBERS_MAX, account_id=account_id)
    )
    return {one.id: one.email for one in found}


def _newest_by(row: AuditRow) -> Cursor:
    return row.time_ms, row.id


def entry(
    services: ServiceContext,
    actor: Actor,
    action: str,
    object_id: str,
    *,
    account_id: str | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditRow:
    """The row of a change that is about to be made, now. Raises ScopeMissing for an actor who may only look,
    RateLimited for one of an account that has written too many."""
    if actor.kind in _ONLY_LOOK:
        raise ScopeMissing("changing anything needs an admin key (sk-th-admin-...), or the operator")
    if actor.account_id is not None and not services.changes.admit(actor.account_id, services.clock.now_ms()):
        raise RateLimited(
            Phrase(
                "The account %(account)s has changed something too often: %(most)s changes may come at once, then"
                " one each %(seconds)s seconds.",
                account=actor.account_id,
                most=CHANGES_AT_ONCE,
                seconds=CHANGES_EVERY_MS // 1000,
            ),
            retry_after_ms=CHANGES_EVERY_MS,
        )
    return AuditRow(
        id=services.new_id("aud"),
        time_ms=services.moment_ms(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        address=actor.address,
        account_id=account_id,
        action=action,
        object_id=object_id,
        before=dict(before or {}),
        after=dict(after or {}),
    )


def changed(row: AuditRow, before: Struct | None, after: Struct) -> AuditRow:
    """The row with what differs between two records of a kind; of a new record, all it says."""
    new = _told(after)
    if before is None:
        return structs.replace(row, after=row.after | {name: _masked(name, value) for name, value in new.items()})
    old = _told(before)
    differ = [name for name in new if old[name] != new[name]]
    return structs.replace(
        row,
        before=row.before | {name: _masked(name, old[name]) for name in differ},
        after=row.after | {name: _masked(name, new[name]) for name in differ},
    )


def posted(row: AuditRow, transfer: Transfer) -> AuditRow:
    """The row with the money that moved."""
    told: dict[str, object] = {"kind": transfer.kind, "usd": format_usd(transfer.amount)}
    told |= {name: getattr(transfer, name) for name in CreditFields.__struct_fields__}
    if transfer.request_id is not None:
        told["request_id"] = transfer.request_id
    return structs.replace(row, account_id=transfer.account_id, after=row.after | told)


def _told(record: Struct) -> dict[str, object]:
    return {name: value for name, value in structs.asdict(record).items() if name not in _NEVER | _OF_NO_INTEREST}


def _masked(name: str, value: object) -> object:
    return shown(value) if name == "webhook" and isinstance(value, str) else value
