"""Replies in core words as whole messages."""

from tollhouse.core.conversation import MediaPart, Opaque, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.opaque import id_with, sealed
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.reply import Reply, ReplyChoice
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.anthropic import finish
from tollhouse.formats.anthropic import usage as reports
from tollhouse.formats.anthropic.block_writer import call_id, input_of, thinking_block
from tollhouse.formats.anthropic.wire import UNSIGNED, WIRE


def write_reply(reply: Reply, context: AnswerContext) -> bytes:
    """A message is one answer: others have nowhere to stand, and nobody who asks in this format asks for them."""
    choice = reply.choices[0] if reply.choices else ReplyChoice(parts=[])
    blocks = [block for part in choice.parts if (block := block_of(part)) is not None]
    calls = any(block["type"] == "tool_use" for block in blocks)
    refused = any(isinstance(part, Refusal) for part in choice.parts)
    reason = "refusal" if refused else finish.written(choice.finish, calls=calls)
    message: Object = {
        **head(context, reply.model),
        "content": blocks,
        "stop_reason": reason,
        "stop_sequence": choice.stop_sequence if reason == "stop_sequence" else None,
        "usage": reports.write(reply.usage or Usage()),
    }
    return encode(message)


def head(context: AnswerContext, model: str) -> Object:
    """What a message begins with. Ids of other vendors are none of this format's."""
    message_id = "msg_" + context.request_id.removeprefix("req_")
    return {"type": "message", "role": "assistant", "model": model or context.request.model, "id": message_id}


def block_of(part: Part) -> Object | None:
    """None: what no message can say, and texts that say nothing, which no caller may send back."""
    if isinstance(part, TextPart):
        block: Object = {"type": "text", "text": part.text}
        own = [citation.raw for citation in part.citations if citation.format == WIRE]
        block = {**block, "citations": own} if own else block
        return block if own or part.text else None
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text} if part.text else None
    if isinstance(part, Reasoning):
        return reasoning_block(part.text, part.opaque) if part.text or part.opaque is not None else None
    if isinstance(part, ToolCall):
        made_id = call_id(id_with(part.id, part.opaque))
        return {"type": "tool_use", "id": made_id, "name": part.name, "input": input_of(part)}
    return {"type": "text", "text": picture_told(part)} if isinstance(part, MediaPart) else None


def picture_told(part: MediaPart) -> str:
    """Messages have no place for what a model draws, and an answer that was paid is not empty."""
    return f"The model drew a picture: {part.url}" if part.url else f"The model drew a picture ({part.media_type})."


def reasoning_block(text: str, opaque: Opaque | None) -> Object:
    """Thoughts that another model made carry what it wants back where their signature stands: hidden ones are such as
    leave their text out."""
    if opaque is not None and opaque.format == WIRE:
        return thinking_block(text, opaque)
    return {"type": "thinking", "thinking": text, "signature": signature_of(opaque)}


def signature_of(opaque: Opaque | None) -> str:
    """Clients pass over thoughts that nobody signed, some with the answer after them."""
    return sealed(opaque or UNSIGNED, WIRE)
