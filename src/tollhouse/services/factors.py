"""The second factor: set up with an authenticator, turned off, with recovery codes for whoever loses it.

Whoever changes it proves who they are; all their other sessions end, and theirs gets another secret.
"""

from msgspec import Struct, structs

from tollhouse.access import totp
from tollhouse.access.vault import NONCE_BYTES
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict
from tollhouse.core.person import Person
from tollhouse.services import audit, factor_codes, people, proofs, sessions
from tollhouse.services.context import ServiceContext
from tollhouse.services.proofs import Proof
from tollhouse.services.sessions import SignedIn, Visitor
from tollhouse.store.tables import SqlRepositories


class CodesShown(Struct, frozen=True):
    """Shown once."""

    signed_in: SignedIn
    recovery: tuple[str, ...]


def secret_to_be(services: ServiceContext, visitor: Visitor) -> str:
    """What an authenticator is to be given; the same for some minutes, so that a page may be shown again."""
    now_ms = services.clock.now_ms()
    known = services.new_factors.get(visitor.session.id, now_ms)
    if known is None:
        known = totp.secret_of(services.random.bytes(totp.SECRET_BYTES))
        services.new_factors.put(visitor.session.id, known, now_ms)
    return known


async def turn_on(services: ServiceContext, visitor: Visitor, *, password: str, code: str, browser: str) -> CodesShown:
    """Ask for a code of this authenticator from now on. Raises BadRequest, Conflict, RateLimited, Overloaded."""
    person = visitor.person
    if person.totp is not None:
        raise Conflict("a second factor is on already: turn it off first")
    secret = secret_to_be(services, visitor)
    await proofs.require(services, person, Proof(password))
    step = totp.step_of(secret, code, services.clock.now_ms(), 0)
    if step is None:
        raise BadRequest("The authenticator shows another code: is the clock of your phone right?", param="code")
    kept = services.vault.seal(secret, factor_codes.PURPOSE, services.random.bytes(NONCE_BYTES))
    made = await _with_codes(services, visitor, browser, "person.factor_on", totp=kept, totp_step=step)
    services.new_factors.drop(visitor.session.id)
    return made


async def new_codes(services: ServiceContext, visitor: Visitor, proof: Proof, browser: str) -> CodesShown:
    """Ten recovery codes in place of those that are left. Raises as `turn_on`."""
    if visitor.person.totp is None:
        raise Conflict("there is no second factor to recover")
    await proofs.require(services, visitor.person, proof)
    return await _with_codes(services, visitor, browser, "person.recovery", code=proof.code)


async def _with_codes(
    services: ServiceContext, visitor: Visitor, browser: str, action: str, *, code: str = "", **changed: object
) -> CodesShown:
    codes = [totp.recovery_code(services.random.bytes(totp.RECOVERY_BYTES)) for _ in range(totp.RECOVERY_CODES)]
    digests = tuple(totp.recovery_digest(one) for one in codes)
    done = await sessions.begin(
        services,
        visitor.person,
        visitor.session.address,
        browser,
        code=code,
        alone=True,
        action=action,
        change=lambda person: structs.replace(person, recovery=digests, **changed),
        tell=True,
    )
    return CodesShown(done, tuple(codes))


async def turn_off(services: ServiceContext, visitor: Visitor, proof: Proof, browser: str) -> SignedIn:
    """The password alone is enough from now on. Raises Conflict for whoever has to have a second factor, and as
    `turn_on`."""
    person = visitor.person
    if person.factor == "required":
        raise Conflict("who runs this platform signs in with a second factor: it can be set up anew, not turned off")
    if person.totp is None:
        raise Conflict("there is no second factor")
    await proofs.require(services, person, proof)
    return await sessions.begin(
        services, person, visitor.session.address, browser, code=proof.code, alone=True, action="person.factor_off",
        change=without, tell=True,
    )  # fmt: skip


def without(person: Person) -> Person:
    return structs.replace(person, totp=None, totp_step=0, recovery=())


async def forget(services: ServiceContext, actor: Actor, reference: str) -> Person:
    """Somebody lost their authenticator and their recovery codes: their sessions end, and the password alone lets them
    in, to set up another. Raises PathNotFound."""
    person_id = (await people.find(services, actor, reference)).id
    row = audit.entry(services, actor, "person.forget_factor", person_id)

    def transaction(tables: SqlRepositories) -> Person:
        return people.save_changed(tables, row, person_id, without, ends_sessions=True)

    return await services.rows.change(transaction, lambda _: people.drop_sessions(services, person_id))
