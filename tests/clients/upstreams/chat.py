"""An upstream of the shape of OpenAI's chat completions, with thoughts as `reasoning_content` beside the text."""

from collections.abc import Iterable, Iterator
from typing import Final

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

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
    halves,
    medium,
    pieces,
)
from tests.clients.upstreams.server import Body, ReceivedRequest, VendorRefusal, VendorShape, sse
from tests.clients.upstreams.typed import misfits, valid

FINISH: Final = {"stop": "stop", "length": "length", "filter": "content_filter", "refusal": "stop"}
THINKING: Final = "call_t_"
"""How the ids of calls begin that were made after thoughts: those have to come back with them."""
CALL_ID_MAX: Final = 40
ERRORS: Final = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", None),
}


def complaints(received: ReceivedRequest) -> Iterator[str]:
    body = received.body
    if received.path.partition("?")[0] != "/v1/chat/completions":
        yield f"{received.path} is no path of this vendor"
        return
    form = CompletionCreateParamsStreaming if body.get("stream") else CompletionCreateParamsNonStreaming
    yield from misfits(body, form)
    if "stream_options" in body and not body.get("stream"):
        yield "'stream_options' is only allowed when 'stream' is true"
    if body.get("tools") == []:
        yield "[] is too short - 'tools'"
    if "tool_choice" in body and not body.get("tools"):
        yield "'tool_choice' is only allowed when 'tools' are specified"
    if "parallel_tool_calls" in body and not body.get("tools"):
        yield "'parallel_tool_calls' is only allowed when 'tools' are specified"
    for tool in body.get("tools") or ():
        strict = tool.get("function", {}).get("strict")
        if strict and tool["function"].get("parameters", {}).get("additionalProperties") is not False:
            yield "a strict function needs 'additionalProperties': false"
    yield from _unanswered(body.get("messages") or [])


def _unanswered(messages: list[Body]) -> Iterator[str]:
    """Calls without their results right behind them, results without a call, thoughts that did not come back."""
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"messages with role 'tool' must follow their 'tool_calls': {message['tool_call_id']}"
            else:
                open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            yield f"an assistant message with 'tool_calls' must be followed by tool messages: {open_calls}"
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
        if any(len(one) > CALL_ID_MAX for one in open_calls):
            yield f"tool_calls[0].id: string too long. Expected at most {CALL_ID_MAX} characters: {open_calls}"
        if message["role"] == "assistant" and not message.get("content") and not open_calls:
            yield "an assistant message needs content or tool_calls"
        if any(one.startswith(THINKING) for one in open_calls) and message.get("reasoning_content") != THOUGHTS:
            yield "The reasoning_content of earlier calls must come back as it was"
    if open_calls:
        yield f"an assistant message with 'tool_calls' must be followed by tool messages: {open_calls}"


def read(received: ReceivedRequest) -> AskedOfUpstream:
    body, messages = received.body, received.body["messages"]
    functions = [_function(tool) for tool in body.get("tools") or ()]
    choice = body.get("tool_choice", "auto")
    named = choice["function"]["name"] if isinstance(choice, dict) and "function" in choice else ""
    if named and named not in [one.name for one in functions]:
        raise VendorRefusal(f"no such tool: {named}")
    form = body.get("response_format") or {}
    last = _last_turn(messages)
    users = [part for message in last if message["role"] == "user" for part in _parts(message)]
    return AskedOfUpstream(
        model=body["model"],
        stream=bool(body.get("stream")),
        system=" ".join(_text(one) for one in messages if one["role"] in ("system", "developer")),
        said="\n".join(part["text"] for part in users if part["type"] == "text"),
        functions=functions,
        may_call=choice != "none",
        must_call="*" if choice == "required" else named,
        results=[_text(one) for one in last if one["role"] == "tool"],
        media=[_medium(part) for part in users if part["type"] != "text"],
        schema=form["json_schema"].get("schema") if form.get("type") == "json_schema" else None,
        thinks=body.get("reasoning_effort") not in (None, "none"),
        parallel=body.get("parallel_tool_calls") is not False,
    )


def _function(tool: Body) -> Function:
    told = tool[tool["type"]]
    return Function(name=told["name"], schema=told.get("parameters") or {}, is_custom=tool["type"] == "custom")


