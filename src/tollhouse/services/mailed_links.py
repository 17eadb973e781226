"""Links that are mailed to people: to come in, to set a password, to confirm an address. Each does one thing, once.

A mail leaves by the outbox, which survives a restart; its token is made when it leaves, another one at each try, so
that only SHA-256s are ever written down.
"""

from typing import Final

from tollhouse.access.sessions import SECRET_BYTES, digest_of, secret_of
from tollhouse.core.failure import PathNotFound
from tollhouse.core.mailed_link import LinkKind, MailedLink
from tollhouse.core.notice import Delivery, Notice, NoticeType
from tollhouse.core.phrase import translatable
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

VALID_MS: Final = {"invitation": 7 * DAY_MS, "account": DAY_MS, "reset": HOUR_MS, "address": DAY_MS, "leak": 7 * DAY_MS}
PATHS: Final = {
    "invitation": "/console/invitation",
    "account": "/console/sign-up/finish",
    "reset": "/console/password/new",
    "address": "/console/address",
    "leak": "/console/leak",
}
"""Where each kind leads, with `?token=`."""
_TOKEN_LENGTH: Final = 43
_MAILS: Final[dict[str, NoticeType]] = {
    "invitation": "person.invitation",
    "account": "person.account",
    "reset": "person.reset",
    "address": "person.address",
}
_TOO_OFTEN: Final = translatable("this address has got enough such mails today")
NO_ACCOUNT: Final = "platform"
"""In whose line mails wait that belong to no account."""


def new_token(services: ServiceContext, tables: SqlRepositories, link: MailedLink) -> str:
    """One more token of a link, within a transaction."""
    token = secret_of(services.random.bytes(SECRET_BYTES))
    tables.mailed_links.add_token(link.id, digest_of(token))
    return token


def lasting(services: ServiceContext, kind: LinkKind) -> tuple[int, int]:
    """When a new link is made, and when its time is over."""
    now_ms = services.clock.now_ms()
    return now_ms, now_ms + VALID_MS[kind]


def add(services: ServiceContext, tables: SqlRepositories, link: MailedLink, language: str | None = None) -> None:
    """Within a transaction: write a link down, and what mails it. language: that of the page where it was asked for."""
    tables.mailed_links.forget_before(link.created_at_ms)
    tables.mailed_links.add(link)
    send(services, tables, _MAILS[link.kind], link.email, link.account_id, about=link.id, language=language)


def send(
    services: ServiceContext,
    tables: SqlRepositories,
    kind: NoticeType,
    email: str,
    account_id: str | None,
    *,
    about: str,
    language: str | None = None,
) -> None:
    """Within a transaction: a mail to one person. Beyond what an address gets in a day it stands in the list of alerts
    as failed."""
    now_ms = services.clock.now_ms()
    notice = Notice(
        id=services.new_id("msg"),
        type=kind,
        object_id=about,
        episode=services.moment_ms(),
        mark=0,
        account_id=account_id or NO_ACCOUNT,
        time_ms=now_ms,
        data={} if language is None else {"language": language},
    )
    way = Delivery(id=f"{notice.id}_1", notice_id=notice.id, channel="mail", address=email)
    if not tables.sendings.admit("letter", email, now_ms):
        way = Delivery(
            id=way.id, notice_id=notice.id, channel="mail", address=email, state="failed", ended_at_ms=now_ms,
            answer=_TOO_OFTEN,
        )  # fmt: skip
    tables.outbox.add_way(notice, way)


def token_to_send(services: ServiceContext, tables: SqlRepositories, link_id: str) -> tuple[str, str] | None:
    """For the outbox, at each try: the path of a link with a new token; None: it was used, or is over."""
    link = tables.mailed_links.get(link_id)
    if link is None or services.clock.now_ms() >= link.expires_at_ms:
        return None
    return path_of(link, new_token(services, tables, link)), ""


def path_of(link: MailedLink, token: str) -> str:
    return f"{PATHS[link.kind]}?token={token}"


async def look_up(services: ServiceContext, kind: LinkKind, token: str) -> MailedLink:
    """Changes nothing: mail programs follow links before people do. Raises PathNotFound."""
    return await services.rows.read(lambda tables: find(services, tables, kind, token))


def find(services: ServiceContext, tables: SqlRepositories, kind: LinkKind, token: str) -> MailedLink:
    """The same within a transaction."""
    formed = len(token) == _TOKEN_LENGTH and token.isascii()
    found = tables.mailed_links.by_token(digest_of(token)) if formed else None
    if found is None or found.kind != kind or services.clock.now_ms() >= found.expires_at_ms:
        raise PathNotFound("this link was used already, or is too old, or was never sent: ask for another one")
    return found
