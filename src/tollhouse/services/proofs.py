"""Whoever is signed in proves once more who they are, before their address, password or second factor changes."""

from msgspec import Struct

from tollhouse.core.failure import BadRequest
from tollhouse.core.person import Person
from tollhouse.services import factor_codes, people
from tollhouse.services.context import ServiceContext


class Proof(Struct, frozen=True):
    """What they typed: the present password, and a code where they have a second factor."""

    password: str
    code: str = ""


async def require(services: ServiceContext, person: Person, proof: Proof) -> None:
    """Raises BadRequest for a wrong one, RateLimited after several, Overloaded."""
    now_ms, subject = services.clock.now_ms(), f"again {person.id}"
    services.guessed_passwords.require_none_due(subject, now_ms)
    services.signing_in.admit(subject, None, now_ms)
    if not await people.has_password(services, person, proof.password):
        services.guessed_passwords.wrong(subject, now_ms)
        raise BadRequest("This is not your present password.", param="present")
    if person.totp is not None and not factor_codes.is_code(services, person, proof.code):
        services.guessed_passwords.wrong(subject, now_ms)
        raise BadRequest("This code is not right, or was used already.", param="code")
    services.guessed_passwords.right(subject)