def _last_turn(messages: list[Body]) -> list[Body]:
    """What stands behind the last answer."""
    answers = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    return messages[answers[-1] + 1 :] if answers else messages


def _parts(message: Body) -> list[Body]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(message: Body) -> str:
    return " ".join(part["text"] for part in _parts(message) if part["type"] == "text")


def _medium(part: Body) -> str:
    if part["type"] == "image_url":
        head, comma, data = part["image_url"]["url"].partition(";base64,")
        return medium(head.removeprefix("data:"), data) if comma else f"the picture at {head}"
    if part["type"] == "file":
        head, _, data = part["file"]["file_data"].partition(";base64,")
        return medium(head.removeprefix("data:"), data)
    raise VendorRefusal(f"no such part: {part['type']}")


def whole(asked: AskedOfUpstream, plan: PlannedAnswer) -> Body:
    message: Body = {"role": "assistant", "content": plan.text or None, "refusal": None}
    if plan.finish == "refusal":
        message |= {"content": None, "refusal": plan.text}
    if plan.thought:
        message["reasoning_content"] = THOUGHTS
    if plan.calls:
        message["tool_calls"] = [_call(plan, call, at) for at, call in enumerate(plan.calls)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(plan)}
    body = _head(asked, "chat.completion") | {"choices": [choice], "usage": _usage(plan)}
    valid(ChatCompletion, body)
    return body


def _head(asked: AskedOfUpstream, kind: str) -> Body:
    return {"id": "chatcmpl-up1", "object": kind, "created": 1_790_000_000, "model": asked.model}


def _finish(plan: PlannedAnswer) -> str:
    return "tool_calls" if plan.calls else FINISH.get(plan.finish, "stop")


def _call(plan: PlannedAnswer, call: ToolCallPlan, at: int) -> Body:
    start = THINKING if plan.thought else "call_"
    kind, said = ("custom", "input") if call.is_custom else ("function", "arguments")
    return {"id": f"{start}{at}{call.digest}", "type": kind, kind: {"name": call.name, said: call.text}}


def _usage(plan: PlannedAnswer) -> Body:
    return {
        "prompt_tokens": INPUT,
        "completion_tokens": OUTPUT,
        "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED if plan.cached else 0},
        "completion_tokens_details": {"reasoning_tokens": THOUGHT if plan.thought else 0},
    }


def events(asked: AskedOfUpstream, plan: PlannedAnswer) -> Iterable[bytes]:
    for body in _chunks(plan):
        chunk = _head(asked, "chat.completion.chunk") | {"usage": None} | body
        valid(ChatCompletionChunk, chunk)
        yield sse(chunk)
    yield b"data: [DONE]\n\n"


def _chunks(plan: PlannedAnswer) -> Iterator[Body]:
    yield _delta({"role": "assistant", "content": ""})
    for piece in pieces(THOUGHTS if plan.thought else ""):
        yield _delta({"reasoning_content": piece})
    for piece in pieces(plan.text):
        yield _delta({"refusal" if plan.finish == "refusal" else "content": piece})
    for at, call in enumerate(plan.calls):
        begun = _call(plan, call, at)
        begun[begun["type"]] |= {"input" if call.is_custom else "arguments": ""}
        yield _delta({"tool_calls": [{"index": at, **begun}]})
    for part in range(2):  # side by side, as vendors write calls at times
        for at, call in enumerate(plan.calls):
            kind, said = ("custom", "input") if call.is_custom else ("function", "arguments")
            yield _delta({"tool_calls": [{"index": at, kind: {said: halves(call.text)[part]}}]})
    yield _delta({}, _finish(plan))
    yield {"choices": [], "usage": _usage(plan)}


def _delta(delta: Body, finish: str | None = None) -> Body:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def error(status: int, message: str) -> Body:
    kind, code = ERRORS.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error_event(status: int, message: str) -> bytes:
    return sse(error(status, message))


CHAT: Final = VendorShape(
    name="chat",
    kind="openai_compatible",
    speaks="openai_chat",
    complaints=complaints,
    read=read,
    whole=whole,
    events=events,
    error=error,
    error_event=error_event,
)
