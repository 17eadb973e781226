"""An upstream of the shape of OpenAI's Responses, with thoughts as reasoning items, encrypted where that is asked."""

from collections.abc import Iterable, Iterator
from typing import Final

from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
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
    signature,
)
from tests.clients.upstreams.server import Body, ReceivedRequest, VendorRefusal, VendorShape, sse
from tests.clients.upstreams.typed import misfits, valid

REASONING: Final = "rs_up1"
THINKING: Final = "call_r_"
"""How the ids of calls begin that were made after thoughts: an item that names itself needs those before it."""
CALL_ID_MAX: Final = 64
INCOMPLETE: Final = {"length": "max_output_tokens", "filter": "content_filter"}
ENCRYPTED: Final = signature("responses", REASONING)
ERRORS: Final = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def complaints(received: ReceivedRequest) -> Iterator[str]:
    body = received.body
    if received.path.partition("?")[0] != "/v1/responses":
        yield f"{received.path} is no path of this vendor"
        return
    yield from misfits(body, ResponseCreateParamsStreaming if body.get("stream") else ResponseCreateParamsNonStreaming)
    if body.get("tool_choice") not in (None, "none", "auto") and not body.get("tools"):
        yield "Tool choice must be 'auto' or 'none' when no tools are given"
    for tool in body.get("tools") or ():
        if tool.get("strict") and (tool.get("parameters") or {}).get("additionalProperties") is not False:
            yield "a strict function needs 'additionalProperties': false"
    yield from _out_of_place(_items(body))


def _items(body: Body) -> list[Body]:
    given = body.get("input") or []
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _out_of_place(items: list[Body]) -> Iterator[str]:
    """Results without their call, calls without a result, thoughts that did not come back with what they led to."""
    calls = [item["call_id"] for item in items if item.get("type") in ("function_call", "custom_tool_call")]
    results = [i["call_id"] for i in items if i.get("type") in ("function_call_output", "custom_tool_call_output")]
    for one in calls:
        if len(one) > CALL_ID_MAX:
            yield f"call_id: string too long. Expected a string with maximum length {CALL_ID_MAX}: {one}"
    for one in set(calls) ^ set(results):
        yield f"No tool output found for function call {one}" if one in calls else f"No tool call found for {one}"
    thoughts: list[Body] = []
    for item in items:
        if item.get("type") == "reasoning":
            thoughts.append(item)
            if item.get("encrypted_content") not in (None, ENCRYPTED):
                yield f"The encrypted content {item['encrypted_content'][:40]} could not be verified"
        elif item.get("type") == "function_call":
            if item.get("id") and item["call_id"].startswith(THINKING) and not thoughts:
                yield f"Item '{item['call_id']}' of type 'function_call' was provided without its required 'reasoning'"
        elif item.get("type") != "message" or item.get("role") != "assistant":
            thoughts = thoughts[:0] if item.get("role") == "user" else thoughts


def read(received: ReceivedRequest) -> AskedOfUpstream:
    body = received.body
    items = _items(body)
    functions = [
        Function(name=tool["name"], schema=tool.get("parameters") or {}, is_custom=tool["type"] == "custom")
        for tool in body.get("tools") or ()
        if tool["type"] in ("function", "custom")
    ]
    choice = body.get("tool_choice") or "auto"
    named = choice.get("name", "") if isinstance(choice, dict) else ""
    form = (body.get("text") or {}).get("format") or {}
    last = _last_turn(items)
    users = [part for item in last if item.get("role") == "user" for part in _parts(item)]
    system = [_text(_parts(item)) for item in items if item.get("role") in ("system", "developer")]
    return AskedOfUpstream(
        model=body["model"],
        stream=bool(body.get("stream")),
        system=" ".join([body["instructions"], *system] if body.get("instructions") else system),
        said="\n".join(part["text"] for part in users if part["type"] == "input_text"),
        functions=functions,
        may_call=choice != "none",
        must_call="*" if choice == "required" else named,
        results=[_output(item) for item in last if item.get("type", "").endswith("_call_output")],
        media=[_medium(part) for part in users if part["type"] != "input_text"],
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        thinks=(body.get("reasoning") or {}).get("effort", "none") not in (None, "none"),
        parallel=body.get("parallel_tool_calls") is not False,
    )


def _last_turn(items: list[Body]) -> list[Body]:
    """What stands behind the last answer."""
    made = [at for at, one in enumerate(items) if one.get("role") == "assistant" or _is_made(one)]
    return items[made[-1] + 1 :] if made else items


def _is_made(item: Body) -> bool:
    return item.get("type") in ("reasoning", "function_call", "custom_tool_call")


def _parts(item: Body) -> list[Body]:
    content = item["content"]
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def _text(parts: list[Body]) -> str:
    return " ".join(part["text"] for part in parts if "text" in part)


def _output(item: Body) -> str:
    output = item["output"]
    if isinstance(output, str):
        return output
    return " ".join(part["text"] if part["type"] == "input_text" else _medium(part) for part in output)


def _medium(part: Body) -> str:
    if part["type"] == "input_image":
        head, comma, data = (part.get("image_url") or "").partition(";base64,")
        return medium(head.removeprefix("data:"), data) if comma else f"the picture at {head}"
    if part["type"] == "input_file":
        head, comma, data = (part.get("file_data") or "").partition(";base64,")
        return medium(head.removeprefix("data:"), data) if comma else f"the file at {part.get('file_url')}"
    raise VendorRefusal(f"no such part: {part['type']}")


