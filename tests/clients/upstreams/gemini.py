"""An upstream of the shape of Google's Gemini API, whose function calls are signed and have no ids."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

from google.genai import types
from pydantic import ValidationError

from tests.clients.upstreams.plan import (
    CACHED,
    INPUT,
    OUTPUT,
    THOUGHT,
    THOUGHTS,
    AskedOfUpstream,
    Function,
    PlannedAnswer,
    ToolCallPlan,
    medium,
    pieces,
    signature,
)
from tests.clients.upstreams.server import Body, ReceivedRequest, VendorRefusal, VendorShape, sse
from tests.clients.upstreams.typed import valid

FINISH: Final = {"stop": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY", "refusal": "PROHIBITED_CONTENT"}
MEMBERS: Final[dict[str, Any]] = {
    "contents": list[types.Content],
    "systemInstruction": types.Content,
    "tools": list[types.Tool],
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
    "safetySettings": list[types.SafetySetting],
    "cachedContent": str,
    "labels": dict[str, str],
    "serviceTier": str,
}
OPAQUE: Final = ("args", "response", "parametersJsonSchema", "responseJsonSchema", "parameters", "responseSchema")
FOREIGN: Final = (
    "skip_thought_signature_validator",
    "context_engineering_is_the_way_to_go",
    b64encode(b"skip_thought_signature_validator").decode(),
)
"""Documented in place of a signature where another model made the call."""
STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def complaints(received: ReceivedRequest) -> Iterator[str]:
    body = camel(received.body)
    path, _, query = received.path.partition("?")
    model, _, action = path.removeprefix("/v1beta/models/").partition(":")
    if not model or action not in ("generateContent", "streamGenerateContent", "countTokens"):
        yield f"{received.path} is no path of this vendor"
        return
    if action == "streamGenerateContent" and query != "alt=sse":
        yield "a stream without alt=sse is a JSON array"
    if "x-goog-api-key" not in received.headers:
        yield "Method doesn't allow unregistered callers: no x-goog-api-key"
    for name, value in body.items():
        if name not in MEMBERS:
            yield f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            continue
        try:
            valid(MEMBERS[name], value)
        except ValidationError as wrong:
            yield from (f"{name}.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors())
    yield from _of_contents(body.get("contents") or [])


def _of_contents(contents: list[Body]) -> Iterator[str]:
    if not contents:
        yield "contents are not specified"
    open_calls: list[str] = []
    for at, content in enumerate(contents):
        parts = content.get("parts") or []
        if not parts or any(not part for part in parts):
            yield f"contents[{at}].parts: contents must have parts, and parts must have data"
        if content.get("role") not in ("user", "model"):
            yield f"contents[{at}].role: Please use a valid role: user, model."
        results = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
        if sorted(results) != sorted(open_calls):
            yield (
                "the number of function response parts must equal that of function call parts of the function call "
                f"turn: {results}, {open_calls}"
            )
        calls = [part for part in parts if "functionCall" in part]
        if any("thoughtSignature" in part for part in parts if part not in calls):
            yield f"contents[{at}]: Thought signature is not valid: nothing but calls was signed here"
        open_calls = [part["functionCall"]["name"] for part in calls]
        if calls and content.get("role") != "model":
            yield f"contents[{at}]: function calls must be the model's"
        yield from _of_signatures(calls, at)
    if open_calls:
        yield f"a function call turn comes right before a function response turn: {open_calls}"


def _of_signatures(calls: list[Body], at: int) -> Iterator[str]:
    """The first of the calls of one answer is signed, and the signature is of this call."""
    for number, part in enumerate(calls):
        call = ToolCallPlan(name=part["functionCall"]["name"], arguments=part["functionCall"].get("args") or {})
        found = part.get("thoughtSignature")
        if number == 0 and found is None:
            yield f"contents[{at}]: Function call `{call.name}` is missing a thought_signature"
        elif found is not None and found not in FOREIGN and _standard(found) != signature("gemini", call.digest):
            yield f"contents[{at}]: Thought signature is not valid: {found[:40]}"


def read(received: ReceivedRequest) -> AskedOfUpstream:
    body, (path, _, _) = camel(received.body), received.path.partition("?")
    model, _, action = path.removeprefix("/v1beta/models/").partition(":")
    config = body.get("generationConfig") or {}
    declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
    functions = [
        Function(name=one["name"], schema=one.get("parametersJsonSchema") or one.get("parameters") or {})
        for one in declared
    ]
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    allowed = calling.get("allowedFunctionNames") or ()
    contents = body["contents"]
    answers = [at for at, content in enumerate(contents) if content["role"] == "model"]
    last = [part for content in contents[answers[-1] + 1 if answers else 0 :] for part in content["parts"]]
    thinking = config.get("thinkingConfig") or {}
    form = config.get("responseJsonSchema") or config.get("responseSchema")
    if form is not None and config.get("responseMimeType") != "application/json":
        raise VendorRefusal("responseSchema needs responseMimeType application/json")
    return AskedOfUpstream(
        model=model,
        stream=action == "streamGenerateContent",
        system=" ".join(part["text"] for part in (body.get("systemInstruction") or {}).get("parts") or ()),
        said="\n".join(part["text"] for part in last if "text" in part),
        functions=functions,
        may_call=calling.get("mode") != "NONE",
        must_call=(allowed[0] if allowed else "*") if calling.get("mode") == "ANY" else "",
        results=[_result(part["functionResponse"]) for part in last if "functionResponse" in part],
        media=[_medium(part) for part in last if "inlineData" in part or "fileData" in part],
        schema=form,
        thinks=bool(thinking.get("includeThoughts")),
    )


def camel(value: Any) -> Any:
    """Google reads names of members with underscores too, and its SDK writes some so. What is a caller's own stays."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for name, one in value.items():
        first, *others = name.split("_")
        own = first + "".join(word.capitalize() for word in others)
        made[own] = one if own in OPAQUE else camel(one)
    return made


