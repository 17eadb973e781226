"""The verdict on a key: whose it is, and whether it may be used now, from here, for this.

In two steps, because billing endpoints answer also for frozen keys and suspended accounts: `recognise` says who calls
(401), `permit` whether he may (403). `judge` is both; `present_and_judge` begins with the request's headers. Every
route asks here, so that no carrier and no route has rules of its own.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from tollhouse.access import networks
from tollhouse.access.credentials import Presented, present
from tollhouse.access.oddities import why_unknown
from tollhouse.access.secrets import digest
from tollhouse.core.account import Identity
from tollhouse.core.failure import AccountSuspended, AddressNotAllowed, KeyFrozen, KeyRefused, ScopeMissing

Need = Literal["inference", "usage", "admin", "any"]
"""What a route asks of a key: a scope of a live or test key; a key of mode admin; or just any key (who am I)."""

Find = Callable[[bytes], Identity | None]
"""Whose secret has this SHA-256: a look-up in memory."""


def present_and_judge(
    headers: list[tuple[bytes, bytes]],
    query: bytes,
    *,
    gemini_query_allowed: bool,
    find: Find,
    now_ms: int,
    address: str,
    need: Need,
) -> Identity:
    """Who sends a request, and that he may. `address`: the caller's, forwarded headers already judged.

    Raises KeyRefused, BadRequest (two keys), KeyFrozen, AccountSuspended, AddressNotAllowed, ScopeMissing.
    """
    presented = present(headers, query, gemini_query_allowed, lambda seen: find(seen) is not None)
    identity = find(digest(presented.text))
    return judge(identity, presented=presented, now_ms=now_ms, address=address, need=need)


def present_and_recognise(
    headers: list[tuple[bytes, bytes]], query: bytes, *, gemini_query_allowed: bool, find: Find, now_ms: int
) -> Identity:
    """Who sends a request, also if his key is frozen or his account suspended. Raises KeyRefused and BadRequest."""
    presented = present(headers, query, gemini_query_allowed, lambda seen: find(seen) is not None)
    return recognise(find(digest(presented.text)), presented=presented, now_ms=now_ms)


def present_and_read(
    headers: list[tuple[bytes, bytes]], query: bytes, *, find: Find, now_ms: int, address: str
) -> Identity:
    """Who asks for his bill, also if his key is frozen or his account suspended.

    Raises KeyRefused, BadRequest, AddressNotAllowed, ScopeMissing.
    """
    identity = present_and_recognise(headers, query, gemini_query_allowed=False, find=find, now_ms=now_ms)
    _permit_here(identity, address, "usage")
    return identity


def judge(identity: Identity | None, *, presented: Presented, now_ms: int, address: str, need: Need) -> Identity:
    """Both steps on a key that was looked up: in this order existence, revocation, rotation, expiry; then freezing,
    suspension, network, scope. Raises as `present_and_judge` does."""
    known = recognise(identity, presented=presented, now_ms=now_ms)
    permit(known, address=address, need=need)
    return known


def recognise(identity: Identity | None, *, presented: Presented, now_ms: int) -> Identity:
    """Whose key it is. Raises KeyRefused: unknown, revoked, rotated away, expired."""
    if identity is None:
        raise KeyRefused(
            f"The API key in `{presented.carrier}` {why_unknown(presented.text)}. Create and copy keys on the console's"
            " keys page."
        )
    key, secret = identity.key, identity.secret
    if key.state == "revoked":
        raise KeyRefused(f"The API key {key.id} was revoked, which is final: use another key.")
    if secret.valid_until_ms is not None and now_ms >= secret.valid_until_ms:
        rotated = "" if key.rotated_at_ms is None else f" on {_when(key.rotated_at_ms)}"
        raise KeyRefused(
            f"This secret of the API key {key.id} was replaced when the key was rotated{rotated}, and was valid until"
            f" {_when(secret.valid_until_ms)}: use the new secret."
        )
    if key.expires_at_ms is not None and now_ms >= key.expires_at_ms:
        raise KeyRefused(f"The API key {key.id} expired on {_when(key.expires_at_ms)}: use another, or renew it.")
    return identity


def permit(identity: Identity, *, address: str, need: Need) -> None:
    """Whether a known caller may. Raises KeyFrozen, AccountSuspended, AddressNotAllowed, ScopeMissing."""
    key = identity.key
    if key.state != "active":
        raise KeyFrozen(f"The API key {key.id} is frozen. Whoever administers the account can unfreeze it.")
    if identity.account.state != "active":
        raise AccountSuspended(f"The account {key.account_id} is suspended. Ask this platform's support about it.")
    if identity.project.state != "active":
        raise KeyFrozen(f"The API key {key.id} is frozen because its project {key.project_id} is archived.")
    _permit_here(identity, address, need)


def _permit_here(identity: Identity, address: str, need: Need) -> None:
    """From this address, for this."""
    key = identity.key
    if key.networks and not networks.allowed(address, key.networks):
        raise AddressNotAllowed(
            f"The API key {key.id} may not be used from the address {address[:60]}: it is bound to certain networks."
        )
    if key.mode == "admin":
        if need not in ("admin", "any"):
            raise ScopeMissing(
                f"The API key {key.id} is an admin key, for /v1/organization and /api only: use a live or test key"
                " here."
            )
    elif need not in key.scopes and need != "any":
        what = "an admin key" if need == "admin" else f"a key with the scope `{need}`"
        raise ScopeMissing(f"This call needs {what}; the API key {key.id} has {_scopes(identity)}.")


def _scopes(identity: Identity) -> str:
    return ", ".join(f"`{scope}`" for scope in identity.key.scopes) or "no scope"


def _when(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
