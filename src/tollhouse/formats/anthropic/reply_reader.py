"""Whole messages in core words."""

from collections.abc import Iterable

from tollhouse.core.cleaning import Known
from tollhouse.core.conversation import Opaque, Part, Reasoning, TextPart, ToolCall
from tollhouse.core.provider_json import Object, decode, encode
from tollhouse.core.reply import Reply, ReplyChoice
from tollhouse.formats.anthropic import answer, finish, written
from tollhouse.formats.anthropic.answer_tool import answer_of
from tollhouse.formats.anthropic.block_reader import citation_of
from tollhouse.formats.anthropic.wire import REDACTED, WIRE


def read_reply(body: bytes, known: Known) -> Reply:
    """Raises what `answer.read` raises."""
    summary = answer.read(body, known)
    message = decode(body)
    stop, blocks = message.get("stop_sequence"), list(written.blocks(message))
    parts = parts_of(blocks)
    calls = any(isinstance(part, ToolCall) for part in parts)
    only_answers = not calls and any(answer_of(block) is not None for block in blocks)
    choice = ReplyChoice(
        parts=parts,
        finish=None if summary.finish is None else finish.read(summary.finish, only_answers=only_answers),
        stop_sequence=stop if isinstance(stop, str) else None,
    )
    reply_id, model = message.get("id"), message.get("model")
    return Reply(
        choices=[choice],
        id=reply_id if isinstance(reply_id, str) else "",
        model=model if isinstance(model, str) else "",
        usage=summary.usage,
        raw_usage=summary.raw_usage,
    )


def parts_of(blocks: Iterable[Object]) -> list[Part]:
    return [part for block in blocks if (part := part_of(block)) is not None]


def part_of(block: Object) -> Part | None:
    """None: what the vendor's own tools did, which no other format can say."""
    kind = block.get("type")
    if kind == "text":
        citations = block.get("citations")
        cited = tuple(map(citation_of, citations)) if isinstance(citations, list) else ()
        return TextPart(text=_text(block, "text"), citations=cited)
    if kind == "thinking":
        signature = _text(block, "signature")
        return Reasoning(text=_text(block, "thinking"), opaque=Opaque(WIRE, signature) if signature else None)
    if kind == "redacted_thinking":
        return Reasoning(opaque=Opaque(WIRE, REDACTED + _text(block, "data")))
    if kind == "tool_use":
        if (answer := answer_of(block)) is not None:
            return TextPart(text=answer)
        given = block.get("input")
        arguments = encode(given if isinstance(given, dict) else {}).decode()
        return ToolCall(id=_text(block, "id"), name=_text(block, "name"), arguments=arguments)
    return None


def _text(block: Object, name: str) -> str:
    value = block.get(name)
    return value if isinstance(value, str) else ""
