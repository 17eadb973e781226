"""Step 2: whether this platform and the providers behind it can read a request, found without sending it."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct, structs

from tollhouse.checklist.endpoint import ReadAddress, read_endpoint
from tollhouse.checklist.fields import trouble_of
from tollhouse.checklist.json_text import cure_of
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
_TOLD_BY: Final[Mapping[str, Operation]] = {
    "messages": "chat",
    "prompt": "completions",
    "input": "responses",
}


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
    kind = _content_type(headers, body)
    if body is None:
        if kind is not None:
            return ReadRequest(red("request_format", kind), operation=where.operation)
        step = not_run("request_format", Phrase("No body of a request was given."))
        if endpoint.strip():
            step = green("request_format", Phrase("The address is right; no body was given."))
        return ReadRequest(step, operation=where.operation)
    found = _of_body(where, body, codecs)
    # A wrong content type is the last thing to say: what stands in a form is no JSON either.
    if kind is not None and found.step.state != "red":
        return structs.replace(found, step=red("request_format", kind))
    return found


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


def _of_body(where: ReadAddress, body: str, codecs: Mapping[CodecKey, Codec]) -> ReadRequest:
    data = body[:BODY_MAX].encode("utf-8", "surrogatepass")
    members = _members(data)
    chosen = where.operation or _told(members)
    model, written = where.model or _model(members), where.format
    try:
        if len(body) > BODY_MAX:
            raise BadRequest(f"This body has more than {BODY_MAX} characters: the checklist reads no longer ones.")
        require_countable(data)
        request = codecs[written, chosen].read(data)
    except Failure as failure:
        cure = _cure(failure, body, members, chosen) if written == "openai" else _cure_of_others(failure, body, members)
        trouble = Trouble(_sentence(failure), cure, failure.code)
        return ReadRequest(red("request_format", trouble), model, chosen, format=written)
    chosen = request.operation  # some bodies have the shape of another operation, and are taken all the same
    model = where.model or request.model
    odd = trouble_of(chosen, members) if written == "openai" else None
    if odd is not None:
        return ReadRequest(red("request_format", odd), model, chosen)
    reason = Phrase("This platform can read the request.")
    return ReadRequest(green("request_format", reason), model, chosen, request, written)


def _told(members: Mapping[str, object]) -> Operation:
    """What a body without an address is for, by what it holds."""
    return next((operation for name, operation in _TOLD_BY.items() if name in members), "chat")


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


def _cure(failure: Failure, body: str, members: Mapping[str, object], operation: Operation) -> Phrase:
    if not members:
        inner = _twice_written(body)
        return inner or cure_of(body)
    wrong = _other_form(members, operation)
    if wrong is not None and failure.param in ("messages", "input", "prompt", "model"):
        return wrong
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
    if failure.param:
        return Phrase("Mend `%(param)s` as the reason says, or leave it out.", param=failure.param[:80])
    return Phrase("Mend what the reason names.")


def _cure_of_others(failure: Failure, body: str, members: Mapping[str, object]) -> Phrase:
    """For a body of another vendor's format."""
    if not members:
        return _twice_written(body) or cure_of(body)
    if failure.param and failure.param not in members:
        return Phrase("Add `%(param)s`, as its API's reference says.", param=failure.param[:80])
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


def _other_form(members: Mapping[str, object], operation: Operation) -> Phrase | None:
    """Members of another call's or another vendor's body."""
    if "contents" in members:
        return Phrase(
            "This is a body of Gemini's API. Write `messages` with `role` and `content`, and name `model` in it."
        )
    if operation == "chat" and "messages" not in members:
        if "input" in members:
            return Phrase("This body is of `/v1/responses`: send it there, or rename `input` to `messages`.")
        if "prompt" in members:
            return Phrase(
                "This body is of `/v1/completions`. For chat, replace `prompt` by `messages`:"
                ' `[{"role": "user", "content": ...}]`.'
            )
    if operation == "completions" and "messages" in members:
        return Phrase("This body is of `/v1/chat/completions`: send it there.")
    if operation in ("responses", "embeddings", "moderations") and "messages" in members and "input" not in members:
        return Phrase("This body is of `/v1/chat/completions`: send it there, or rename `messages` to `input`.")
    if "deployment_id" in members or "engine" in members:
        return Phrase("`engine` and `deployment_id` are of old libraries: name the model in `model`.")
    return None
