"""Redeem codes: money on a slip of text, shown once and good once. 125 random bits: guessing one is no use."""

import hashlib
from typing import NamedTuple

from msgspec import structs

from tollhouse.billing.ledger import Entry, Transfer
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.code import Code, CodeFields
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.services import audit, fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.codes import NewCodeFields, Redemption
from tollhouse.services.given.paging import Paging
from tollhouse.services.money import Posted, follow, post
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

CODES_MAX = 1_000
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O, U, which people misread
_GROUPS, _GROUP = 5, 5
_NO_CODE = translatable("code: this is no code that can be redeemed (any more)")


class Minted(NamedTuple):
    """`secret`: the text, which nobody can be shown again."""

    code: Code
    secret: str


class CodesToMake(NewCodeFields, frozen=True):
    expires_at_ms: int | None = None


@WithFieldsOf(CodesToMake)
async def create(services: ServiceContext, actor: Actor, given: CodesToMake) -> tuple[Minted, ...]:
    """So many codes of an amount each. Raises BadRequest, ScopeMissing."""
    reach.require_operator(actor, "make redeem codes")
    if not 1 <= given.count <= CODES_MAX:
        raise BadRequest(
            Phrase("count: %(count)s is not between 1 and %(most)s", count=given.count, most=CODES_MAX), param="count"
        )
    now_ms, amount = services.clock.now_ms(), fields.amount(given.amount_usd, "amount_usd")
    kept = fields.kept(CodeFields, given, note=fields.note(given.note))
    until_ms = fields.expiry(given.expires_at_ms, now_ms)
    minted = []
    for _ in range(given.count):
        secret = _mint(services.random.bytes(16))
        code = Code(
            id=services.new_id("code"),
            digest=_digest(secret),
            last4=secret[-4:],
            amount=amount,
            created_at_ms=now_ms,
            expires_at_ms=until_ms,
            **kept,
        )
        minted.append(Minted(code, secret))
    rows = [audit.changed(audit.entry(services, actor, "code.create", one.code.id), None, one.code) for one in minted]

    def transaction(tables: SqlRepositories) -> tuple[Minted, ...]:
        for one, row in zip(minted, rows, strict=True):
            tables.codes.add(one.code)
            tables.audit.add(row)
        return tuple(minted)

    return await services.rows.change(transaction)


@WithFieldsOf(Paging)
async def list_page(services: ServiceContext, actor: Actor, given: Paging) -> Page[Code]:
    """Newest first, redeemed ones included. Raises BadRequest, ScopeMissing."""
    reach.require_operator(actor, "see the redeem codes")
    return await read_page(services, given, lambda tables: tables.codes.page)


@WithFieldsOf(Redemption)
async def preview(services: ServiceContext, actor: Actor, given: Redemption) -> Code:
    """What redeeming a code would put in; it stays good. Counts as an attempt, as redeeming it does.

    Raises as `redeem`.
    """
    account_id = reach.account_or_own(services, actor, given.account).id
    digest, now_ms = _digest(given.code), services.clock.now_ms()
    if actor.account_id is not None:
        services.redeeming.admit(account_id, actor.address, now_ms)
    code = await services.rows.read(lambda tables: tables.codes.free(digest, now_ms))
    if code is None:
        raise BadRequest(_NO_CODE, param="code")
    return code


@WithFieldsOf(Redemption)
async def redeem(services: ServiceContext, actor: Actor, given: Redemption) -> Entry:
    """Put a code's money into an account. A code is good once, whoever else tries at the same time.

    Raises BadRequest for a code that is none, is over or was redeemed: the answer is the same for all three.
    PathNotFound for the account, RateLimited for more attempts of an account or from an address than a minute has.
    """
    account_id = reach.account_or_own(services, actor, given.account).id
    digest, txn, now_ms = _digest(given.code), services.new_id("txn"), services.clock.now_ms()
    if actor.account_id is not None:  # the operator has no need to guess
        services.redeeming.admit(account_id, actor.address, now_ms)
    row = audit.entry(services, actor, "code.redeem", txn)

    def transaction(tables: SqlRepositories) -> Posted:
        code = tables.codes.take(digest, account_id, now_ms)
        if code is None:
            raise BadRequest(_NO_CODE, param="code")
        transfer = Transfer(
            id=txn,
            account_id=account_id,
            kind="top_up",
            amount=code.amount,
            time_ms=now_ms,
            refers_to=code.id,
            reason="redeem code",
            actor_id=actor.id,
        )
        posted = post(tables, transfer)
        told = {"code": code.id, "usd": format_usd(code.amount)}
        tables.audit.add(structs.replace(audit.posted(row, transfer), object_id=code.id, after=dict(told)))
        return posted

    return (await services.rows.change(transaction, follow(services))).entry


def _mint(random: bytes) -> str:
    number = int.from_bytes(random, "big")
    letters = []
    for _ in range(_GROUPS * _GROUP):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    text = "".join(letters)
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _digest(text: str) -> bytes:
    """Of the code as it was meant: people leave out hyphens, add blanks, write small letters, I for 1 and O for 0."""
    meant = "".join(letter for letter in text[:200].upper() if letter.isalnum())
    return hashlib.sha256(meant.translate(_MISREAD).encode("utf-8", "surrogateescape")).digest()


_MISREAD = str.maketrans("ILO", "110")
