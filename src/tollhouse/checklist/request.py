"""Step 2: whether this platform and the providers behind it can read a request, found without sending it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from tollhouse.checklist import content_fields, fields, form, message_fields
from tollhouse.checklist.endpoint import ReadAddress, read_endpoint
from tollhouse.checklist.json_text import cure_of
from tollhouse.checklist.other_forms import OPENAI, of_another_form, told_by
from tollhouse.checklist.steps import ChecklistStep, Trouble, green, not_run, red
from tollhouse.core.body_headers import encoding_of_json
from tollhouse.core.codec import Codec, CodecKey
from tollhouse.core.failure import BadRequest, Failure
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.operation import Operation
from tollhouse.core.phrase import Phrase
from tollhouse.core.values import require_countable

BODY_MAX: Final = 200_000
"""Characters of a body that are looked at."""


class ReadRequest(Struct, frozen=True):
    """`model`: as the body or the path names it; empty where it cannot be read. `operation`: None where nothing tells
    it. `format`: of the body."""

    step: ChecklistStep
    model: str = ""
    operation: Operation | None = None
    request: ModelRequest | None = None
    format: str = "openai"


def read_request(
    endpoint: str, headers: Mapping[str, str], body: str | None, codecs: Mapping[CodecKey, Codec], public_url: str
) -> ReadRequest:
    """headers: names in small letters; none where nobody gave them. body: None likewise."""
    where = read_endpoint(endpoint, public_url) if endpoint.strip() else ReadAddress()
    if where.trouble is not None:
        return ReadRequest(red("request_format", where.trouble), operation=where.operation)
    codec = None if where.operation is None else codecs.get((where.format, where.operation))
    if codec is not None and codec.form is not None:
        return _of_form(where, headers, body)
    kind = _content_type(headers, body)
    if body is None:
        if kind is not None:
            return ReadRequest(red("request_format", kind), operation=where.operation)
        step = not_run("request_format", Phrase("No body of a request was given."))
        if endpoint.strip():
            step = green("request_format", Phrase("The address is right; no body was given."))
        return ReadRequest(step, operation=where.operation)
    found = _of_body(where, headers, body, codecs)
    # A wrong content type is the last thing to say: what stands in a form is no JSON either.
    if kind is not None and found.step.state != "red":
        return structs.replace(found, step=red("request_format", kind))
    return found


def _of_form(where: ReadAddress, headers: Mapping[str, str], body: str | None) -> ReadRequest:
    trouble = form.trouble_of(headers, body)
    step = green("request_format", Phrase("The address is right; what stands in a form is not looked into."))
    if trouble is not None:
        step = red("request_format", trouble)
    return ReadRequest(step, operation=where.operation)


def _content_type(headers: Mapping[str, str], body: str | None) -> Trouble | None:
    """Only where headers were given that may hold one."""
    if not headers or (body is None and "content-type" not in headers):
        return None
    try:
        encoding_of_json([(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()])
    except Failure as failure:
        cure = Phrase("Send the header `Content-Type: application/json`. curl sends another one with `-d` unless told.")
        if failure.param == "content-encoding":
            cure = Phrase("Leave the header `Content-Encoding` out, and send the body as it is.")
        return Trouble(_sentence(failure), cure, failure.code)
    return None


def _of_body(
    where: ReadAddress, headers: Mapping[str, str], body: str, codecs: Mapping[CodecKey, Codec]
) -> ReadRequest:
    data = body[:BODY_MAX].encode("utf-8", "surrogatepass")
    members = _members(data)
    written, chosen = (where.format, where.operation) if where.operation else told_by(headers, members)
    model = where.model or _model(members)
    codec = codecs[written, chosen]
    try:
        if len(body) > BODY_MAX:
            raise BadRequest(f"This body has more than {BODY_MAX} characters: the checklist reads no longer ones.")
        require_countable(data)
        counted = codec.counting if where.counts else None
        request = codec.read(data) if counted is None else counted.read(data)
    except Failure as failure:
        cure = _cure(failure, body, members, written, chosen)
        trouble = Trouble(_sentence(failure), cure, failure.code)
        return ReadRequest(red("request_format", trouble), model, chosen, format=written)
    chosen = request.operation  # some bodies have the shape of another operation, and are taken all the same
    model = where.model or request.model
    odd = _LOOKS[written](chosen, members) or _untranslated(codec, request)
    if odd is not None:
        return ReadRequest(red("request_format", odd), model, chosen, format=written)
    reason = Phrase("This platform can read the request.")
    return ReadRequest(green("request_format", reason), model, chosen, request, written)


def _untranslated(codec: Codec, request: ModelRequest) -> Trouble | None:
    """What is found only where a call is translated for a provider of another format."""
    if codec.words is None or codec.format == OPENAI:
        return None
    try:
        codec.words.read_request(request)
    except Failure as failure:
        return Trouble(_sentence(failure), _mend(failure), failure.code)
    return None


def _members(data: bytes) -> dict[str, object]:
    try:
        found = msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found


def _model(members: Mapping[str, object]) -> str:
    model = members.get("model")
    return model[:512] if isinstance(model, str) else ""


def _sentence(failure: Failure) -> str:
    return failure.phrase


def _cure(failure: Failure, body: str, members: Mapping[str, object], written: str, operation: Operation) -> Phrase:
    if not members:
        inner = _twice_written(body)
        return inner or cure_of(body)
    wrong = of_another_form(members, written, operation)
    if wrong is not None and failure.param in ("messages", "input", "prompt", "model", "contents", "max_tokens"):
        return wrong
    if written != OPENAI:
        if failure.param and members.get(failure.param) is None and "." not in failure.param:
            return Phrase("Add `%(param)s`, as its API's reference says.", param=failure.param[:80])
        return _mend(failure)
    if failure.param == "model":
        return Phrase("Add `model` with a name that GET /v1/models lists.")
    if failure.param in ("messages", "messages[0]"):
        return Phrase('Send `messages` as an array: `[{"role": "user", "content": "Hello"}]`.')
    if failure.param == "stream_options":
        return Phrase("Leave `stream_options` out, or set `stream` to `true`.")
    if failure.param and isinstance(members.get(failure.param), str):
        return Phrase(
            "Write the value of `%(param)s` without quotes, as a number or as true or false.", param=failure.param
        )
    return _mend(failure)


def _mend(failure: Failure) -> Phrase:
    if failure.param:
        return Phrase("Mend `%(param)s` as the reason says, or leave it out.", param=failure.param[:80])
    return Phrase("Mend what the reason names.")


def _twice_written(body: str) -> Phrase | None:
    """JSON within a text of JSON."""
    try:
        inner = msgspec.json.decode(body.strip().encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(inner, str):
        return Phrase(
            "The JSON was written twice, so that it is one text: send the object, not `json.dumps` of its text."
        )
    return Phrase("The body must be an object in `{...}`; an array or a value stands alone.")


_LOOKS: Final[Mapping[str, Callable[[Operation, Mapping[str, Any]], Trouble | None]]] = {
    "openai": fields.trouble_of,
    "anthropic": message_fields.trouble_of,
    "gemini": content_fields.trouble_of,
}
"""By format: what the gateway leaves to providers to judge."""
