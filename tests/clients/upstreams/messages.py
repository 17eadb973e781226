"""An upstream of the shape of Anthropic's Messages, with thoughts that are signed or hidden."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from anthropic.types import message_create_params as settled
from anthropic.types.beta import message_create_params as beta
from anthropic.types.message_count_tokens_params import MessageCountTokensParams

from tests.clients.upstreams.plan import (
    CACHED,
    INPUT,
    OUTPUT,
    THOUGHT,
    THOUGHTS,
    WRITTEN,
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

FINISH: Final = {"stop": "end_turn", "length": "max_tokens", "filter": "refusal", "refusal": "refusal"}
THINKING: Final = "toolu_t_"
"""How the ids of calls begin that were made after thoughts: those have to come back before them."""
MARKS_MAX: Final = 4
CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
THOUGHT_BLOCKS: Final = ("thinking", "redacted_thinking")


def complaints(received: ReceivedRequest) -> Iterator[str]:
    body, path = received.body, received.path.partition("?")[0]
    if path == "/v1/messages/count_tokens":
        yield from misfits(body, MessageCountTokensParams)
        return
    if path != "/v1/messages":
        yield f"{received.path} is no path of this vendor"
        return
    for header in ("x-api-key", "anthropic-version"):
        if header not in received.headers:
            yield f"{header}: header is required"
    yield from misfits(body, _form(received))
    yield from _of_options(body)
    yield from _of_messages(body)


def _form(received: ReceivedRequest) -> Any:
    """What is being tried out is known only to who names it in a header."""
    tries = beta if "anthropic-beta" in received.headers else settled
    return tries.MessageCreateParamsStreaming if received.body.get("stream") else tries.MessageCreateParamsNonStreaming


def _of_options(body: Body) -> Iterator[str]:
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled":
        if thinking["budget_tokens"] < 1024:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        if thinking["budget_tokens"] >= body["max_tokens"]:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`"
    if thinking.get("type") in ("enabled", "adaptive"):
        if body.get("temperature", 1) != 1:
            yield "`temperature` may only be set to 1 when thinking is enabled"
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            yield "Thinking may not be enabled when tool_choice forces tool use."
    if "tool_choice" in body and not body.get("tools"):
        yield "tool_choice may only be specified while providing tools"
    if json.dumps(body).count('"cache_control": {') > MARKS_MAX:
        yield f"A maximum of {MARKS_MAX} blocks with cache_control may be provided"
    for at, message in enumerate(body["messages"]):
        for block in _blocks(message):
            if block["type"] == "text" and not block["text"].strip():
                yield f"messages.{at}: text content blocks must be non-empty"


def _of_messages(body: Body) -> Iterator[str]:
    """Calls and results that do not lie side by side, thoughts that did not come back."""
    open_calls: set[str] = set()
    thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    for at, message in enumerate(body["messages"]):
        blocks = _blocks(message)
        results = [one["tool_use_id"] for one in blocks if one["type"] == "tool_result"]
        if set(results) - open_calls:
            yield f"messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {results}"
        if open_calls - set(results):
            yield f"messages.{at}: `tool_use` ids were found without `tool_result` blocks: {open_calls - set(results)}"
        if results and any(one["type"] != "tool_result" for one in blocks[: len(results)]):
            yield f"messages.{at}: `tool_result` blocks must come first"
        open_calls = {one["id"] for one in blocks if one["type"] == "tool_use"}
        for one in open_calls:
            if not CALL_ID.fullmatch(one):
                yield f"messages.{at}: tool_use.id: String should match pattern '{CALL_ID.pattern}': {one}"
        if not blocks:
            yield f"messages.{at}: all messages must have non-empty content"
        if message["role"] == "assistant":
            yield from _of_thoughts(blocks, at, thinks)
    if open_calls:
        yield f"`tool_use` ids were found without `tool_result` blocks: {open_calls}"


def _of_thoughts(blocks: list[Body], at: int, thinks: bool) -> Iterator[str]:
    for block in blocks:
        if block["type"] == "thinking" and block["signature"] != signature("messages", block["thinking"]):
            yield f"messages.{at}: Invalid `signature` in `thinking` block"
        if block["type"] == "redacted_thinking" and block["data"] != signature("messages", "hidden"):
            yield f"messages.{at}: Invalid `data` in `redacted_thinking` block"
    called = [one for one in blocks if one["type"] == "tool_use"]
    first = blocks[0]["type"] if blocks else "nothing"
    if called and thinks and first not in THOUGHT_BLOCKS:
        yield f"messages.{at}: Expected `thinking` or `redacted_thinking`, but found `{first}`"
    if any(one["id"].startswith(THINKING) for one in called) and thinks:
        found = [one.get("thinking", "hidden") for one in blocks if one["type"] in THOUGHT_BLOCKS]
        if found not in ([THOUGHTS], ["hidden"], [""]):
            yield f"messages.{at}: thoughts came back as {found}"


def _blocks(message: Body) -> list[Body]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def read(received: ReceivedRequest) -> AskedOfUpstream:
    body, messages = received.body, received.body["messages"]
    functions = [
        Function(name=one["name"], schema=one.get("input_schema") or {})
        for one in body.get("tools") or ()
        if "name" in one
    ]
    choice = body.get("tool_choice") or {"type": "auto"}
    form = (body.get("output_config") or {}).get("format") or {}
    answers = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    last = [one for message in messages[answers[-1] + 1 if answers else 0 :] for one in _blocks(message)]
    system = body.get("system") or []
    return AskedOfUpstream(
        model=body["model"],
        stream=bool(body.get("stream")),
        system=system if isinstance(system, str) else " ".join(one["text"] for one in system),
        said="\n".join(one["text"] for one in last if one["type"] == "text"),
        functions=functions,
        may_call=choice["type"] != "none",
        must_call={"any": "*", "tool": choice.get("name", "")}.get(choice["type"], ""),
        results=[_result(one) for one in last if one["type"] == "tool_result"],
        media=[_medium(one) for one in last if one["type"] in ("image", "document")],
        schema=form.get("schema"),
        thinks=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
        omits=(body.get("thinking") or {}).get("display") == "omitted",
        parallel=not choice.get("disable_parallel_tool_use"),
    )


def _result(block: Body) -> str:
    content = block.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    told = " ".join(one["text"] if one["type"] == "text" else _medium(one) for one in parts)
    return f"failed: {told}" if block.get("is_error") else told


def _medium(block: Body) -> str:
    source = block["source"]
    if source["type"] == "base64":
        return medium(source["media_type"], source["data"])
    if source["type"] == "url":
        return f"the picture at {source['url']}"
    raise VendorRefusal(f"no such source here: {source['type']}")


def _content(plan: PlannedAnswer) -> list[Body]:
    blocks: list[Body] = []
    if plan.redacted:
        blocks.append({"type": "redacted_thinking", "data": signature("messages", "hidden")})
    elif plan.thought:
        signed = signature("messages", plan.thoughts)
        blocks.append({"type": "thinking", "thinking": plan.thoughts, "signature": signed})
    if plan.text:
        blocks.append({"type": "text", "text": plan.text, "citations": None})
    return blocks + [_call(plan, call, at) for at, call in enumerate(plan.calls)]


def _call(plan: PlannedAnswer, call: ToolCallPlan, at: int) -> Body:
    called = f"{THINKING if plan.thought else 'toolu_'}{at}{call.digest}"
    return {"type": "tool_use", "id": called, "name": call.name, "input": call.arguments}


def _ending(asked: AskedOfUpstream, plan: PlannedAnswer) -> Body:
    if plan.calls:
        return {"stop_reason": "tool_use", "stop_sequence": None}
    if plan.finish == "stop_sequence":
        return {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    return {"stop_reason": FINISH[plan.finish], "stop_sequence": None}


def _usage(plan: PlannedAnswer, output: int) -> Body:
    read, written = (CACHED, WRITTEN) if plan.cached else (0, 0)
    return {
        "input_tokens": INPUT - read - written,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": THOUGHT if plan.thought and output == OUTPUT else 0},
        "service_tier": "standard",
    }


def _message(asked: AskedOfUpstream, plan: PlannedAnswer, output: int) -> Body:
    head = {"id": "msg_up1", "type": "message", "role": "assistant", "model": asked.model}
    return head | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(plan, output)}


def whole(asked: AskedOfUpstream, plan: PlannedAnswer) -> Body:
    body = _message(asked, plan, OUTPUT) | {"content": _content(plan)} | _ending(asked, plan)
    valid(Message, body)
    return body


def events(asked: AskedOfUpstream, plan: PlannedAnswer) -> Iterable[bytes]:
    for body in _events(asked, plan):
        if body["type"] != "ping":
            valid(RawMessageStreamEvent, body)
        yield sse(body, body["type"])


def _events(asked: AskedOfUpstream, plan: PlannedAnswer) -> Iterator[Body]:
    yield {"type": "message_start", "message": _message(asked, plan, 1)}
    for at, block in enumerate(_content(plan)):
        empty, deltas = _in_pieces(block)
        yield {"type": "content_block_start", "index": at, "content_block": empty}
        if at == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}
    usage = {name: n for name, n in _usage(plan, OUTPUT).items() if name not in ("cache_creation", "service_tier")}
    yield {"type": "message_delta", "delta": _ending(asked, plan), "usage": usage}
    yield {"type": "message_stop"}


def _in_pieces(block: Body) -> tuple[Body, list[Body]]:
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return block | {"thinking": "", "signature": ""}, deltas
    if block["type"] == "text":
        return block | {"text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    if block["type"] == "tool_use":
        parts = ["", *halves(json.dumps(block["input"], ensure_ascii=False))]
        return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return block, []


def count(received: ReceivedRequest) -> Body:
    body = {"input_tokens": INPUT}
    valid(MessageTokensCount, body)
    return body


def error(status: int, message: str) -> Body:
    told = {"type": ERRORS.get(status, "api_error"), "message": message}
    return {"type": "error", "error": told, "request_id": "req_up1"}


def error_event(status: int, message: str) -> bytes:
    return sse(error(status, message), "error")


MESSAGES: Final = VendorShape(
    name="messages",
    kind="anthropic",
    speaks="anthropic_messages",
    complaints=complaints,
    read=read,
    whole=whole,
    events=events,
    error=error,
    error_event=error_event,
    count=count,
)
