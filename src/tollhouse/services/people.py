"""People who sign in: members of an account, and those who run the platform. Passwords are hashed in a thread."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tollhouse.access.passwords import LENGTH_MAX, require_good
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict
from tollhouse.core.person import AccountRole, Person, PlatformRole
from tollhouse.services import audit, fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

_ACCOUNT_ROLES: tuple[AccountRole, ...] = ("owner", "admin", "developer", "viewer")
_PLATFORM_ROLES: tuple[PlatformRole, ...] = ("operator", "finance", "support", "viewer")

# argon2id with OWASP's least memory: several sign-ins at once must not double the server's.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Of no password. Whoever has no account is compared with it, so that the answer takes as long; a test compares costs.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


async def create(
    services: ServiceContext, actor: Actor, *, email: str, password: str, role: str, account: str | None = None
) -> Person:
    """Somebody who signs in; without an account, one who runs the platform.

    Raises BadRequest, Conflict, PathNotFound, ScopeMissing.
    """
    address = fields.email(email)
    require_good(password, address)
    owner = None if account is None else reach.account(services, actor, account)
    if owner is None:
        reach.require_operator(actor, "let people run the platform")
    roles = _PLATFORM_ROLES if owner is None else _ACCOUNT_ROLES
    if role not in roles:
        raise BadRequest(f"role: there are {', '.join(roles)}", param="role")
    person = Person(
        id=services.new_id("per"),
        email=address.lower(),
        role=next(known for known in roles if known == role),
        account_id=None if owner is None else owner.id,
        password_hash=await asyncio.to_thread(_HASHER.hash, password),
        created_at_ms=services.clock.now_ms(),
    )
    row = audit.entry(services, actor, "person.create", person.id, account_id=person.account_id)

    def transaction(tables: SqlRepositories) -> Person:
        if tables.people.by_email(person.email) is not None:
            raise Conflict("somebody signs in with this mail address already", param="email")
        tables.people.add(person)
        tables.audit.add(audit.changed(row, None, person))
        return person

    return await services.rows.change(transaction)


async def recognise(services: ServiceContext, email: str, password: str) -> Person | None:
    """Who signs in with this address and password; None for a wrong one, an unknown and a disabled one, all after the
    same time. Raises Overloaded."""
    person = await services.rows.read(lambda tables: tables.people.by_email(email.strip().lower()[:300]))
    kept = NOBODY if person is None else person.password_hash
    async with services.hashing:
        right = await asyncio.to_thread(_verify, kept, password[: LENGTH_MAX + 1])
    return person if right and person is not None and person.state == "active" else None


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
