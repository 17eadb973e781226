"""Answers of `/v1/responses` as an OpenAI server writes them: the whole object, and its full sequence of events.

Who calls: the simulator. `created` is in Unix seconds; `tool` is (name, arguments as JSON text); `finish="length"`
makes the answer incomplete, anything else completes it; `usage=None` leaves usage null. `repeated`: members of the
request that the response says again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from tollhouse.core.usage import Usage
from tollhouse.formats.openai.usage import write_response

NOTHING: Final[Mapping[str, msgspec.Raw]] = {}
_USUAL: Final[Mapping[str, Mapping[str, object]]] = {
    "reasoning": {"effort": None, "summary": None},
    "text": {"format": {"type": "text"}},
}

_encode = msgspec.json.Encoder().encode
_Object = dict[str, object]


def response(
    answer_id: str,
    created: int,
    model: str,
    text: str,
    tool: tuple[str, str] | None = None,
    usage: Usage | None = None,
    finish: str | None = "stop",
    repeated: Mapping[str, msgspec.Raw] = NOTHING,
) -> bytes:
    """The body of `/v1/responses` without `stream`."""
    status = "incomplete" if finish == "length" else "completed"
    output = [_message(answer_id, text, status)] if text or not tool else []
    if tool:
        output.append(_function_call(answer_id, tool, status))
    return _encode(_response(answer_id, created, model, status, output, usage, repeated))


def response_events(
    answer_id: str,
    created: int,
    model: str,
    pieces: Sequence[str],
    tool: tuple[str, str] | None = None,
    usage: Usage | None = None,
    finish: str | None = "stop",
    repeated: Mapping[str, msgspec.Raw] = NOTHING,
) -> Iterator[bytes]:
    """The same as events: from `response.created` to `response.completed` or `response.incomplete`, each numbered, and
    made when it is asked for."""
    for number, event in enumerate(_all_events(answer_id, created, model, pieces, tool, usage, finish, repeated)):
        yield f"event: {event['type']}\ndata: ".encode() + _encode(event | {"sequence_number": number}) + b"\n\n"


def _all_events(
    answer_id: str,
    created: int,
    model: str,
    pieces: Sequence[str],
    tool: tuple[str, str] | None,
    usage: Usage | None,
    finish: str | None,
    repeated: Mapping[str, msgspec.Raw],
) -> Iterator[_Object]:
    status = "incomplete" if finish == "length" else "completed"
    for kind in ("response.created", "response.in_progress"):
        yield {"type": kind, "response": _response(answer_id, created, model, "in_progress", [], None, repeated)}
    output: list[_Object] = []
    if pieces or not tool:
        output.append(_message(answer_id, "".join(pieces), status))
        yield from _message_events(answer_id, pieces, output[-1])
    if tool:
        output.append(_function_call(answer_id, tool, status))
        yield from _function_call_events(tool[1], output[-1], len(output) - 1)
    yield {
        "type": f"response.{status}",
        "response": _response(answer_id, created, model, status, output, usage, repeated),
    }


def _message_events(answer_id: str, pieces: Sequence[str], message: _Object) -> Iterator[_Object]:
    text = "".join(pieces)
    at: _Object = {"item_id": message["id"], "output_index": 0, "content_index": 0}
    opened = message | {"status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": opened}
    yield {"type": "response.content_part.added", **at, "part": _part("")}
    for piece in pieces:
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": _part(text)}
    yield {"type": "response.output_item.done", "output_index": 0, "item": message}


def _function_call_events(arguments: str, call: _Object, index: int) -> Iterator[_Object]:
    at: _Object = {"item_id": call["id"], "output_index": index}
    opened = call | {"status": "in_progress", "arguments": ""}
    kind = "response.function_call_arguments"
    yield {"type": "response.output_item.added", "output_index": index, "item": opened}
    for cut in range(0, len(arguments), 16):
        yield {"type": f"{kind}.delta", **at, "delta": arguments[cut : cut + 16]}
    yield {"type": f"{kind}.done", **at, "name": call["name"], "arguments": arguments}
    yield {"type": "response.output_item.done", "output_index": index, "item": call}


def _response(
    answer_id: str,
    created: int,
    model: str,
    status: str,
    output: list[_Object],
    usage: Usage | None,
    repeated: Mapping[str, msgspec.Raw],
) -> _Object:
    cut_short = {"reason": "max_output_tokens"} if status == "incomplete" else None
    return {
        "id": answer_id,
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": cut_short,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None if usage is None else write_response(usage),
        "user": None,
        "metadata": {},
        **repeated,
        **_completed(repeated),
    }


def _completed(repeated: Mapping[str, msgspec.Raw]) -> _Object:
    """Objects of which a request may name some members: the others are as they are by themselves."""
    found: _Object = {}
    for name, usual in _USUAL.items():
        given = msgspec.json.decode(repeated[name]) if name in repeated else None
        if isinstance(given, dict):
            found[name] = {**usual, **given}
    return found


def _message(answer_id: str, text: str, status: str) -> _Object:
    content = [_part(text)]
    return {"id": _item_id("msg", answer_id), "type": "message", "status": status, "role": "assistant"} | {
        "content": content
    }


def _part(text: str) -> _Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _function_call(answer_id: str, tool: tuple[str, str], status: str) -> _Object:
    name, arguments = tool
    return {
        "id": _item_id("fc", answer_id),
        "type": "function_call",
        "status": status,
        "call_id": _item_id("call", answer_id),
        "name": name,
        "arguments": arguments,
    }


def _item_id(prefix: str, answer_id: str) -> str:
    return f"{prefix}_{answer_id.rpartition('_')[2]}"
