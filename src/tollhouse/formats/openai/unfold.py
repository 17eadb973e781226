"""A whole answer unfolded into the stream that the caller asked for, from a provider that answers in one piece.

What comes out is the stream as the provider might have sent it, usage and end included: it is read by `StreamRelay`
like any other, so that hiding, holding back and charging are the same. An answer without a finish reason becomes a
stream that never finishes, and is treated as such.
"""

from tollhouse.core.failure import UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.response_unfold import unfold_response
from tollhouse.formats.openai.usage_location import find

_Object = dict[str, object]

_HEAD = ("id", "object", "created", "model", "service_tier", "system_fingerprint")
_OF_ALL = ("choices", "usage")


def is_whole(operation: Operation, data: bytes) -> bool:
    """Whether the data of an event is a whole answer, and no piece of a stream."""
    if operation not in ("chat", "responses") or not data.startswith(b"{"):
        return False
    answer = chunks.decode(data)
    if operation == "responses":
        return answer.get("object") == "response"
    return answer.get("object") == "chat.completion" and any("message" in one for one in chunks.choices(answer))


def unfold(operation: Operation, body: bytes) -> bytes:
    """The events of a body that `answer.read` accepted. Raises UpstreamError where it has no such form after all."""
    answer = chunks.decode(body)
    if operation == "responses":
        return _response(answer)
    if operation not in ("chat", "completions"):
        raise UpstreamError(f"An answer of {operation} is no stream.")
    return _chat(answer, is_chat=operation == "chat")


def _chat(answer: _Object, *, is_chat: bool) -> bytes:
    """Events in which everything is said once: what is the answer's own on its first, a report on its last."""
    choices = chunks.choices(answer)
    location = find(answer, choices)
    if location is not None:
        location.clear()
    head = {name: answer[name] for name in _HEAD if name in answer}
    head["object"] = "chat.completion.chunk" if is_chat else "text_completion"
    events: list[_Object] = []
    for place, choice in enumerate(choices):
        said = _said(choice, place) if is_chat else _written(choice, place)
        events += [{**head, "choices": [one]} for one in said]
    if events:
        events[0] |= {name: value for name, value in answer.items() if name not in (*_HEAD, *_OF_ALL)}
    if location is not None:
        events.append({**head, "choices": [], "usage": location.report})
    return b"".join([*map(_event, events), chunks.DONE])


def _written(choice: _Object, place: int) -> list[_Object]:
    """Of a legacy completion: its text with all that belongs to it, and its end."""
    index = chunks.index_of(choice, place)
    end = {"index": index, "text": "", "finish_reason": choice.get("finish_reason")}
    return [{**choice, "index": index, "finish_reason": None}, end]


def _said(choice: _Object, place: int) -> list[_Object]:
    """The deltas of a choice, and its end. Probabilities go with the text that they belong to, or, where there is none,
    with the end, as does what a provider adds of its own."""
    index, message, logprobs = chunks.index_of(choice, place), choice.get("message"), choice.get("logprobs")
    events: list[_Object] = []
    for number, delta in enumerate(_deltas(message)):
        event: _Object = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
        if logprobs is not None and number and "tool_calls" not in delta:
            event["logprobs"], logprobs = logprobs, None
        events.append(event)
    rest = {name: value for name, value in choice.items() if name not in ("message", "delta", "index", "logprobs")}
    events.append({"index": index, "delta": {}, "logprobs": logprobs, "finish_reason": None, **rest})
    return events


def _deltas(message: object) -> list[_Object]:
    """The role, and what is empty; what a provider adds of its own and the text; the tool calls, whole and numbered."""
    if not isinstance(message, dict):
        return [{"role": "assistant", "content": ""}]
    content = message.get("content")
    others = {name: value for name, value in message.items() if name not in ("role", "tool_calls")}
    opening: _Object = {"role": message.get("role") or "assistant", "content": None if content is None else ""}
    opening |= {name: value for name, value in others.items() if not value and name != "content"}
    deltas: list[_Object] = [opening]
    said = {name: value for name, value in others.items() if value}
    if said:
        call = said.get("function_call")
        if isinstance(call, dict):
            said["function_call"] = {**call, "arguments": chunks.arguments_of(call)}
        deltas.append(said)
    calls = message.get("tool_calls")
    for number, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            function = call.get("function")
            whole = {**call, "index": number}
            if isinstance(function, dict):
                whole["function"] = {**function, "arguments": chunks.arguments_of(function)}
            deltas.append({"tool_calls": [whole]})
    return deltas


def _response(answer: _Object) -> bytes:
    return b"".join(b"event: %b\n" % str(event["type"]).encode() + _event(event) for event in unfold_response(answer))


def _event(event: _Object) -> bytes:
    return b"data: " + chunks.encode(event) + b"\n\n"