def _output_items(asked: AskedOfUpstream, plan: PlannedAnswer) -> list[Body]:
    items: list[Body] = []
    if plan.thought:
        summary = [{"type": "summary_text", "text": THOUGHTS}]
        items.append({"id": REASONING, "type": "reasoning", "summary": summary, "encrypted_content": ENCRYPTED})
    if plan.text:
        part: Body = {"type": "output_text", "text": plan.text, "annotations": [], "logprobs": []}
        if plan.finish == "refusal":
            part = {"type": "refusal", "refusal": plan.text}
        status = "incomplete" if plan.finish in INCOMPLETE else "completed"
        items.append({"id": "msg_up1", "type": "message", "status": status, "role": "assistant", "content": [part]})
    return items + [_call(plan, call, at) for at, call in enumerate(plan.calls)]


def _call(plan: PlannedAnswer, call: ToolCallPlan, at: int) -> Body:
    called = f"{THINKING if plan.thought else 'call_'}{at}{call.digest}"
    if call.is_custom:
        made = {"id": f"ctc_{at}{call.digest}", "call_id": called, "name": call.name, "input": call.text}
        return {"type": "custom_tool_call", **made}
    made = {"id": f"fc_{at}{call.digest}", "call_id": called, "name": call.name, "arguments": call.text}
    return {"type": "function_call", "status": "completed", **made}


def _response(asked: AskedOfUpstream, plan: PlannedAnswer, status: str, output: list[Body]) -> Body:
    body: Body = {
        "id": "resp_up1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.system or None,
        "max_output_tokens": None,
        "model": asked.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": "medium" if asked.thinks else None, "summary": None},
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }
    if status == "incomplete":
        body["incomplete_details"] = {"reason": INCOMPLETE[plan.finish]}
    if status != "in_progress":
        body["usage"] = {
            "input_tokens": INPUT,
            "input_tokens_details": {"cached_tokens": CACHED if plan.cached else 0, "cache_write_tokens": 0},
            "output_tokens": OUTPUT,
            "output_tokens_details": {"reasoning_tokens": THOUGHT if plan.thought else 0},
            "total_tokens": INPUT + OUTPUT,
        }
    return body


def _status(plan: PlannedAnswer) -> str:
    return "incomplete" if plan.finish in INCOMPLETE and not plan.calls else "completed"


def whole(asked: AskedOfUpstream, plan: PlannedAnswer) -> Body:
    body = _response(asked, plan, _status(plan), _output_items(asked, plan))
    valid(Response, body)
    return body


def events(asked: AskedOfUpstream, plan: PlannedAnswer) -> Iterable[bytes]:
    for number, body in enumerate(_events(asked, plan)):
        event = body | {"sequence_number": number}
        valid(ResponseStreamEvent, event)
        yield sse(event, event["type"])


def _events(asked: AskedOfUpstream, plan: PlannedAnswer) -> Iterator[Body]:
    begun = _response(asked, plan, "in_progress", [])
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    items = _output_items(asked, plan)
    for at, item in enumerate(items):
        within = {"item_id": item["id"], "output_index": at}
        yield {"type": "response.output_item.added", "output_index": at, "item": _empty(item)}
        if item["type"] == "reasoning":
            yield from _of_thoughts(within)
        elif item["type"] == "message":
            yield from _of_message(item, within)
        elif item["type"] == "custom_tool_call":
            for half in halves(item["input"]):
                yield {"type": "response.custom_tool_call_input.delta", "delta": half, **within}
            yield {"type": "response.custom_tool_call_input.done", "input": item["input"], **within}
        else:
            for half in halves(item["arguments"]):
                yield {"type": "response.function_call_arguments.delta", "delta": half, **within}
            yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"], **within}
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    status = _status(plan)
    yield {"type": f"response.{status}", "response": _response(asked, plan, status, items)}


def _empty(item: Body) -> Body:
    if item["type"] == "reasoning":
        return item | {"summary": [], "encrypted_content": "gAAA-of-an-item-that-has-only-begun"}
    if item["type"] == "message":
        return item | {"content": [], "status": "in_progress"}
    if item["type"] == "custom_tool_call":
        return item | {"input": ""}
    return item | {"arguments": "", "status": "in_progress"}


def _of_thoughts(within: Body) -> Iterator[Body]:
    within = within | {"summary_index": 0}
    event = "response.reasoning_summary"
    yield {"type": f"{event}_part.added", "part": {"type": "summary_text", "text": ""}, **within}
    for piece in pieces(THOUGHTS):
        yield {"type": f"{event}_text.delta", "delta": piece, **within}
    yield {"type": f"{event}_text.done", "text": THOUGHTS, **within}
    yield {"type": f"{event}_part.done", "part": {"type": "summary_text", "text": THOUGHTS}, **within}


def _of_message(item: Body, within: Body) -> Iterator[Body]:
    within = within | {"content_index": 0}
    part = item["content"][0]
    member = "refusal" if part["type"] == "refusal" else "text"
    event = "response.refusal" if member == "refusal" else "response.output_text"
    odds: Body = {} if member == "refusal" else {"logprobs": []}
    yield {"type": "response.content_part.added", "part": part | {member: ""}, **within}
    for piece in pieces(part[member]):
        yield {"type": f"{event}.delta", "delta": piece, **odds, **within}
    yield {"type": f"{event}.done", member: part[member], **odds, **within}
    yield {"type": "response.content_part.done", "part": part, **within}


def error(status: int, message: str) -> Body:
    kind, code = ERRORS.get(status, ("server_error", "server_error"))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error_event(status: int, message: str) -> bytes:
    body = {"type": "error", "code": ERRORS.get(status, ("", "server_error"))[1], "message": message, "param": None}
    return sse(body | {"sequence_number": 99}, "error")


RESPONSES: Final = VendorShape(
    name="responses",
    kind="openai_compatible",
    speaks="openai_responses",
    complaints=complaints,
    read=read,
    whole=whole,
    events=events,
    error=error,
    error_event=error_event,
)
