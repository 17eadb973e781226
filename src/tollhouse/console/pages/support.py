"""/support: five things to check, in the order that finds most trouble soonest, and whom to ask."""

from typing import Final

from msgspec import Struct

from tollhouse.console.route import EVERYBODY, Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.phrase import translatable
from tollhouse.settings import ChatSettings

_LABELS: Final = {
    "email": translatable("E-mail"),
    "qq_group": translatable("QQ group"),
    "url": translatable("Web"),
    "phone": translatable("Phone"),
    "wechat": translatable("WeChat"),
}
_LINKED: Final = ("https://", "http://")


class Step(Struct, frozen=True):
    """`words`: what stands between backticks is code."""

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


STEPS: Final = (
    Step(
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
        translatable("Check the model name"),
        (("404", "model_not_found"), ("403", "model_not_allowed")),
        translatable(
            "Names are exact, letter case included. `GET /v1/models` lists what this key may call; the message "
            "names the nearest one."
        ),
    ),
    Step(
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
    settings = visit.context.settings.support
    values: dict[str, object] = {
        "steps": STEPS,
        "channels": [_way(one) for one in settings.channels],
        "hours": settings.hours,
    }
    return Shown("support.html", values)


def _way(channel: ChatSettings) -> Way:
    """A link leads to mail or to the web only, whatever a configuration says."""
    label = _LABELS.get(channel.kind, channel.kind.replace("_", " "))
    link = ""
    if channel.kind == "email":
        link = f"mailto:{channel.value}"
    elif channel.kind == "url" and channel.value.startswith(_LINKED):
        link = channel.value
    return Way(label, channel.value, link, channel.note)
