"""Answers and event streams as an OpenAI server writes them: whole bodies and events, from plain text.

Who calls: the simulator. Everything is compact JSON in UTF-8; `created` is in Unix seconds; `usage=None` leaves usage
out, as some servers do. `tool` is (name, arguments as JSON text). `finish` is `stop`, `length`, `tool_calls`,
`function_call` or `content_filter`; None writes an answer whose end the server does not explain.
"""

import struct
from base64 import b64encode
from collections.abc import Iterator, Sequence

import msgspec

from tollhouse.core.usage import Usage
from tollhouse.formats.openai.usage import write_chat, write_vectors

_encode = msgspec.json.Encoder().encode

DONE = b"data: [DONE]\n\n"
"""What ends a chat or completions stream."""

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def chat(
    answer_id: str,
    created: int,
    model: str,
    text: str,
    tool: tuple[str, str] | None = None,
    usage: Usage | None = None,
    finish: str | None = "stop",
    n: int = 1,
    as_function: bool = False,
) -> bytes:
    """The body of `/v1/chat/completions` without `stream`; all `n` choices say the same. as_function: a tool is called
    in the form that `functions` had."""
    message: dict[str, object] = {"role": "assistant", "content": text or (None if tool else ""), "refusal": None}
    if tool and as_function:
        message["function_call"] = {"name": tool[0], "arguments": tool[1]}
    elif tool:
        message["tool_calls"] = [_tool_call(answer_id, tool)]
    choices = [{"index": i, "message": message, "logprobs": None, "finish_reason": finish} for i in range(n)]
    answer = {"id": answer_id, "object": "chat.completion", "created": created, "model": model, "choices": choices}
    return _encode(answer | _usage(usage))


def chat_events(
    answer_id: str,
    created: int,
    model: str,
    pieces: Sequence[str],
    tool: tuple[str, str] | None = None,
    usage: Usage | None = None,
    finish: str | None = "stop",
    include_usage: bool = False,
    n: int = 1,
    as_function: bool = False,
) -> Iterator[bytes]:
    """The same as events: the role, one event a piece of text, the tool call, the finish, usage if asked, `[DONE]`.
    Each is made when it is asked for."""
    head = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
    tail: dict[str, object] = {"usage": None} if include_usage else {}
    for delta in _deltas(answer_id, pieces, tool, as_function=as_function):
        for i in range(n):
            choice = {"index": i, "delta": delta, "logprobs": None, "finish_reason": None}
            yield _event(head | {"choices": [choice]} | tail)
    for i in range(n):
        choice = {"index": i, "delta": {}, "logprobs": None, "finish_reason": finish}
        yield _event(head | {"choices": [choice]} | tail)
    if include_usage and usage is not None:
        yield _event(head | {"choices": []} | _usage(usage))
    yield DONE


def _deltas(
    answer_id: str, pieces: Sequence[str], tool: tuple[str, str] | None, *, as_function: bool
) -> Iterator[dict[str, object]]:
    yield {"role": "assistant", "content": None if tool and not pieces else ""}
    for piece in pieces:
        yield {"content": piece}
    if tool:
        name, arguments = tool
        if as_function:
            yield {"function_call": {"name": name, "arguments": ""}}
        else:
            yield {"tool_calls": [{"index": 0, **_tool_call(answer_id, (name, ""))}]}
        for at in range(0, len(arguments), 16):
            if as_function:
                yield {"function_call": {"arguments": arguments[at : at + 16]}}
                continue
            yield {"tool_calls": [{"index": 0, "function": {"arguments": arguments[at : at + 16]}}]}


def completion(
    answer_id: str,
    created: int,
    model: str,
    text: str,
    usage: Usage | None = None,
    finish: str | None = "stop",
    n: int = 1,
) -> bytes:
    """The body of `/v1/completions` without `stream`; `n` choices in all (of every prompt together)."""
    choices = [{"text": text, "index": i, "logprobs": None, "finish_reason": finish} for i in range(n)]
    answer = {"id": answer_id, "object": "text_completion", "created": created, "model": model, "choices": choices}
    return _encode(answer | _usage(usage))


def completion_events(
    answer_id: str,
    created: int,
    model: str,
    pieces: Sequence[str],
    usage: Usage | None = None,
    finish: str | None = "stop",
    include_usage: bool = False,
    n: int = 1,
) -> Iterator[bytes]:
    """The same as events: one a piece of text, the finish, usage if asked, `[DONE]`. Each is made when asked for."""
    head = {"id": answer_id, "object": "text_completion", "created": created, "model": model}
    tail: dict[str, object] = {"usage": None} if include_usage else {}
    for number in range(len(pieces) + 1):
        text, end = (pieces[number], None) if number < len(pieces) else ("", finish)
        for i in range(n):
            choice = {"text": text, "index": i, "logprobs": None, "finish_reason": end}
            yield _event(head | {"choices": [choice]} | tail)
    if include_usage and usage is not None:
        yield _event(head | {"choices": []} | _usage(usage))
    yield DONE


def embeddings(model: str, vectors: Sequence[Sequence[float]], usage: Usage | None, base64: bool = False) -> bytes:
    """The body of `/v1/embeddings`, in the order of the inputs; base64 holds float32, little endian."""
    data = [
        {"object": "embedding", "index": i, "embedding": _float32_base64(vector) if base64 else list(vector)}
        for i, vector in enumerate(vectors)
    ]
    answer: dict[str, object] = {"object": "list", "data": data, "model": model}
    if usage is not None:
        answer["usage"] = write_vectors(usage)
    return _encode(answer)


def moderations(answer_id: str, model: str, flagged: Sequence[bool]) -> bytes:
    """The body of `/v1/moderations`: one result an input; what is flagged is flagged as violence."""
    results = []
    for is_flagged in flagged:
        hit = {category: is_flagged and category == "violence" for category in _CATEGORIES}
        results.append(
            {
                "flagged": is_flagged,
                "categories": hit,
                "category_scores": {category: 0.99 if is_hit else 0.0 for category, is_hit in hit.items()},
                "category_applied_input_types": {category: ["text"] if hit[category] else [] for category in hit},
            }
        )
    return _encode({"id": answer_id, "model": model, "results": results})


def _event(chunk: dict[str, object]) -> bytes:
    return b"data: " + _encode(chunk) + b"\n\n"


def _usage(usage: Usage | None) -> dict[str, object]:
    return {} if usage is None else {"usage": write_chat(usage)}


def _tool_call(answer_id: str, tool: tuple[str, str]) -> dict[str, object]:
    name, arguments = tool
    call_id = "call_" + answer_id.rpartition("-")[2].rpartition("_")[2]
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _float32_base64(vector: Sequence[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
