"""/support and /console/support: the checklist that runs on what people paste, and whom to ask."""

from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.access.exposed import without_keys
from tollhouse.access.redaction import SHAPES, TEXT_MAX
from tollhouse.checklist.examination import SIZES, Pasted
from tollhouse.checklist.steps import ChecklistStep
from tollhouse.console.backoff_snippets import snippets
from tollhouse.console.route import EVERYBODY, SIGNED_IN, Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Failure, Overloaded, PathNotFound, RateLimited
from tollhouse.core.phrase import translatable
from tollhouse.formats import codecs
from tollhouse.services.diagnosis import Diagnosed, diagnose
from tollhouse.settings import ChatSettings

_LABELS: Final = {
    "email": translatable("E-mail"),
    "qq_group": translatable("QQ group"),
    "url": translatable("Web"),
    "phone": translatable("Phone"),
    "wechat": translatable("WeChat"),
    "telegram": "Telegram",
    "slack": "Slack",
    "discord": "Discord",
}
_LINKED: Final = ("https://", "http://")
_COPIED: Final = ("qq_group", "wechat", "phone", "email")
_TELEGRAM: Final = "https://t.me/"
_KEPT: Final = ("endpoint", "headers", "body", "model", "error", "key")


class Step(Struct, frozen=True):
    """`words`: what stands between backticks is code."""

    id: str
    anchor: str
    title: str
    errors: tuple[tuple[str, str], ...]
    words: str


class Way(Struct, frozen=True):
    """A way to reach the people who run the platform. link: empty where there is nothing to follow."""

    label: str
    value: str
    link: str
    note: str
    is_copied: bool


STEPS: Final = (
    Step(
        "api_key",
        "api-key",
        translatable("Check the API key"),
        (("401", "invalid_api_key"), ("403", "key_frozen")),
        translatable(
            "Send it as `Authorization: Bearer KEY`, whole, without quotes or blanks. The message says whether a "
            "key arrived at all, and whether it is damaged, unknown, expired or revoked. A damaged key was cut "
            "when it was copied."
        ),
    ),
    Step(
        "request_format",
        "request-format",
        translatable("Check the request format"),
        (("400", "invalid_request_error"),),
        translatable(
            "`Content-Type` is `application/json` and the body is valid JSON. `error.param` names the field to "
            "mend, the message says what was expected there."
        ),
    ),
    Step(
        "model",
        "model",
        translatable("Check the model name"),
        (("404", "model_not_found"), ("403", "model_not_allowed")),
        translatable(
            "Names are exact, letter case included. `GET /v1/models` lists what this key may call; the message "
            "names the nearest one."
        ),
    ),
    Step(
        "rate_limits",
        "rate-limits",
        translatable("Check limits and balance"),
        (("429", "rate_limit_exceeded"), ("429", "insufficient_quota")),
        translatable(
            "For `rate_limit_exceeded` wait as long as `Retry-After` says, then try again with growing pauses. "
            "`insufficient_quota` means that a budget or the balance is used up: trying again does not help, the "
            "message names which and who can raise it."
        ),
    ),
    Step(
        "error_body",
        "error-body",
        translatable("Read the whole error"),
        (("500", "server_error"), ("502", "upstream_error"), ("503", "overloaded")),
        translatable(
            "Every error is JSON with `error.message`. Server errors may be tried again; if one stays, send us "
            "the value of `x-request-id` (it begins with `req_`), the time, and the model. Never send your key."
        ),
    ),
)


@page("GET /support", may=EVERYBODY)
async def support(visit: Visit) -> Answer:
    return _shown(visit)


@page("POST /support", may=EVERYBODY)
async def checked(visit: Visit) -> Answer:
    return await _checked(visit)


@page("GET /console/support", may=SIGNED_IN)
async def support_inside(visit: Visit) -> Answer:
    return _shown(visit)


@page("POST /console/support", may=SIGNED_IN)
async def checked_inside(visit: Visit) -> Answer:
    return await _checked(visit)


