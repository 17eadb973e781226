"""The verdict on a key: whose it is, and whether it may be used now, from here, for this.

Every route names a `Requirement`, and the dispatcher asks here before it enters the handler: no carrier and no route
has rules of its own. The verdict has two steps: `recognise` says who calls (401), `permit` whether they may (403).
`judge` is both; `present_and_judge` begins with the request's headers.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from tollhouse.access import networks
from tollhouse.access.credentials import Presented, present
from tollhouse.access.oddities import why_unknown
from tollhouse.access.secrets import digest
from tollhouse.core.account import Identity, KeyMode, Scope
from tollhouse.core.failure import AccountSuspended, AddressNotAllowed, Failure, KeyFrozen, KeyRefused, ScopeMissing
from tollhouse.core.phrase import Phrase


class Requirement(Struct, frozen=True, kw_only=True):
    """What a route asks of a key.

    modes: keys of these modes may call it. scope: what a live or test key needs; None: any will do. stopped_too: it
    answers also for a frozen key, an archived project and a suspended account, as bills do.
    """

    modes: frozenset[KeyMode]
    scope: Scope | None = None
    stopped_too: bool = False


_CALLING: Final[frozenset[KeyMode]] = frozenset(("live", "test"))
_ALL: Final[frozenset[KeyMode]] = frozenset(("live", "test", "admin"))

CALL: Final = Requirement(modes=_CALLING, scope="inference")
"""A call of the LLM API."""
LOOK: Final = Requirement(modes=_ALL)
"""Which models a key may call."""
BILL: Final = Requirement(modes=_CALLING, scope="usage", stopped_too=True)
"""Money and usage, also after the key was stopped."""
SELF: Final = Requirement(modes=_ALL, scope="usage", stopped_too=True)
"""Everything about the key itself, its money included."""
OWN_DATA: Final = Requirement(modes=_ALL, scope="usage")
"""Data of the control API: an admin key reads its account's, another key its own."""
ACCOUNT: Final = Requirement(modes=frozenset(("admin",)))
"""What only an admin key of the account may."""
OPERATOR: Final = Requirement(modes=frozenset())
"""What no key may: it is for the control socket."""

Find = Callable[[bytes], Identity | None]
"""Whose secret has this SHA-256: a look-up in memory."""


def present_and_judge(
    headers: list[tuple[bytes, bytes]],
    query: bytes,
    *,
    key_in_query: bool,
    find: Find,
    now_ms: int,
    address: str,
    needs: Requirement,
) -> Identity:
    """Who sends a request, and that they may. `address`: the caller's, forwarded headers already judged.

    Raises KeyRefused, BadRequest (two keys), KeyFrozen, AccountSuspended, AddressNotAllowed, ScopeMissing.
    """
    presented = present(headers, query, key_in_query, lambda seen: find(seen) is not None)
    identity = find(digest(presented.text))
    if identity is not None and _is_plain(identity, needs):
        return identity
    return judge(identity, presented=presented, now_ms=now_ms, address=address, needs=needs)


def sender(headers: list[tuple[bytes, bytes]], query: bytes, *, key_in_query: bool, find: Find) -> Identity | None:
    """Whose key a request carries, good or not; None where that is nobody's, or cannot be told."""
    try:
        presented = present(headers, query, key_in_query, lambda seen: find(seen) is not None)
    except Failure:
        return None
    return find(digest(presented.text))


def judge(
    identity: Identity | None, *, presented: Presented, now_ms: int, address: str, needs: Requirement
) -> Identity:
    """Both steps on a key that was looked up: in this order existence, revocation, rotation, expiry; then freezing,
    suspension, archiving, network, mode, scope. Raises as `present_and_judge` does."""
    known = recognise(identity, presented=presented, now_ms=now_ms)
    permit(known, address=address, needs=needs)
    return known


def _is_plain(identity: Identity, needs: Requirement) -> bool:
    """Whether nothing can stand against a caller, whenever and from wherever they call: the usual case, known at a
    glance. `judge` comes to the same verdict."""
    key = identity.key
    return (
        key.state == identity.account.state == identity.project.state == "active"
        and key.mode in needs.modes
        and key.mode != "admin"
        and (needs.scope is None or needs.scope in key.scopes)
        and key.expires_at_ms is None
        and identity.secret.valid_until_ms is None
        and not key.networks
    )


