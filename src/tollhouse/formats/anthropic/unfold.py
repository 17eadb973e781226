"""A whole message unfolded into the stream that the caller asked for, from a provider that answers in one piece.

What comes out is the stream as the provider might have sent it, usage and end included: it is relayed like any other.
A message that does not say why it ended becomes a stream that never finishes, and is treated as such.
"""

from collections.abc import Iterator

from tollhouse.core.provider_json import Object, decode, encode
from tollhouse.formats.anthropic import written

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_OF_THE_END = ("stop_reason", "stop_sequence", "stop_details", "container")


def event_of(name: bytes, data: bytes) -> bytes:
    """An event, from JSON that may have line breaks between its values."""
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    return b"event: %b\ndata: %b\n\n" % (name, data)


def unfold(body: bytes) -> bytes:
    """The events of a body that `answer.read` accepted."""
    message = decode(body)
    return b"".join(event_of(str(said["type"]).encode(), encode(said)) for said in _events(message))


def _events(message: Object) -> Iterator[Object]:
    usage = message.get("usage")
    begun: Object = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    if isinstance(usage, dict):
        begun["usage"] = {name: value for name, value in usage.items() if name != "output_tokens_details"} | {
            "output_tokens": 0
        }
    begun = {name: value for name, value in begun.items() if name not in ("stop_details", "context_management")}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(written.blocks(message)):
        start, deltas = block_events(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    if message.get("stop_reason") is None:
        return
    delta = {name: message[name] for name in _OF_THE_END if name in message}
    last: Object = {"type": "message_delta", "delta": delta, "usage": usage if isinstance(usage, dict) else {}}
    if message.get("context_management") is not None:
        last["context_management"] = message["context_management"]
    yield last
    yield {"type": "message_stop"}


def block_events(block: Object) -> tuple[Object, list[Object]]:
    """A block as it begins, and what is added to it; one that is not known comes whole."""
    kind = block.get("type")
    if kind == "text":
        citations = block.get("citations")
        start = {**block, "text": ""}
        deltas: list[Object] = [{"type": "text_delta", "text": block.get("text") or ""}]
        if isinstance(citations, list):
            start["citations"] = []
            deltas = [{"type": "citations_delta", "citation": one} for one in citations] + deltas
        return start, [delta for delta in deltas if delta.get("text") != ""]
    if kind == "thinking":
        thoughts = {"type": "thinking_delta", "thinking": block.get("thinking") or ""}
        signature = {"type": "signature_delta", "signature": block.get("signature") or ""}
        start = {**block, "thinking": "", "signature": ""}
        return start, [one for one in (thoughts, signature) if all(one.values())]
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        arguments = encode(block.get("input") or {}).decode()
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]
    return block, []
