"""Messages as Anthropic documents them: requests with every block, streams with every event."""

import json
from typing import Any

Object = dict[str, Any]

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk"
EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
GATE = {
    "name": "open_gate",
    "description": "Opens a gate.",
    "input_schema": {"type": "object", "properties": {"gate": {"type": "string"}}, "required": ["gate"]},
}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}
REPORT = {
    "input_tokens": 60,
    "cache_creation_input_tokens": 30,
    "cache_read_input_tokens": 20,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 12,
    "output_tokens_details": {"thinking_tokens": 5},
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    "service_tier": "standard",
}


def text(said: str, **beside: object) -> Object:
    return {"type": "text", "text": said, **beside}


def user(*content: object) -> Object:
    return {"role": "user", "content": content[0] if len(content) == 1 and isinstance(content[0], str) else [*content]}


def assistant(*content: object) -> Object:
    return {**user(*content), "role": "assistant"}


def picture(**source: object) -> Object:
    return {
        "type": "image",
        "source": source if source else {"type": "base64", "media_type": "image/png", "data": PICTURE},
    }


def request(*messages: Object, **members: object) -> Object:
    return {"model": "claude-sonnet-4-5", "max_tokens": 8192, "messages": [*messages] or [user("Hi")], **members}


def message(*content: Object, stop: str | None = "end_turn", **members: object) -> Object:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [*content],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 60, "output_tokens": 12},
        **members,
    }


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def event(kind: str, **members: object) -> bytes:
    return f"event: {kind}\n".encode() + b"data: " + encoded({"type": kind, **members}) + b"\n\n"


def start(**usage: object) -> bytes:
    begun = message(stop=None)
    return event("message_start", message={**begun, "usage": usage or {"input_tokens": 60, "output_tokens": 1}})


def delta(index: int, kind: str, **members: object) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **members})


def block(index: int, begun: Object, *deltas: bytes) -> bytes:
    opened = event("content_block_start", index=index, content_block=begun)
    return opened + b"".join(deltas) + event("content_block_stop", index=index)


def end(reason: str = "end_turn", **usage: object) -> bytes:
    stop = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=stop, usage=usage or {"output_tokens": 12}) + event("message_stop")


def texts(*pieces: str, index: int = 0) -> bytes:
    return block(index, text(""), *(delta(index, "text_delta", text=piece) for piece in pieces))


PLAIN = start() + event("ping") + texts("Zoll", " haus", " \N{CUSTOMS}") + end()
CITED = {
    "type": "char_location",
    "cited_text": "Carts: 2",
    "document_index": 0,
    "document_title": "carts",
    "start_char_index": 0,
    "end_char_index": 8,
}
EVERY_EVENT = b"".join(
    (
        start(**{**REPORT, "output_tokens": 1}),
        event("ping"),
        block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            delta(0, "thinking_delta", thinking="I must"),
            delta(0, "thinking_delta", thinking=" look."),
            delta(0, "signature_delta", signature=SIGNATURE),
        ),
        block(1, {"type": "redacted_thinking", "data": "EmwKAhgB"}),
        block(
            2,
            text("", citations=[]),
            delta(2, "citations_delta", citation=CITED),
            delta(2, "text_delta", text="Zoll haus"),
        ),
        block(
            3,
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
            delta(3, "input_json_delta", partial_json='{"query": "tolls"}'),
        ),
        block(4, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}),
        block(
            5,
            {"type": "tool_use", "id": "toolu_1", "name": "open_gate", "input": {}},
            delta(5, "input_json_delta", partial_json=""),
            delta(5, "input_json_delta", partial_json='{"gate"'),
            delta(5, "input_json_delta", partial_json=': "A"}'),
        ),
        event("ping"),
        end("tool_use", output_tokens=12, output_tokens_details={"thinking_tokens": 5}),
    )
)
EVERY_BLOCK = [
    {"type": "thinking", "thinking": "I must look.", "signature": SIGNATURE},
    {"type": "redacted_thinking", "data": "EmwKAhgB"},
    text("Zoll haus", citations=[CITED]),
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tolls"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    {"type": "tool_use", "id": "toolu_1", "name": "open_gate", "input": {"gate": "A"}},
]
"""The same, whole."""