async def _checked(visit: Visit) -> Answer:
    """The same page with what was found, or with what is in the way of looking."""
    pasted = Pasted(
        api_key=visit.typed("api_key") or None,
        endpoint=visit.given("endpoint"),
        headers=visit.typed("headers"),
        body=visit.typed("body") or None,
        model=visit.typed("model"),
        error=visit.typed("error"),
    )
    # Keys of the account may be named on the page inside, by whoever sees them there.
    key = visit.given("key") if visit.path != "/support" and visit.account and visit.may("keys.list") else ""
    try:
        found = await diagnose(visit.context.services, pasted, codecs(), actor=_actor(visit), key=key or None)
    except (BadRequest, PathNotFound, RateLimited, Overloaded) as failure:
        return _shown(visit, trouble=failure)
    return _shown(visit, found)


def _actor(visit: Visit) -> Actor:
    if visit.visitor is None or visit.account is None:
        return Actor(kind="public", id="", address=visit.address)
    return visit.actor


def _shown(visit: Visit, found: Diagnosed | None = None, trouble: Failure | None = None) -> Shown:
    settings = visit.context.settings.support
    said: dict[str, ChecklistStep] = {} if found is None else {step.id: step for step in found.diagnosis.steps}
    values: dict[str, object] = {
        "here": visit.path,
        "steps": STEPS,
        "said_of": said,
        "found": found,
        "trouble": trouble,
        "typed": {name: without_keys(visit.typed(name)) for name in _KEPT},
        "sizes": SIZES,
        "keys": _keys(visit),
        "shapes": msgspec.json.encode(SHAPES).decode(),
        "text_max": TEXT_MAX,
        "backoff": _backoff(visit, found),
        "channels": [_way(one) for one in settings.channels],
        "hours": settings.hours,
        "zone": settings.zone,
    }
    if trouble is None:
        return Shown("support.html", values)
    return Shown("support.html", values, trouble.status, retry_after_ms=trouble.retry_after_ms)


def _keys(visit: Visit) -> list[tuple[str, str]]:
    """The keys that may be named instead of being brought: id and name."""
    if visit.path == "/support" or visit.account is None or not visit.may("keys.list"):
        return []
    keys = visit.context.services.directory.keys_of(visit.account.id)
    calling = [one for one in keys if one.state != "revoked" and one.mode != "admin"]
    return [(one.id, one.name) for one in sorted(calling, key=lambda one: one.name)[:200]]


def _backoff(visit: Visit, found: Diagnosed | None) -> list[tuple[str, str]]:
    """The program that tries again as it should, first in the language of the library in use; only where a limit is in
    the way."""
    limits = None if found is None else next(one for one in found.diagnosis.steps if one.id == "rate_limits")
    error = None if found is None else next(one for one in found.diagnosis.steps if one.id == "error_body")
    codes = {one.code for one in (limits, error) if one is not None}
    if found is None or not codes & {"rate_limit_exceeded", "overloaded", "upstream_error", "upstream_timeout"}:
        return []
    client = "Python" if "Error code: " in visit.typed("error") or "Traceback" in visit.typed("error") else found.client
    used = next((label for label in ("Python", "Node", "curl") if _uses(label, client)), "")
    return sorted(snippets(visit), key=lambda one: one[0] != used)


def _uses(label: str, client: str) -> bool:
    names = {"Python": ("Python", "httpx", "requests"), "Node": ("JS", "node", "axios"), "curl": ("curl",)}
    return any(name in client for name in names[label])


def _way(channel: ChatSettings) -> Way:
    """A link leads to mail or to the web only, whatever a configuration says."""
    label = _LABELS.get(channel.kind, channel.kind.replace("_", " "))
    link = ""
    if channel.kind == "email":
        link = f"mailto:{channel.value}"
    elif channel.value.startswith(_LINKED) and channel.kind not in _COPIED:
        link = channel.value
    elif channel.kind == "telegram" and channel.value[:1] == "@" and channel.value[1:].isalnum():
        link = f"{_TELEGRAM}{channel.value[1:]}"
    return Way(label, channel.value, link, channel.note, channel.kind in _COPIED)