def _standard(data: str) -> str:
    """Base64 of either alphabet is taken."""
    return data.translate({45: 43, 95: 47})


def _result(given: Body) -> str:
    response = given["response"]
    told = response.get("output", response.get("result", response.get("error", response)))
    media = [_medium(part) for part in given.get("parts") or ()]
    failed = "failed: " if "error" in response else ""
    return failed + " ".join([told if isinstance(told, str) else str(told), *media])


def _medium(part: Body) -> str:
    if "fileData" in part:
        return f"the picture at {part['fileData']['fileUri']}"
    return medium(part["inlineData"]["mimeType"], _standard(part["inlineData"]["data"]))


def _call(call: ToolCallPlan, at: int) -> Body:
    part: Body = {"functionCall": {"name": call.name, "args": call.arguments}}
    return part | ({"thoughtSignature": signature("gemini", call.digest)} if at == 0 else {})


def _answer(asked: AskedOfUpstream, parts: list[Body], finish: str | None, usage: Body | None) -> Body:
    candidate: Body = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    body: Body = {"candidates": [candidate], "modelVersion": asked.model, "responseId": "up1"}
    if usage is not None:
        body["usageMetadata"] = usage
    valid(types.GenerateContentResponse, body)
    return body


def _finish(plan: PlannedAnswer) -> str:
    return "STOP" if plan.calls else FINISH.get(plan.finish, "STOP")


def _usage(plan: PlannedAnswer, whole: bool = True) -> Body:
    """Thoughts are told beside the output here, and the cache within the prompt."""
    thought = THOUGHT if plan.thought else 0
    usage: Body = {"promptTokenCount": INPUT, "totalTokenCount": INPUT + OUTPUT if whole else INPUT}
    if whole:
        usage["candidatesTokenCount"] = OUTPUT - thought
    if thought:
        usage["thoughtsTokenCount"] = thought
    if plan.cached:
        usage["cachedContentTokenCount"] = CACHED
    return usage | {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT}]}


def whole(asked: AskedOfUpstream, plan: PlannedAnswer) -> Body:
    parts: list[Body] = [{"text": THOUGHTS, "thought": True}] if plan.thought else []
    if plan.text:
        parts.append({"text": plan.text})
    parts += [_call(call, at) for at, call in enumerate(plan.calls)]
    return _answer(asked, parts, _finish(plan), _usage(plan))


def events(asked: AskedOfUpstream, plan: PlannedAnswer) -> Iterable[bytes]:
    """Calls come whole; the last event has the reason, and an empty text beside it, as the vendor writes it."""
    begun = _usage(plan, whole=False)
    for piece in pieces(THOUGHTS if plan.thought else ""):
        yield sse(_answer(asked, [{"text": piece, "thought": True}], None, begun))
    for piece in pieces(plan.text):
        yield sse(_answer(asked, [{"text": piece}], None, begun))
    for at, call in enumerate(plan.calls):
        yield sse(_answer(asked, [_call(call, at)], None, begun))
    yield sse(_answer(asked, [{"text": ""}], _finish(plan), _usage(plan)))


def count(received: ReceivedRequest) -> Body:
    body = {"totalTokens": INPUT, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT}]}
    valid(types.CountTokensResponse, body)
    return body


def error(status: int, message: str) -> Body:
    return {"error": {"code": status, "message": message, "status": STATUSES.get(status, "UNKNOWN")}}


def error_event(status: int, message: str) -> bytes:
    return sse(error(status, message))


GEMINI: Final = VendorShape(
    name="gemini",
    kind="gemini",
    speaks="gemini_content",
    complaints=complaints,
    read=read,
    whole=whole,
    events=events,
    error=error,
    error_event=error_event,
    count=count,
)
