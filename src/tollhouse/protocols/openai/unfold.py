"""A whole answer unfolded into the stream that the caller asked for, from a provider that answers in one piece.

What comes out is the stream as the provider might have sent it, usage and end included: it is read by `StreamReader`
like any other, so that hiding, holding back and charging are the same. An answer without a finish reason becomes a
stream that never finishes, and is treated as such.
"""

from collections.abc import Mapping

from tollhouse.core.failure import UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.protocols.openai import chunk as chunks
from tollhouse.protocols.openai.chat_stream import DONE

_Object = dict[str, object]

_DELTA_KINDS: Mapping[str, tuple[str, str]] = {
    "output_text": ("response.output_text", "text"),
    "refusal": ("response.refusal", "refusal"),
    "reasoning_text": ("response.reasoning_text", "text"),
}


def unfold(operation: Operation, body: bytes) -> bytes:
    """The events of a body that `answer.read` accepted. Raises UpstreamError where it has no such form after all."""
    answer = chunks.decode(body)
    if operation == "responses":
        return _response(answer)
    if operation not in ("chat", "completions"):
        raise UpstreamError(f"An answer of {operation} is no stream.")
    return _chat(answer, is_chat=operation == "chat")


def _chat(answer: _Object, *, is_chat: bool) -> bytes:
    head = {name: value for name, value in answer.items() if name not in ("choices", "usage")}
    head["object"] = "chat.completion.chunk" if is_chat else "text_completion"
    events: list[bytes] = []
    for choice in chunks.choices(answer):
        index = chunks.index_of(choice)
        end: _Object = {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason")}
        if is_chat:
            said: _Object = {"index": index, "finish_reason": None, "logprobs": choice.get("logprobs")}
            deltas = _deltas(choice.get("message"))
            events += [_event({**head, "choices": [{**said, "delta": delta}]}) for delta in deltas]
        else:
            said = {**choice, "index": index, "finish_reason": None}
            end = {"index": index, "text": "", "finish_reason": choice.get("finish_reason")}
            events.append(_event({**head, "choices": [said]}))
        events.append(_event({**head, "choices": [end]}))
    usage = answer.get("usage")
    if isinstance(usage, dict) and usage:
        events.append(_event({**head, "choices": [], "usage": usage}))
    return b"".join([*events, DONE])


def _deltas(message: object) -> list[_Object]:
    """The role; what a provider adds of its own and the text; the tool calls, whole and numbered."""
    if not isinstance(message, dict):
        return [{"role": "assistant", "content": ""}]
    said = {name: value for name, value in message.items() if name not in ("role", "tool_calls") and value is not None}
    deltas: list[_Object] = [{"role": message.get("role") or "assistant", "content": ""}]
    if any(said.values()):
        deltas.append(said)
    calls = message.get("tool_calls")
    for number, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            function = call.get("function")
            whole = {**function, "arguments": chunks.arguments_of(function)} if isinstance(function, dict) else {}
            deltas.append({"tool_calls": [{**call, "index": number, "function": whole}]})
    return deltas


def _response(answer: _Object) -> bytes:
    status = answer.get("status")
    kind = f"response.{status}" if status in ("incomplete", "failed") else "response.completed"
    opened = {**answer, "status": "in_progress", "output": [], "usage": None}
    events: list[_Object] = [
        {"type": "response.created", "response": opened},
        {"type": "response.in_progress", "response": opened},
    ]
    output = answer.get("output")
    for index, item in enumerate(output if isinstance(output, list) else []):
        if isinstance(item, dict):
            events += _item(index, item)
    events.append({"type": kind, "response": answer})
    return b"".join(
        b"event: %b\n" % str(event["type"]).encode() + _event({**event, "sequence_number": number})
        for number, event in enumerate(events)
    )


def _item(index: int, item: _Object) -> list[_Object]:
    """An item opened, its text parts and arguments said in one delta each, and closed."""
    at: _Object = {"item_id": item.get("id"), "output_index": index}
    content = item.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    opened = {**item, "status": "in_progress"}
    if parts:
        opened["content"] = []
    arguments = item.get("arguments")
    if isinstance(arguments, str):
        opened["arguments"] = ""
    events: list[_Object] = [{"type": "response.output_item.added", "output_index": index, "item": opened}]
    for number, part in enumerate(parts):
        events += _part({**at, "content_index": number}, part)
    if isinstance(arguments, str):
        kind = "response.function_call_arguments"
        events.append({"type": f"{kind}.delta", **at, "delta": arguments})
        events.append({"type": f"{kind}.done", **at, "name": item.get("name"), "arguments": arguments})
    events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return events


def _part(at: _Object, part: _Object) -> list[_Object]:
    kind, member = _DELTA_KINDS.get(str(part.get("type")), ("", ""))
    if not kind:
        return []
    text = part.get(member)
    extra: _Object = {"logprobs": []} if member == "text" and kind == "response.output_text" else {}
    added = {**part, member: ""}
    return [
        {"type": "response.content_part.added", **at, "part": added},
        {"type": f"{kind}.delta", **at, "delta": text, **extra},
        {"type": f"{kind}.done", **at, member: text, **extra},
        {"type": "response.content_part.done", **at, "part": part},
    ]


def _event(event: _Object) -> bytes:
    return b"data: " + chunks.encode(event) + b"\n\n"
