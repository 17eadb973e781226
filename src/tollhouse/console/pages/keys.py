"""/console/keys: see what each key does, give it a new secret, stop it."""

from collections.abc import Mapping
from typing import Final

from tollhouse.billing.holds import SpendingCounter
from tollhouse.console.months import month_start_ms
from tollhouse.console.pages.key_new import secret_page
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import ApiKey
from tollhouse.core.failure import BadRequest, Conflict, Failure
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import key_use, keys, rotation

_OVERLAPS_MS: Final[Mapping[str, int]] = {"0s": 0, "1h": 3_600_000, "24h": DAY_MS, "7d": 7 * DAY_MS}
_SHOWN: Final = 100


@page("GET /console/keys", may="keys.list")
async def listing(visit: Visit) -> Answer:
    services, account = visit.context.services, visit.account
    found = await keys.list_page(services, visit.actor, after=visit.asked("after") or None, limit=_SHOWN)
    spent: Mapping[str, int] = {}
    if account is not None:
        ids = [one.id for one in found.records]
        spent = await key_use.spent(services, visit.actor, account.id, ids, month_start_ms(visit.now_ms))
    return Shown(
        "keys.html",
        {
            "keys": found.records,
            "next": found.next,
            "spent": spent,
            "budgets": {one.id: _tightest(visit, one) for one in found.records},
            "projects": services.directory.projects,
        },
    )


@page("GET /console/keys/{id}", may="keys.show")
async def one(visit: Visit) -> Answer:
    return await _one(visit)


@page("POST /console/keys/{id}/rotate", may="keys.rotate")
async def rotate(visit: Visit) -> Answer:
    overlap_ms = _OVERLAPS_MS.get(visit.given("overlap"), 0)
    try:
        made = await keys.rotate(
            visit.context.services,
            visit.actor,
            visit.id,
            overlap_ms=overlap_ms,
            counted_from="first-use" if visit.given("from") == "first-use" else "now",
        )
    except (BadRequest, Conflict) as trouble:
        return await _one(visit, trouble)
    return secret_page(visit, made)


@page("POST /console/keys/{id}/freeze", may="keys.freeze")
async def freeze(visit: Visit) -> Answer:
    await keys.freeze(visit.context.services, visit.actor, visit.id, visit.given("reason") or None)
    return Elsewhere(f"/console/keys/{visit.id}")


@page("POST /console/keys/{id}/unfreeze", may="keys.unfreeze")
async def unfreeze(visit: Visit) -> Answer:
    await keys.unfreeze(visit.context.services, visit.actor, visit.id, None)
    return Elsewhere(f"/console/keys/{visit.id}")


@page("GET /console/keys/{id}/revoke", may="keys.revoke")
async def ask_to_revoke(visit: Visit) -> Answer:
    """What stops when it is revoked."""
    return Shown("key_revoke.html", {"use": await key_use.recent(visit.context.services, visit.actor, visit.id)})


@page("POST /console/keys/{id}/revoke", may="keys.revoke")
async def revoke(visit: Visit) -> Answer:
    await keys.revoke(visit.context.services, visit.actor, visit.id, visit.given("reason") or None)
    return Elsewhere(f"/console/keys/{visit.id}")


@page("GET /console/keys/{id}/first-call", may="keys.show")
async def first_call(visit: Visit) -> Answer:
    """Whether a new secret was used since it was made, for the page that waits for it."""
    services = visit.context.services
    key = await keys.show(services, visit.actor, visit.id)
    since_ms = key.secrets[0].created_at_ms if key.secrets else key.created_at_ms
    call = await key_use.latest(services, visit.actor, visit.id, since_ms)
    template = "first_call.html" if visit.is_fragment else "first_call_page.html"
    return Shown(template, {"key": key, "call": call})


async def _one(visit: Visit, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    use = await key_use.recent(services, visit.actor, visit.id)
    counters = [one for one in services.counters.standing(use.key, visit.now_ms) if one.level == "key"]
    return Shown(
        "key.html",
        {
            "key": use.key,
            "use": use,
            "project": services.directory.projects.get(use.key.project_id),
            "budgets": counters,
            "now_ms": visit.now_ms,
            "is_leaked": rotation.is_leaked(use.key),
            "awaits_secret": rotation.awaits_secret(use.key),
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


def _tightest(visit: Visit, key: ApiKey) -> SpendingCounter | None:
    """Of the budgets on the key itself for all models, the one with the least left."""
    counters = visit.context.services.counters.standing(key, visit.now_ms)
    own = [one for one in counters if one.level == "key" and one.model is None]
    return min(own, key=lambda one: one.left() or 0, default=None)
