"""/console/keys: make one, see what each does, give it a new secret, stop it."""

from collections.abc import Mapping
from typing import Final

from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Conflict, Failure, RateLimited
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import keys, projects
from tollhouse.services.keys import NewSecret

_EXPIRY_DAYS: Final[Mapping[str, int]] = {"never": 0, "7d": 7, "30d": 30, "90d": 90, "1y": 365}
_OVERLAPS_MS: Final[Mapping[str, int]] = {"0s": 0, "1h": 3_600_000, "24h": DAY_MS, "7d": 7 * DAY_MS}


@page("GET /console/keys", may="keys.list")
async def listing(visit: Visit) -> Answer:
    found = await keys.list_page(visit.context.services, visit.actor, after=visit.asked("after") or None)
    return Shown("keys.html", {"keys": found.records, "next": found.next})


@page("GET /console/keys/new", may="keys.create")
async def form(visit: Visit) -> Answer:
    return await _form(visit)


@page("POST /console/keys", may="keys.create")
async def create(visit: Visit) -> Answer:
    try:
        days = _EXPIRY_DAYS[visit.given("expires") or "never"]
        made = await keys.create(
            visit.context.services,
            visit.actor,
            name=visit.given("name"),
            mode="test" if visit.given("mode") == "test" else "live",
            project=visit.given("project") or None,
            scopes=tuple(visit.form.get("scopes", ())) or ("inference", "usage"),
            models=tuple(visit.given("models").split()),
            networks=tuple(visit.given("networks").split()),
            expires_at_ms=visit.now_ms + days * DAY_MS if days else None,
        )
    except KeyError:
        return await _form(visit, BadRequest("expires: choose one of those that are offered", param="expires"))
    except (BadRequest, Conflict, RateLimited) as trouble:
        return await _form(visit, trouble)
    return _secret(visit, made)


@page("GET /console/keys/{id}", may="keys.show")
async def one(visit: Visit) -> Answer:
    return Shown("key.html", {"key": await keys.show(visit.context.services, visit.actor, visit.id), "trouble": None})


@page("POST /console/keys/{id}/rotate", may="keys.rotate")
async def rotate(visit: Visit) -> Answer:
    overlap_ms = _OVERLAPS_MS.get(visit.given("overlap"), 0)
    counted_from = "first-use" if visit.given("from") == "first-use" else "now"
    return _secret(
        visit,
        await keys.rotate(
            visit.context.services,
            visit.actor,
            visit.id,
            overlap_ms=overlap_ms,
            counted_from="first-use" if counted_from == "first-use" else "now",
        ),
    )


@page("POST /console/keys/{id}/freeze", may="keys.freeze")
async def freeze(visit: Visit) -> Answer:
    await keys.freeze(visit.context.services, visit.actor, visit.id, visit.given("reason") or None)
    return Elsewhere(f"/console/keys/{visit.id}")


@page("POST /console/keys/{id}/unfreeze", may="keys.unfreeze")
async def unfreeze(visit: Visit) -> Answer:
    await keys.unfreeze(visit.context.services, visit.actor, visit.id, None)
    return Elsewhere(f"/console/keys/{visit.id}")


@page("POST /console/keys/{id}/revoke", may="keys.revoke")
async def revoke(visit: Visit) -> Answer:
    await keys.revoke(visit.context.services, visit.actor, visit.id, visit.given("reason") or None)
    return Elsewhere(f"/console/keys/{visit.id}")


async def _form(visit: Visit, trouble: Failure | None = None) -> Shown:
    found = await projects.list_page(visit.context.services, visit.actor)
    return Shown(
        "key_new.html",
        {
            "projects": [one for one in found.records if one.state == "active"],
            "expiries": list(_EXPIRY_DAYS),
            "given": visit.given,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


def _secret(visit: Visit, made: NewSecret) -> Shown:
    """The one page on which the secret stands."""
    models = sorted(visit.context.services.catalogue.models)
    return Shown(
        "key_secret.html",
        {
            "key": made.key,
            "secret": made.secret,
            "message": made.message,
            "base_url": visit.base_url,
            "model": models[0] if models else "MODEL",
        },
    )
