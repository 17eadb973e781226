"""Calls of a service in the formats of Anthropic and Gemini: whether it speaks them too."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct, structs

from tollhouse.checklist.steps import ChecklistStep
from tollhouse.cli.service import Service, ServiceReply, Unreachable

_WORD: Final = "ping"


class OtherFormat(Struct, frozen=True):
    """`path` and `headers`: for a model and a key. `answers`: a member that its answers have, with a list."""

    title: str
    path: Callable[[str], str]
    headers: Callable[[str], Mapping[str, str]]
    body: Callable[[str], Mapping[str, object]]
    answers: str


OTHER_FORMATS: Final[Mapping[str, OtherFormat]] = {
    "anthropic": OtherFormat(
        title="Anthropic",
        path=lambda model: "/v1/messages",
        headers=lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
        body=lambda model: {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": _WORD}]},
        answers="content",
    ),
    "gemini": OtherFormat(
        title="Gemini",
        path=lambda model: f"/v1beta/models/{quote(model, safe='')}:generateContent",
        headers=lambda key: {"x-goog-api-key": key},
        body=lambda model: {
            "contents": [{"role": "user", "parts": [{"text": _WORD}]}],
            "generationConfig": {"maxOutputTokens": 16},
        },
        answers="candidates",
    ),
}
"""By the name of the format."""


def send(service: Service, form: str, model: str, body: Mapping[str, Any]) -> ServiceReply:
    """A body of one of these formats. Raises Unreachable."""
    other = OTHER_FORMATS[form]
    return service.ask_otherwise(other.path(model), body, other.headers(service.key))


def with_others(step: ChecklistStep, service: Service, model: str, hidden: Callable[[str], str]) -> ChecklistStep:
    """The step of a format that is answered, with what calls in the other ones came to; one that the service has and
    refuses makes it red. hidden: takes the key out of a service's words."""
    spoken, absent = ["OpenAI"], []
    for form, other in OTHER_FORMATS.items():
        try:
            reply = send(service, form, model, other.body(model))
        except Unreachable as error:
            reason = f"a call in the format of {other.title} came to nothing: {error}"
            return structs.replace(step, state="red", reason=reason, cure="try again, with more time", code=None)
        if reply.status == 200 and isinstance(reply.body, dict) and isinstance(reply.body.get(other.answers), list):
            spoken.append(other.title)
        elif _is_absent(reply):
            absent.append(other.title)
        else:
            reason = f"{reply.url} answers HTTP {reply.status} in the format of {other.title}: {hidden(reply.message)}"
            cure = "mend what the message names; the same model answers in OpenAI's format"
            changed = structs.replace(step, state="red", reason=reason, cure=cure, code=reply.code)
            return structs.replace(changed, request_id=reply.request_id)
    reason = f"plain calls are answered in the formats of {' and '.join(spoken)}"
    if absent:
        reason += f"; the format of {' and '.join(absent)} is not offered"
    return structs.replace(step, reason=reason)


def _is_absent(reply: ServiceReply) -> bool:
    """No such path, or none for whoever posts."""
    return reply.status in (404, 405, 501) and "model" not in reply.message.lower()
