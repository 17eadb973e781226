"""Codes of the second factor: whether one is right, and taking it, for each is good once."""

from msgspec import structs

from tollhouse.access import totp
from tollhouse.core.failure import Conflict
from tollhouse.core.person import Person
from tollhouse.services.context import ServiceContext

PURPOSE = "second factor"
"""What the secret is kept for, as `access.vault` has it."""


def is_code(services: ServiceContext, person: Person, code: str) -> bool:
    """Of the authenticator now, or one of the recovery codes that are left."""
    return _step(services, person, code) is not None or totp.recovery_digest(code) in person.recovery


def without_code(services: ServiceContext, person: Person, code: str) -> Person:
    """The person, of whom this code is never taken again. Raises Conflict where it was taken meanwhile."""
    step = _step(services, person, code)
    if step is not None:
        return structs.replace(person, totp_step=step)
    digest = totp.recovery_digest(code)
    if digest not in person.recovery:
        raise Conflict("this code was used already: wait for the next one", param="code")
    return structs.replace(person, recovery=tuple(one for one in person.recovery if one != digest))


def _step(services: ServiceContext, person: Person, code: str) -> int | None:
    if person.totp is None:
        return None
    secret = services.vault.open(person.totp, PURPOSE)
    return totp.step_of(secret, code, services.clock.now_ms(), person.totp_step)
