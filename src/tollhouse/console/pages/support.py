"""/support: five things to check, in the order that finds most trouble soonest, and whom to ask."""

from collections.abc import Sequence

from tollhouse.console.page import code, link, text
from tollhouse.settings import ChatSettings, SupportSettings

TITLE = "Support"

_LABELS = (("email", "E-mail"), ("qq_group", "QQ group"), ("url", "Web"), ("phone", "Phone"), ("wechat", "WeChat"))

_STEPS = (
    (
        "api-key",
        "Check the API key",
        (("401", "invalid_api_key"), ("403", "key_frozen")),
        "Send it as `Authorization: Bearer KEY`, whole, without quotes or blanks. The message says whether a key "
        "arrived at all, and whether it is damaged, unknown, expired or revoked. A damaged key was cut when it was "
        "copied.",
    ),
    (
        "request-format",
        "Check the request format",
        (("400", "invalid_request_error"),),
        "`Content-Type` is `application/json` and the body is valid JSON. `error.param` names the field to mend, the "
        "message says what was expected there.",
    ),
    (
        "model",
        "Check the model name",
        (("404", "model_not_found"), ("403", "model_not_allowed")),
        "Names are exact, letter case included. `GET /v1/models` lists what this key may call; the message names the "
        "nearest one.",
    ),
    (
        "rate-limits",
        "Check limits and balance",
        (("429", "rate_limit_exceeded"), ("429", "insufficient_quota")),
        "For `rate_limit_exceeded` wait as long as `Retry-After` says, then try again with growing pauses. "
        "`insufficient_quota` means that a budget or the balance is used up: trying again does not help, the message "
        "names which and who can raise it.",
    ),
    (
        "error-body",
        "Read the whole error",
        (("500", "server_error"), ("502", "upstream_error"), ("503", "overloaded")),
        "Every error is JSON with `error.message`. Server errors may be tried again; if one stays, send us the value "
        "of `x-request-id` (it begins with `req_`), the time, and the model. Never send your key.",
    ),
)


def body(support: SupportSettings) -> str:
    steps = "\n".join(_step(*step) for step in _STEPS)
    return f"""<p class="lead">Most trouble is found by these five steps.</p>
<ol class="steps">
{steps}
</ol>
<p>The first three can be tried by machine: {code("tollhouse check --base-url URL --key KEY")}</p>
<section aria-labelledby="contact">
<h2 id="contact">Contact</h2>
{_contact(support)}
</section>"""


def _step(anchor: str, title: str, errors: Sequence[tuple[str, str]], words: str) -> str:
    seen = ", ".join(f"{text(status)} {code(name)}" for status, name in errors)
    return f'<li id="{text(anchor)}"><h2>{text(title)}</h2><p class="seen">{seen}</p><p>{_with_code(words)}</p></li>'


def _with_code(words: str) -> str:
    """Words in which what stands between backticks is code."""
    parts = words.split("`")
    return "".join(code(part) if position % 2 else text(part) for position, part in enumerate(parts))


def _contact(support: SupportSettings) -> str:
    if not support.channels:
        return "<p>This platform names no contact; ask whoever gave you the key.</p>"
    rows = "\n".join(_channel(channel) for channel in support.channels)
    hours = f"<p>Answered: {text(support.hours)}</p>" if support.hours else ""
    return f"<dl>\n{rows}\n</dl>\n{hours}"


def _channel(channel: ChatSettings) -> str:
    label = dict(_LABELS).get(channel.kind, channel.kind.replace("_", " "))
    if channel.kind == "email":
        value = link(f"mailto:{channel.value}", channel.value)
    elif channel.kind == "url":
        value = link(channel.value, channel.value) if channel.value.startswith("http") else text(channel.value)
    else:
        value = f"<span>{text(channel.value)}</span>"
    note = f' <span class="note">{text(channel.note)}</span>' if channel.note else ""
    return f"<dt>{text(label)}</dt><dd>{value}{note}</dd>"