def recognise(identity: Identity | None, *, presented: Presented, now_ms: int) -> Identity:
    """Whose key it is. Raises KeyRefused: unknown, revoked, rotated away, expired."""
    if identity is None:
        raise KeyRefused(
            f"The API key in `{presented.carrier}` {why_unknown(presented.text)}. Whoever runs the"
            " platform, or an admin key of the account, creates keys."
        )
    key, secret = identity.key, identity.secret
    if key.state == "revoked":
        raise KeyRefused(Phrase("The API key %(key)s was revoked, which is final: use another key.", key=key.id))
    if secret.valid_until_ms is not None and now_ms >= secret.valid_until_ms:
        if key.secrets[:1] == (secret,) and (key.rotated_at_ms or 0) <= secret.created_at_ms:  # no newer one was made
            raise KeyRefused(
                Phrase(
                    "Those who run the platform ended this secret of the API key %(key)s on %(until)s: give the key a"
                    " new secret on its page.",
                    key=key.id,
                    until=_when(secret.valid_until_ms),
                )
            )
        rotated = "" if key.rotated_at_ms is None else Phrase(" on %(day)s", day=_when(key.rotated_at_ms))
        raise KeyRefused(
            Phrase(
                "This secret of the API key %(key)s was replaced when the key was rotated%(rotated)s, and was valid"
                " until %(until)s: use the new secret.",
                key=key.id,
                rotated=rotated,
                until=_when(secret.valid_until_ms),
            )
        )
    if key.expires_at_ms is not None and now_ms >= key.expires_at_ms:
        raise KeyRefused(
            Phrase(
                "The API key %(key)s expired on %(day)s: use another, or renew it.",
                key=key.id,
                day=_when(key.expires_at_ms),
            )
        )
    return identity


def permit(identity: Identity, *, address: str, needs: Requirement) -> None:
    """Whether a known caller may. Raises KeyFrozen, AccountSuspended, AddressNotAllowed, ScopeMissing."""
    key = identity.key
    if not needs.stopped_too:
        _require_active(identity)
    if key.networks and not networks.allowed(address, key.networks):
        raise AddressNotAllowed(
            f"The API key {key.id} may not be used from the address {address[:60]}: it is bound to certain networks."
        )
    if key.mode not in needs.modes:
        raise _wrong_mode(identity, needs)
    if key.mode != "admin" and needs.scope is not None and needs.scope not in key.scopes:
        raise ScopeMissing(
            Phrase(
                "This call needs a key with the scope `%(scope)s`; the API key %(key)s has %(scopes)s.",
                scope=needs.scope,
                key=key.id,
                scopes=_scopes(identity),
            )
        )


def _require_active(identity: Identity) -> None:
    key = identity.key
    if key.state != "active":
        raise KeyFrozen(
            Phrase("The API key %(key)s is frozen. Whoever administers the account can unfreeze it.", key=key.id)
        )
    if identity.account.state != "active":
        raise AccountSuspended(
            Phrase(
                "The account %(account)s is suspended. Ask this platform's support about it.", account=key.account_id
            )
        )
    if identity.project.state != "active":
        raise KeyFrozen(
            Phrase(
                "The API key %(key)s is frozen because its project %(project)s is archived.",
                key=key.id,
                project=key.project_id,
            )
        )


def _wrong_mode(identity: Identity, needs: Requirement) -> ScopeMissing:
    key = identity.key
    if not needs.modes:
        return ScopeMissing(
            "This is for the operator of the platform, through its control socket: no API key may do it."
        )
    if key.mode == "admin":
        return ScopeMissing(
            Phrase(
                "The API key %(key)s is an admin key, for /v1/organization and /api only: use a live or test key here.",
                key=key.id,
            )
        )
    return ScopeMissing(
        f"This call needs an admin key (sk-th-admin-...); the API key {key.id} has {_scopes(identity)}."
    )


def _scopes(identity: Identity) -> str:
    return ", ".join(f"`{scope}`" for scope in identity.key.scopes) or Phrase("no scope")


def _when(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
