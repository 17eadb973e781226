"""/console/keys/new: make a key with its bounds, and the one page that shows its secret with what to do with it."""

from collections.abc import Mapping
from typing import Final

from tollhouse.console import snippets
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Conflict, Failure, PathNotFound, RateLimited, ScopeMissing
from tollhouse.core.limit import LimitKind
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import bounded_keys, models, projects
from tollhouse.services.given.budgets import WINDOWS, NewBudget
from tollhouse.services.keys import KeyToMake, NewSecret

_EXPIRY_DAYS: Final[Mapping[str, int]] = {"never": 0, "7d": 7, "30d": 30, "90d": 90, "1y": 365}
_LIMITS: Final = ("requests_per_minute", "tokens_per_minute", "parallel_requests")
_SOFT: Final = (50, 80, 100)
_PLACE: Final = "MODEL"
_TROUBLE = (BadRequest, Conflict, PathNotFound, RateLimited, ScopeMissing)


@page("GET /console/keys/new", may="keys.create")
async def form(visit: Visit) -> Answer:
    return await _form(visit)


@page("POST /console/keys", may="keys.create")
async def create(visit: Visit) -> Answer:
    try:
        made = await bounded_keys.create(
            visit.context.services, visit.actor, _wanted(visit), _budget(visit), _limits(visit)
        )
    except _TROUBLE as trouble:
        return await _form(visit, trouble)
    return secret_page(visit, made)


def secret_page(visit: Visit, made: NewSecret) -> Shown:
    """The one page on which the secret stands."""
    services, key = visit.context.services, made.key
    account = services.directory.accounts[key.account_id]
    shown = []
    for operation, clients in snippets.served().items():
        model = models.for_first_call(services, account, key.models, operation)
        if model is not None or operation == "chat":
            name = _PLACE if model is None else model.id
            shown += [snippets.filled(one, visit.base_url, made.secret, name) for one in clients]
    return Shown(
        "key_secret.html",
        {
            "key": key,
            "secret": made.secret,
            "message": made.message if key.rotated_at_ms is not None else "",
            "base_url": visit.base_url,
            "groups": snippets.grouped(shown),
            "has_model": models.for_first_call(services, account, key.models) is not None,
            "call": None,
        },
    )


async def _form(visit: Visit, trouble: Failure | None = None) -> Shown:
    found = await projects.list_page(visit.context.services, visit.actor, limit=200)
    return Shown(
        "key_new.html",
        {
            "projects": [one for one in found.records if one.state == "active"],
            "expiries": list(_EXPIRY_DAYS),
            "windows": WINDOWS,
            "limits": _LIMITS,
            "scopes": visit.form.get("scopes", ["inference", "usage"]),
            "given": visit.given,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


def _wanted(visit: Visit) -> KeyToMake:
    """Raises BadRequest."""
    days = _EXPIRY_DAYS.get(visit.given("expires") or "never")
    if days is None:
        raise BadRequest("expires: choose one of those that are offered", param="expires")
    return KeyToMake(
        name=visit.given("name"),
        mode="test" if visit.given("mode") == "test" else "live",
        project=visit.given("project") or None,
        scopes=tuple(visit.form.get("scopes", ())) or ("inference", "usage"),
        models=tuple(visit.given("models").split()),
        networks=tuple(visit.given("networks").split()),
        tags=_tags(visit.given("tags")),
        expires_at_ms=visit.now_ms + days * DAY_MS if days else None,
    )


def _tags(text: str) -> dict[str, str]:
    """`team=search env=test`. Raises BadRequest."""
    tags = {}
    for pair in text.replace(",", " ").split():
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadRequest("tags: write name=value, with spaces between", param="tags")
        tags[name] = value
    return tags


def _budget(visit: Visit) -> NewBudget | None:
    """Raises ScopeMissing."""
    amount = visit.given("budget_usd").removeprefix("$").replace(",", "")
    if not amount:
        return None
    _require(visit, "budgets.set")
    return NewBudget(amount_usd=amount, window=visit.given("budget_window") or "month", soft=_SOFT)


def _limits(visit: Visit) -> dict[LimitKind, int]:
    """Raises BadRequest, ScopeMissing."""
    found: dict[LimitKind, int] = {}
    for kind in _LIMITS:
        digits = visit.given(kind).replace(",", "").replace(" ", "")
        if not digits:
            continue
        _require(visit, "limits.set")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            raise BadRequest(Phrase("%(param)s: write a whole number", param=kind), param=kind)
        found[kind] = int(digits)
    return found


def _require(visit: Visit, action: str) -> None:
    if not visit.may(action):
        raise ScopeMissing("your role here does not include setting budgets and limits: leave them empty")
