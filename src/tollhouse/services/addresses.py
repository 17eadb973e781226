"""Mail addresses outside an account: their readers are asked before anything else is sent to them.

The account's own address and its members' need no asking; nor does an address that the operator names, who answers for
it. Who asks, and how often, is bounded (limits.sending).
"""

from base64 import urlsafe_b64encode
from typing import Final

from msgspec import structs

from tollhouse.core.audit import Actor, AuditRow
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.notice import Delivery, MailAddress, Notice
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.limits.sending import ADDRESSES_MAX
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

TOKEN_BYTES: Final = 32
VALID_MS: Final = 7 * DAY_MS
ASKED_TOO_OFTEN: Final = translatable("the address was asked often enough for today: name it again tomorrow")
_TOKEN_LENGTH: Final = 43


def new_token(services: ServiceContext) -> str:
    return urlsafe_b64encode(services.random.bytes(TOKEN_BYTES)).decode().rstrip("=")


def name(
    services: ServiceContext, tables: SqlRepositories, actor: Actor, account_id: str, address: str | None, token: str
) -> bool:
    """Somebody names an address, or none, for an account's alerts; within a transaction. False: a mail asks its reader
    first.

    token: a new one, used if its reader is to be asked. Raises BadRequest for more addresses than an account may name.
    """
    if address is None or not tables.mail_addresses.unconfirmed(account_id, [address]):
        return True
    now_ms, lower = services.clock.now_ms(), address.lower()
    known = tables.mail_addresses.get(account_id, lower)
    if actor.account_id is None:
        row = MailAddress(account_id=account_id, address=lower, token=None, asked_at_ms=now_ms)
        tables.mail_addresses.put(structs.replace(row, confirmed_at_ms=now_ms, confirmed_by=actor.id))
        return True
    if known is None and tables.mail_addresses.count(account_id) >= ADDRESSES_MAX:
        raise BadRequest(
            Phrase("mail: an account names at most %(most)s addresses outside it", most=ADDRESSES_MAX), param="mail"
        )
    if known is not None and now_ms - known.asked_at_ms < HOUR_MS:
        return False
    if known is not None and known.token is not None:
        token = known.token  # the link in an older mail goes on to work
    tables.mail_addresses.put(MailAddress(account_id=account_id, address=lower, token=token, asked_at_ms=now_ms))
    notice = Notice(
        id=services.new_id("msg"),
        type="address.confirm",
        object_id=lower,
        episode=services.moment_ms(),  # another account may name it in the same millisecond
        mark=0,
        account_id=account_id,
        time_ms=now_ms,
        data={"account": account_id},
    )
    way = Delivery(id=f"{notice.id}_1", notice_id=notice.id, channel="mail", address=lower)
    sendings = tables.sendings
    if not (sendings.admit("confirmation", account_id, now_ms) and sendings.admit("asked", lower, now_ms)):
        way = structs.replace(way, state="failed", ended_at_ms=now_ms, answer=ASKED_TOO_OFTEN)
    tables.outbox.add_way(notice, way)
    return False


async def look_up(services: ServiceContext, token: str) -> MailAddress:
    """Whom a token was sent to; changes nothing. Raises PathNotFound."""
    return _valid(services, await services.rows.read(lambda tables: tables.mail_addresses.by_token(_formed(token))))


async def confirm(services: ServiceContext, token: str) -> MailAddress:
    """The reader of an address agrees. Raises PathNotFound for a token that is unknown, used or older than 7 days."""
    await look_up(services, token)
    now_ms = services.clock.now_ms()
    row = AuditRow(
        id=services.new_id("aud"),
        time_ms=services.moment_ms(),
        actor_kind="public",
        actor_id="recipient",
        address=None,
        account_id=None,
        action="alert.confirm",
        object_id="",
        before={},
        after={},
    )

    def transaction(tables: SqlRepositories) -> MailAddress:
        done = _valid(services, tables.mail_addresses.confirm(token, now_ms, "recipient"))
        tables.audit.add(structs.replace(row, account_id=done.account_id, object_id=done.address))
        return done

    return await services.rows.change(transaction)


async def unconfirmed(services: ServiceContext, account_id: str, addresses: set[str]) -> set[str]:
    """Of these addresses, in lower case, those to which nothing is sent yet."""
    return await services.rows.read(lambda tables: tables.mail_addresses.unconfirmed(account_id, addresses))


def _formed(token: str) -> str:
    if len(token) != _TOKEN_LENGTH or not token.isascii():
        raise _unknown()
    return token


def _valid(services: ServiceContext, found: MailAddress | None) -> MailAddress:
    if found is None or services.clock.now_ms() - found.asked_at_ms > VALID_MS:
        raise _unknown()
    return found


def _unknown() -> PathNotFound:
    return PathNotFound("token: unknown, used already, or older than seven days")
