"""/api/v1/support: the checklist, for anybody."""

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct, field, structs

from tollhouse.checklist.examination import Pasted
from tollhouse.checklist.steps import ChecklistStep, Diagnosis, ExposedKey
from tollhouse.core.failure import BadRequest
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.route import PUBLIC, AdminRequest, route
from tollhouse.formats import codecs
from tollhouse.services.diagnosis import diagnose


class DiagnosisRequest(Struct, frozen=True, kw_only=True):
    """Any of these, each as it was sent or received: texts, with the line breaks and blanks that were sent. `headers`
    and `body` may be objects. `error`: a body, what a library printed, or a request's id."""

    api_key: Raw = field(default_factory=Raw)
    endpoint: Raw = field(default_factory=Raw)
    headers: Raw = field(default_factory=Raw)
    body: Raw = field(default_factory=Raw)
    model: Raw = field(default_factory=Raw)
    error: Raw = field(default_factory=Raw)


@route("support.diagnose", "POST /api/v1/support/diagnose", PUBLIC, "What is wrong with a key, a request or an error")
async def diagnosed(context: AdminContext, request: AdminRequest[DiagnosisRequest]) -> Diagnosis:
    asked = request.body
    pasted = Pasted(
        api_key=_text(asked.api_key, "api_key"),
        endpoint=_text(asked.endpoint, "endpoint") or "",
        headers=_headers(asked.headers),
        body=_body(asked.body),
        model=_text(asked.model, "model") or "",
        error=_text_or_json(asked.error, "error") or "",
    )
    found = await diagnose(context.services, pasted, codecs(), actor=request.actor)
    return _plain(found.diagnosis)


def _text(raw: Raw, name: str) -> str | None:
    """Raises BadRequest for what is none."""
    if not bytes(raw):
        return None
    found = _decoded(raw, name)
    if not isinstance(found, str):
        raise BadRequest(f"{name} must be a text", param=name)
    return found


def _text_or_json(raw: Raw, name: str) -> str | None:
    """A text, or the JSON as it stands."""
    return _text(raw, name) if bytes(raw).startswith(b'"') or not bytes(raw) else bytes(raw).decode()


def _headers(raw: Raw) -> Mapping[str, str] | str:
    if not bytes(raw):
        return ""
    found = _decoded(raw, "headers")
    if isinstance(found, str):
        return found
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BadRequest("headers must be a text, or an object of texts", param="headers")
    return found


def _body(raw: Raw) -> str | None:
    return _text_or_json(raw, "body")


def _decoded(raw: Raw, name: str) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(f"{name} holds a value that cannot be read", param=name) from None


def _plain(told: Diagnosis) -> Diagnosis:
    """In English, as every answer of the API."""
    return structs.replace(
        told,
        steps=tuple(_step(step) for step in told.steps),
        exposed=tuple(ExposedKey(field=one.field, whose=str(one.whose), cure=str(one.cure)) for one in told.exposed),
    )


def _step(step: ChecklistStep) -> ChecklistStep:
    return structs.replace(step, reason=_sentence(step.reason), cure=_sentence(step.cure))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
