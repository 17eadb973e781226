"""Rotation as a rule: which secrets of a key are alive afterwards, and until when.

The newest is alive as long as the key. The one before it stays for the overlap, counted from now or from the new one's
first use. Every older one ends now, also inside an overlap it was promised: at most two secrets are ever alive. Of
those that ended the last ones are kept, so that a refusal can say that they were replaced; the audit names all.

Those who run the platform may end what there is without a new one: nobody but its owner sees a key's secret. What has
ended, or is to end, lives no longer for any overlap.
"""

from typing import Final, Literal

from msgspec import structs

from tollhouse.core.account import ApiKey, Secret
from tollhouse.core.failure import BadRequest, Conflict
from tollhouse.core.phrase import Phrase

OVERLAP_MS_MAX = 7 * 86_400_000
SECRETS_KEPT = 5
"""Of a key, in memory and in rows: the newest, the one before it, and three that ended."""

CountedFrom = Literal["now", "first-use"]
LEAKED: Final = "its secret was found where it should not be"
"""How the reason begins for which a key was frozen whose secret somebody reported. A new secret lets it go on."""


def is_leaked(key: ApiKey) -> bool:
    """It is frozen because its secret was found."""
    return key.state == "frozen" and (key.state_reason or "").startswith(LEAKED)


def require_rotatable(key: ApiKey, new_expiry_ms: int | None, now_ms: int, overlap_ms: int = 0) -> None:
    """Raises Conflict for a revoked key, for a frozen one, and for one whose secret was found where the old secret
    would live on; BadRequest for one that would be dead on arrival."""
    if key.state == "revoked":
        raise Conflict(Phrase("%(key)s was revoked, which is final: create a new key", key=key.id))
    if is_leaked(key) and overlap_ms:
        raise Conflict(
            Phrase("the secret of %(key)s was found where it should not be: replace it without an overlap", key=key.id)
        )
    if key.state == "frozen" and not is_leaked(key):
        raise Conflict(Phrase("%(key)s is frozen, so its new secret could not be used: unfreeze it first", key=key.id))
    if new_expiry_ms is None and key.expires_at_ms is not None and key.expires_at_ms <= now_ms:
        raise BadRequest(
            Phrase("expires: %(key)s has expired, and so would its new secret: give a new expiry", key=key.id),
            param="expires",
        )


def require_overlap(overlap_ms: int) -> int:
    if not 0 <= overlap_ms <= OVERLAP_MS_MAX:
        raise BadRequest("overlap: at most 7 days, at least 0", param="overlap")
    return overlap_ms


def rotated(
    key: ApiKey,
    secret: Secret,
    *,
    overlap_ms: int,
    counted_from: CountedFrom,
    now_ms: int,
    new_expiry_ms: int | None = None,
) -> ApiKey:
    """The key with its new secret in front. One that was frozen because its secret was found goes on by the new one."""
    if is_leaked(key):
        key = structs.replace(key, state="active", state_reason=None)
        overlap_ms, counted_from = 0, "now"
    former = [_ended(old, now_ms) for old in key.secrets[1:]]
    if key.secrets:
        newest = key.secrets[0]
        if newest.valid_until_ms is not None:
            former.insert(0, _ended(newest, now_ms + overlap_ms))
        elif counted_from == "first-use":
            former.insert(0, structs.replace(newest, valid_until_ms=None, overlap_ms=overlap_ms))
        else:
            former.insert(0, structs.replace(newest, valid_until_ms=now_ms + overlap_ms, overlap_ms=None))
    return structs.replace(
        key,
        secrets=(secret, *former)[:SECRETS_KEPT],
        rotated_at_ms=now_ms,
        expires_at_ms=key.expires_at_ms if new_expiry_ms is None else new_expiry_ms,
    )


def ended(key: ApiKey, until_ms: int) -> ApiKey:
    """The key without a secret that lives beyond an instant. Its owner gives it a new one. Raises Conflict."""
    if key.state == "revoked":
        raise Conflict(Phrase("%(key)s was revoked, which is final", key=key.id))
    return structs.replace(key, secrets=tuple(_ended(one, until_ms) for one in key.secrets))


def awaits_secret(key: ApiKey) -> bool:
    """Its newest secret has ended, or is to end, and nobody has made another."""
    return key.state != "revoked" and bool(key.secrets) and key.secrets[0].valid_until_ms is not None


def _ended(secret: Secret, at_ms: int) -> Secret:
    until_ms = at_ms if secret.valid_until_ms is None else min(secret.valid_until_ms, at_ms)
    return structs.replace(secret, valid_until_ms=until_ms, overlap_ms=None)
